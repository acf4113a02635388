"""How long to wait for a store that doesn't answer, when an operator is waiting for more than that store."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Patience:
    """How long a store may take to answer, and how often it's asked.

    Attributes:
        attempts: how often a request with a transient failure is made in total.
        connect_timeout_seconds: limit for making a connection.
        read_timeout_seconds: limit for each wait for bytes of an answer.
    """

    attempts: int
    connect_timeout_seconds: float
    read_timeout_seconds: float


SOON: Final = Patience(attempts=2, connect_timeout_seconds=5.0, read_timeout_seconds=15.0)
