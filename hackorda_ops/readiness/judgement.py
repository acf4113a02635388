"""One word on a database, with its reasons. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from hackorda_ops.config.models import Policy
from hackorda_ops.readiness.forecast import Forecast
from hackorda_ops.readiness.standing import Standing
from hackorda_ops.words import duration

Word = Literal["OK", "AT RISK", "OVERDUE", "UNKNOWN", "UNPROTECTED"]
# From the best to the worst.
WORDS: Final[tuple[Word, ...]] = ("OK", "AT RISK", "OVERDUE", "UNKNOWN", "UNPROTECTED")

# A quarter: the next drill would be the one that breaks it.
_FORESEEN: Final = timedelta(days=92)


@dataclass(frozen=True)
class Judgement:
    """How ready a database is.

    Attributes:
        word: OK; AT RISK (something needs attention); OVERDUE; UNKNOWN (no backup was found, and not all places
            could be read); UNPROTECTED (there's no sound backup).
        reasons: a sentence each; none for OK.
    """

    word: Word
    reasons: tuple[str, ...]


def judge(standing: Standing, database: Policy, forecast: Forecast | None = None) -> Judgement:
    """Says how ready a database is.

    Args:
        standing: what the stores hold.
        database: its configuration.
        forecast: of its recovery time, where there is one.
    """
    late = tuple(each.sentence for each in standing.overdue)
    risks = (*standing.problems, *_risks(standing, database, forecast))
    if standing.newest_sound_night is None and standing.newest_copy is None:
        return Judgement("UNKNOWN" if standing.unreadable else "UNPROTECTED", (*late, *risks))
    if late:
        return Judgement("OVERDUE", (*late, *risks))
    return Judgement("AT RISK", risks) if risks else Judgement("OK", ())


def _risks(standing: Standing, database: Policy, forecast: Forecast | None) -> Iterator[str]:
    objectives, night = database.objectives, standing.newest_night
    for bad in standing.passed_over:
        yield f"{bad.artifact_id} can't be relied on: {bad.judgement}."
    if night is not None and not night.sound and night not in standing.passed_over:
        yield f"The newest artifact in the store, {night.artifact_id}, is not sound."
    if standing.newest_copy is None and not standing.unreadable:
        yield "No sound artifact is off-site."
    sound = standing.newest_sound_night
    if sound is not None:
        exposed = standing.at - sound.captured_at
        # A night and its objective are a day each; what comes late counts once its grace is over.
        allowed = timedelta(hours=objectives.recovery_point_hours + database.schedule.grace_hours)
        if exposed > allowed:
            yield (
                f"The newest sound night is {duration(exposed.total_seconds())} old, and the recovery point "
                f"objective is {duration(objectives.recovery_point_hours * 3600)}."
            )
    if database.copies == "nightly" and sound is not None:
        yield from _risks_of_one_copy(standing, database)
    yield from _risks_of_proof(standing, objectives.recovery_time_minutes * 60)
    if forecast is not None and forecast.at is not None and forecast.at - standing.at <= _FORESEEN:
        yield forecast.sentence


def _risks_of_one_copy(standing: Standing, database: Policy) -> Iterator[str]:
    """Nights that go straight off-site have no copy of their own: the provider's history is to be the other one."""
    if not database.keeps_history:
        yield "The off-site bucket holds the only copy: nothing keeps a history of the source beside it."
    elif not standing.history_was_used:
        yield (
            "The off-site bucket holds the only copy that is known to be one: no night was read from the provider's "
            "history, and no exercise has recovered from it."
        )


def _risks_of_proof(standing: Standing, objective_seconds: float) -> Iterator[str]:
    proven, last = standing.last_proven, standing.last_drill
    if proven is None:
        yield "No restore point has ever been proven."
    elif not proven.kept:
        yield f"The artifact that was proven last, {proven.artifact_id}, is no longer there."
    if last is not None and last.verdict != "PASS":
        but = f" Its data came back, but {last.beside_the_data}." if last.beside_the_data else ""
        yield f"The last drill, of {last.drilled_at:%Y-%m-%d}, ended with {last.verdict}: {last.drill_id}.{but}"
    if proven is not None and (took := proven.recovery_seconds) is not None and took > objective_seconds:
        yield (
            f"The last proven recovery took {duration(took)}, and its objective is {duration(objective_seconds)}."
        )
