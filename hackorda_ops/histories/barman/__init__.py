"""The history of a server of one's own, which Barman keeps: copies of the source are recovered on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from hackorda_ops.concerns import Concern, Looked
from hackorda_ops.config.barman import BarmanSection
from hackorda_ops.environment import Protected
from hackorda_ops.histories.barman.history import TRAITS, BarmanHistory
from hackorda_ops.histories.barman.program import Barman
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
    yield BarmanHistory(protected, Barman(section, protected.environ), source)


def _look(section: BarmanSection, protected: Protected, source: ConnectionTarget) -> Iterator[Looked]:
    barman = Barman(section, protected.environ)
    history = BarmanHistory(protected, barman, source)
    concerns = [
        Concern(
            "worth knowing",
            f"barman check {section.server}: {failed}.",
            "Barman may have stopped keeping the history that drills, exercises and missed nights need.",
            f"Run `barman check {section.server}` and fix what it names.",
        )
        for failed in barman.failed_checks()
    ]
    reach = history.reach()
    concerns += window_concerns(reach, protected.policy.objectives.history_days, TRAITS)
    concerns += slot_concerns(source)
    yield Looked(
        "history",
        f"Barman's {section.server}, which reaches back {duration(reach.window_seconds)}",
        tuple(concerns),
    )


KIND = HistoryKind(BarmanSection, TRAITS, "postgres", _opened, _look)
