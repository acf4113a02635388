"""Where in a history: the present, a WAL position, or a time."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class AtHead:
    """As the source is when the history accepts the request."""


@dataclass(frozen=True)
class AtLsn:
    """Everything written before this WAL position, as "0/1A2B3C4D"."""

    lsn: str


@dataclass(frozen=True)
class AtTime:
    """As of the last commit at or before this time (aware)."""

    time: datetime


HistoryPoint = AtHead | AtLsn | AtTime
