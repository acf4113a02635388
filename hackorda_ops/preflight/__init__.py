"""Whether everything is in place, before anything is begun."""
