"""What a kind of history has to bring along. `registry` lists them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from hackorda_ops.concerns import Looked
from hackorda_ops.config.choice import HistorySection
from hackorda_ops.environment import Protected
from hackorda_ops.history.base import History, HistoryTraits
from hackorda_ops.history.primary import Primary
from hackorda_ops.postgres.sessions.connection import ConnectionTarget

S = TypeVar("S", bound=HistorySection)


@dataclass(frozen=True)
class HistoryBase:
    """A base backup that was taken: the beginning of recoveries to any later moment.

    Attributes:
        backup_id: its keeper's.
        ended_at: the first moment that it leads to.
        size_bytes: what it takes up; None where that isn't known.
        seconds: how long it took.
    """

    backup_id: str
    ended_at: datetime
    size_bytes: int | None
    seconds: float


class Keeper(Protocol):
    """What has to be run so that a history is kept, where nobody else runs it."""

    def prepare(self) -> None:
        """Makes whatever reception needs, on this machine and on the source.

        Raises:
            OpsError: something has to be changed first; the error says what.
        """

    def receive(self, *, say: Callable[[str], None], stopped: threading.Event) -> None:
        """Receives what the source writes until it is to stop; begins again whenever that ends.

        Args:
            say: is given what happens, a line each, from several threads.
            stopped: set when it is to end.

        Raises:
            LockHeld: somebody else does already.
        """

    @property
    def has_begun(self) -> bool:
        """Whether anything was ever received here."""

    def receives(self) -> bool:
        """Whether somebody receives now.

        Raises:
            OpsError: the source can't be reached.
        """

    def base_backup(self) -> HistoryBase:
        """Takes a base backup.

        Raises:
            OpsError: it could not.
        """

    def lacks_base_backup(self) -> str:
        """Why a base backup is needed at once, as a sentence; "" where it isn't."""

    def end(self) -> str:
        """Removes what holds WAL on the source, and keeps what was received; says what it did."""


@dataclass(frozen=True)
class HistoryKind(Generic[S]):
    """A kind of history.

    Whatever is called has seen before that no variable of the section is missing.

    Attributes:
        section: what databases.yaml says of it, and which variables that needs.
        traits: what sets it apart.
        graph_kind: what Dagster's pages show it as.
        opened: the history of a database whose section and source are given, and for how many seconds a call of its
            keeper's API is repeated (None for as long as it thinks right).
        keeper: what has to be run for it here; None where its section says that somebody else does.
        base_backup: when that takes base backups, as a cron expression; None likewise.
        primary: the source and the branches that can take its place; None where copies never can.
        look: what a preflight looks at beside `nights`; nothing where the scratch is the same and looks already.
    """

    section: type[S]
    traits: HistoryTraits
    graph_kind: str
    opened: Callable[[S, Protected, ConnectionTarget, float | None], AbstractContextManager[History]]
    look: Callable[[S, Protected, ConnectionTarget], Iterator[Looked]] | None = None
    keeper: Callable[[S, Protected], Keeper | None] | None = None
    base_backup: Callable[[S], str | None] | None = None
    primary: Callable[[S, Protected, ConnectionTarget], AbstractContextManager[Primary]] | None = None
