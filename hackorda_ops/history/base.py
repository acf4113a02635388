"""What every history can do: say how far back it goes, and open copies of the source at points of it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hackorda_ops.errors import OpsError
from hackorda_ops.history.points import HistoryPoint
from hackorda_ops.postgres.sessions.connection import ConnectionTarget


@dataclass(frozen=True)
class Reach:
    """How far back a history goes.

    Attributes:
        window_seconds: how much of the past is kept.
        since: when it began; None where that isn't known.
        grows: whether nothing is ever removed from it, so that it is short only while it is young.
    """

    window_seconds: int
    since: datetime | None
    grows: bool = False


@dataclass(frozen=True)
class HistoryTraits:
    """What sets a kind of history apart: how messages refer to it, and what its copies are like.

    Attributes:
        keeper: who keeps it ("Neon").
        kind: what is configured ("a Neon project").
        copy: what a copy of the source is called ("branch").
        lengthen: how it is made to reach further back, as a sentence without a full stop.
        correct: what to correct where it isn't the source's, as a sentence without a full stop.
        copies_act: whether a copy may do by itself what the source does (pg_cron jobs, subscriptions).
        every_night: whether nights of the present are read from copies without being asked to: a copy is made at
            once, and costs the source nothing.
        looked_after: whether it is kept only as long as somebody sees to it, so that `History.problems` is asked.
        remedy: what to do about those, as a sentence.
    """

    keeper: str
    kind: str
    copy: str
    lengthen: str
    correct: str
    copies_act: bool
    every_night: bool
    looked_after: bool = False
    remedy: str = ""


@dataclass(frozen=True)
class HistoryMain:
    """What the source is in its history: copies are made of it.

    Attributes:
        name: what people know it by.
        begins: when its history began; None where it continues in another's, or where that isn't known.
    """

    name: str
    begins: datetime | None


@dataclass(frozen=True)
class RecoveredSource:
    """The source's own database as it was at a point: a copy that is up, answers, and is not the source.

    Attributes:
        copy_id: by which the history knows it.
        name: unique; it shows whose the copy is.
        target: the source's database on it, as a role that may read all of it.
        lsn: the position where it left the source's timeline; its own positions are on another.
        time: the time of the last commit that it holds, as far as the history says.
        call: how a person would ask for it.
        warnings: what whoever uses it should know of it.
    """

    copy_id: str
    name: str
    target: ConnectionTarget
    lsn: str | None
    time: datetime | None
    call: str = ""
    warnings: tuple[str, ...] = ()


class History(Protocol):
    """The past of one source, opened by copies of it. Every method raises the errors of whoever keeps it."""

    @property
    def traits(self) -> HistoryTraits:
        """What sets its kind apart."""

    def reach(self) -> Reach:
        """How far back it goes."""

    def problems(self) -> tuple[str, ...]:
        """What keeps it from being kept now, a sentence each; only where it has to be looked after."""

    def main(self) -> HistoryMain | None:
        """What the source is in it; None where it's the history of something else."""

    def not_main(self) -> str:
        """What to say where `main` is None, without a full stop."""

    def opened(
        self,
        *,
        purpose: str,
        run: str,
        point: HistoryPoint,
        expires_at: datetime | None,
        parent: RecoveredSource | None = None,
        on_left: Callable[[str, OpsError], None] | None = None,
    ) -> AbstractContextManager[RecoveredSource]:
        """A copy of our own. When the block ends, however it ends, it is removed.

        Args:
            purpose: what it's for, one of `labels.PURPOSES`.
            run: the id of what makes it.
            point: where it leaves the source, or its parent.
            expires_at: when the keeper is to remove it should we not, where it does such things; None where it has
                to have copies of its own.
            parent: a copy that is up, to make this one from; default: what the source is.
            on_left: what to do with its name and the reason where it can't be removed; that is raised unless given.

        Raises:
            PointGone: the history doesn't hold that point, or no longer does.
            TargetRefused: it is the source's own server, or lacks the source's database.
            OpsError: it could not be made or reached, or (when the block ends) could not be removed.
        """

    def still_there(self, *, purpose: str, run: str) -> tuple[str, ...]:
        """The names of the copies that a run made for a purpose and that are still there, oldest first."""

    def delete_nights(self) -> Iterator[str]:
        """Removes what nights left behind, and yields each name; the caller sees to it that no night lives."""

    def left_behind(self, *, retry_budget_seconds: float) -> tuple[str, ...]:
        """The names of the copies that killed runs left behind, oldest first. Changes nothing.

        Args:
            retry_budget_seconds: how long to go on trying to reach the source.
        """

    def sweep(self) -> tuple[str, ...]:
        """Removes the copies that killed runs left behind, and nothing else.

        Returns:
            The names of what was removed.
        """
