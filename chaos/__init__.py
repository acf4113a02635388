"""Faults at every call of the commands, on real servers, and what must hold after each: `make chaos`."""
