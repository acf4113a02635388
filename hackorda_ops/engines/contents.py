"""What an engine reads of a database or an artifact so that two can be compared: no value of a row is in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class PartSeen:
    """What is seen of a part of a database: a table, for example.

    Attributes:
        rows: how many entries it has; None where there is no such part.
        digest: of all of them, in hex.
    """

    rows: int | None
    digest: str | None


@dataclass(frozen=True)
class Definition:
    """How an object of a schema is defined.

    Attributes:
        shown: its text, without secrets.
        digest: of the whole text, so that a changed secret is noticed as well.
    """

    shown: str
    digest: str


@dataclass(frozen=True)
class LiveContents:
    """A live database, read beside an artifact.

    Attributes:
        at: the server's time when the reading began, aware.
        parts: what it holds, by the names that the artifact's parts have.
        unread: parts that are there but weren't read, with the reason.
        definitions: its schema, by kind and name; None where the engine has none or it couldn't be read.
        notes: what a reader should know, a sentence each.
    """

    at: datetime
    parts: Mapping[str, PartSeen]
    unread: Mapping[str, str] = field(default_factory=dict)
    definitions: Mapping[str, Definition] | None = None
    notes: tuple[str, ...] = ()


Cell = str | int | float | datetime | None
"""What a view's table has in a column: no value of a row."""


@dataclass(frozen=True)
class LiveView:
    """A look at a live database, as a table.

    Attributes:
        columns: their names; those that end in "#" hold numbers, in "_bytes#" sizes.
        rows: one cell for each column.
        notes: what a reader should know, a sentence each.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()
