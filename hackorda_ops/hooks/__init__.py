"""The team's own commands: what they get of the environment, what is kept of their output, how long they may take."""
