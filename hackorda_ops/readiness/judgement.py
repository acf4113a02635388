"""One word on a database, with its reasons and what to do first. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from hackorda_ops.config.models import Policy
from hackorda_ops.drill.consequences import CONSEQUENCES
from hackorda_ops.readiness.forecast import Forecast
from hackorda_ops.readiness.overdue import OverdueKind
from hackorda_ops.readiness.standing import Standing
from hackorda_ops.words import duration

Word = Literal["OK", "AT RISK", "OVERDUE", "UNKNOWN", "UNPROTECTED"]
# From the best to the worst.
WORDS: Final[tuple[Word, ...]] = ("OK", "AT RISK", "OVERDUE", "UNKNOWN", "UNPROTECTED")

# A quarter: the next drill would be the one that breaks it.
_FORESEEN: Final = timedelta(days=92)

# Where nothing more is known than that it is missing.
_MISSING: Final[Mapping[OverdueKind, str]] = {
    "night": "`hackorda-ops dump {name}`, or materialize the night in Dagster. Then find out why it wasn't taken: did "
    "its run fail, is the daemon alive, is the schedule on?",
    "proof": "`hackorda-ops prove {name}`, or materialize night_proof in Dagster. Then find out why it wasn't made: is "
    "the daemon alive, is the sensor prove_nights on?",
    "week": "`hackorda-ops copy {name}`, or materialize the week in Dagster. Then find out why it wasn't copied.",
    "quarter": "`hackorda-ops drill {name}`, or materialize the quarter in Dagster.",
    "year": "`hackorda-ops exercise {name}`, or materialize the year in Dagster.",
}
_ODD: Final = (
    "Look at what it names. `hackorda-ops preflight {name}` checks both places, their credentials and clocks."
)


@dataclass(frozen=True)
class Judgement:
    """How ready a database is.

    Attributes:
        word: OK; AT RISK (something needs attention); OVERDUE; UNKNOWN (no backup was found, and not all places
            could be read); UNPROTECTED (there's no sound backup).
        reasons: a sentence each; none for OK.
        next_step: what to do about the first of them; "" for OK.
    """

    word: Word
    reasons: tuple[str, ...]
    next_step: str = ""


@dataclass(frozen=True)
class _Reason:
    sentence: str
    next_step: str


def judge(standing: Standing, database: Policy, forecast: Forecast | None = None) -> Judgement:
    """Says how ready a database is.

    Args:
        standing: what the stores hold.
        database: its configuration.
        forecast: of its recovery time, where there is one.
    """
    name = standing.database
    late = [
        _Reason(each.sentence, each.next_step or _MISSING[each.kind].format(name=name))
        for each in standing.overdue
    ]
    odd = [_Reason(each, _ODD.format(name=name)) for each in standing.problems]
    found = (*late, *odd, *_risks(standing, database, forecast))
    if standing.newest_sound_night is None and standing.newest_copy is None:
        return _judged("UNKNOWN" if standing.unreadable else "UNPROTECTED", found)
    if late:
        return _judged("OVERDUE", found)
    return _judged("AT RISK" if found else "OK", found)


def _judged(word: Word, found: Sequence[_Reason]) -> Judgement:
    return Judgement(word, tuple(each.sentence for each in found), found[0].next_step if found else "")


def _risks(standing: Standing, database: Policy, forecast: Forecast | None) -> Iterator[_Reason]:
    name, objectives, night = standing.database, database.objectives, standing.newest_night
    anew = f"`hackorda-ops dump {name} && hackorda-ops copy {name} && hackorda-ops drill {name}`"
    drilled = standing.last_drill.next_step if standing.last_drill else ""
    for bad in standing.passed_over:
        yield _Reason(f"{bad.artifact_id} can't be relied on: {bad.judgement}.", drilled or anew)
    if night is not None and not night.sound and night not in standing.passed_over:
        yield _Reason(
            f"The newest artifact in the store, {night.artifact_id}, is not sound.",
            f"Look at what was found: `hackorda-ops backups {name}`. Once it is mended or intended: "
            f"`hackorda-ops dump {name}`.",
        )
    if standing.newest_copy is None and not standing.unreadable:
        yield _Reason("No sound artifact is off-site.", f"`hackorda-ops copy {name}`")
    sound = standing.newest_sound_night
    if sound is not None:
        exposed = standing.at - sound.captured_at
        # A night and its objective are a day each; what comes late counts once its grace is over.
        allowed = timedelta(hours=objectives.recovery_point_hours + database.schedule.grace_hours)
        if exposed > allowed:
            yield _Reason(
                f"The newest sound night is {duration(exposed.total_seconds())} old, and the recovery point "
                f"objective is {duration(objectives.recovery_point_hours * 3600)}.",
                _MISSING["night"].format(name=name),
            )
    if database.copies == "nightly" and sound is not None:
        yield from _risks_of_one_copy(standing, database)
    yield from _risks_of_proof(standing, objectives.recovery_time_minutes * 60)
    if forecast is not None and forecast.at is not None and forecast.at - standing.at <= _FORESEEN:
        yield _Reason(forecast.sentence, CONSEQUENCES["time"].next_step)


def _risks_of_one_copy(standing: Standing, database: Policy) -> Iterator[_Reason]:
    """Nights that go straight off-site have no copy of their own: the provider's history is to be the other one."""
    if not database.keeps_history:
        yield _Reason(
            "The off-site bucket holds the only copy: nothing keeps a history of the source beside it.",
            "Set `copies: weekly` and a store of the nights, or name what keeps a history of the source.",
        )
    elif not standing.history_was_used:
        yield _Reason(
            "The off-site bucket holds the only copy that is known to be one: no night was read from the provider's "
            "history, and no exercise has recovered from it.",
            _MISSING["year"].format(name=standing.database),
        )


def _risks_of_proof(standing: Standing, objective_seconds: float) -> Iterator[_Reason]:
    proven, last = standing.newest_proven, standing.last_drill
    drill_again = _MISSING["quarter"].format(name=standing.database)
    if proven is None:
        yield _Reason("No restore point has ever been proven.", drill_again)
    elif not proven.kept:
        yield _Reason(
            f"The artifact that was proven last, {proven.artifact_id}, is no longer there.", drill_again
        )
    if last is not None and last.verdict != "PASS":
        about = f": {last.headline}" if last.headline else ""
        but = " The data of its backup came back." if last.beside_the_data else ""
        yield _Reason(
            f"The last drill, of {last.drilled_at:%Y-%m-%d}, ended with {last.verdict}{about} "
            f"(drill {last.drill_id}).{but}",
            last.next_step or drill_again,
        )
    drilled = standing.last_proven
    if drilled is not None and (took := drilled.recovery_seconds) is not None and took > objective_seconds:
        yield _Reason(
            f"The last proven recovery took {duration(took)}, and its objective is {duration(objective_seconds)}.",
            CONSEQUENCES["time"].next_step,
        )
