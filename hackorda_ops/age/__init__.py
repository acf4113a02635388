"""Speaking age: recipients, identities, and files that are encrypted as they are written."""
