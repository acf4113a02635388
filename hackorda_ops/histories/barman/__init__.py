"""The history of a server of one's own, which Barman keeps: copies of the source are recovered on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from hackorda_ops.concerns import Concern, Looked
from hackorda_ops.config.barman import BarmanSection
from hackorda_ops.environment import Protected
from hackorda_ops.histories.barman.history import TRAITS, BarmanHistory
from hackorda_ops.histories.barman.installation import barman_of
from hackorda_ops.histories.barman.keeper import BarmanKeeper
from hackorda_ops.histories.barman.slots import slot_concerns
from hackorda_ops.histories.kind import HistoryKind
from hackorda_ops.histories.window import window_concerns
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.words import duration


@contextmanager
def _opened(
    section: BarmanSection,
    protected: Protected,
    source: ConnectionTarget,
    budget_seconds: float | None,  # noqa: ARG001  # there is no API
) -> Iterator[BarmanHistory]:
    yield _history(section, protected, source)


def _history(section: BarmanSection, protected: Protected, source: ConnectionTarget) -> BarmanHistory:
    return BarmanHistory(protected, barman_of(section, protected), source, _keeper(section, protected))


def _look(section: BarmanSection, protected: Protected, source: ConnectionTarget) -> Iterator[Looked]:
    history = _history(section, protected, source)
    concerns = [
        Concern(
            "worth knowing",
            problem,
            "Barman may have stopped keeping the history that drills, exercises and missed nights need.",
            TRAITS.remedy,
        )
        for problem in history.problems()
    ]
    reach = history.reach()
    concerns += window_concerns(reach, protected.policy.objectives.history_days, TRAITS)
    concerns += slot_concerns(source)
    yield Looked(
        "history",
        f"Barman's {history.barman.server}, which reaches back {duration(reach.window_seconds)}",
        tuple(concerns),
    )


def _keeper(section: BarmanSection, protected: Protected) -> BarmanKeeper | None:
    return None if section.run is None else BarmanKeeper(section, section.run, protected)


def _base_backup(section: BarmanSection) -> str | None:
    return None if section.run is None else section.run.base_backup


KIND = HistoryKind(
    BarmanSection, TRAITS, "postgres", _opened, _look, keeper=_keeper, base_backup=_base_backup
)
