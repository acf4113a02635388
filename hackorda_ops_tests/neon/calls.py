"""A call of Neon's API, as tests name the one that meets a fault."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """One call of a run: the operationId, how many like it come before, what it is for, and how often it fails."""

    operation: str
    before: int
    purpose: str
    times: int = 1
