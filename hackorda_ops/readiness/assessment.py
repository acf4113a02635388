"""What a survey comes to: a database's readiness against its policy, where it's heading, and what it costs. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from hackorda_ops.calendar.due import DueKind, cron_of, due_between
from hackorda_ops.config.models import Policy
from hackorda_ops.readiness.at_risk import at_risk
from hackorda_ops.readiness.forecast import LEAST_DRILLS, LEAST_NIGHTS, Forecast, Point, forecast
from hackorda_ops.readiness.judgement import Judgement, judge
from hackorda_ops.readiness.overdue import OverdueKind
from hackorda_ops.readiness.standing import Standing
from hackorda_ops.readiness.survey import DrillHeld, Stored, Survey
from hackorda_ops.words import duration, size

_GB = 1_000_000_000
# Far enough for the next exercise, whenever in the year it is.
_NEXT_WITHIN = timedelta(days=800)
# Retention keeps every night of a week at least; gaps between older ones are its doing.
_EVERY_NIGHT_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Expectation:
    """What the schedule asks for, and how it's met.

    Attributes:
        kind: what is asked for.
        cron: when, as configured; of a proof, that of its nights.
        newest_at: the moment its newest holds (nights and copies), or when it was run; None for none.
        next_due_at: in the schedule's time zone; None where nothing is due any more.
        overdue: whether it is.
    """

    kind: OverdueKind
    cron: str
    newest_at: datetime | None
    next_due_at: datetime | None
    overdue: bool


@dataclass(frozen=True)
class Cost:
    """What a place keeps, and what that costs.

    Attributes:
        stored: the bytes.
        usd_per_month: None where the configuration names no price.
    """

    stored: Stored
    usd_per_month: float | None


@dataclass(frozen=True)
class Readiness:
    """How ready a database is for the day it's lost.

    Attributes:
        database: its name in databases.yaml.
        at: when it was looked at, aware.
        judgement: one word, with its reasons.
        risk: the last proven restore point and its age, in a sentence or two.
        standing: what the stores hold.
        timezone: of the schedule.
        asked: what the schedule asks for.
        exposed_seconds: what would be lost if the database died now and only its dumps were left; None
            without a sound night.
        recovery_point_objective_seconds: what that is compared with.
        longest_gap_seconds: between two consecutive sound artifacts of the last week; None with
            fewer than two.
        recovery_seconds: of the last drill that passed and measured it.
        recovery_time_objective_seconds: what that is compared with.
        time_by_drills: when the recovery time breaks its objective, by the drills.
        time_by_size: the same, by the size of the nights, taking the time to grow in step with it.
        sizes: of the sound artifacts, oldest first, in bytes.
        drills: oldest first.
        costs: of each place.
    """

    database: str
    at: datetime
    judgement: Judgement
    risk: str
    standing: Standing
    timezone: str
    asked: tuple[Expectation, ...]
    exposed_seconds: float | None
    recovery_point_objective_seconds: float
    longest_gap_seconds: float | None
    recovery_seconds: float | None
    recovery_time_objective_seconds: float
    time_by_drills: Forecast
    time_by_size: Forecast
    sizes: tuple[Point, ...]
    drills: tuple[DrillHeld, ...]
    costs: tuple[Cost, ...]


def assess(survey: Survey, database: Policy) -> Readiness:
    """Compares a survey with the database's policy."""
    standing, objectives = survey.standing, database.objectives
    now, night = standing.at, standing.newest_sound_night
    objective_seconds = objectives.recovery_time_minutes * 60
    sizes = tuple(Point(each.captured_at, float(each.size_bytes)) for each in survey.artifacts if each.sound)
    passed = [each for each in survey.drills if each.verdict == "PASS" and each.recovery_seconds is not None]
    by_drills = forecast(
        [Point(each.started_at, each.recovery_seconds or 0.0) for each in passed],
        objective_seconds,
        now,
        least=LEAST_DRILLS,
        subject="The recovery time",
        limit_in_words=f"its objective, {duration(objective_seconds)}",
        noun="drill",
        in_words=duration,
    )
    by_size = _by_size(sizes, passed, objective_seconds, now)
    return Readiness(
        database=standing.database,
        at=now,
        # A trend that drills have measured says more than one inferred from size.
        judgement=judge(standing, database, by_size if by_drills.says_nothing else by_drills),
        risk=at_risk(standing),
        standing=standing,
        timezone=database.schedule.timezone,
        asked=tuple(_asked(standing, database)),
        exposed_seconds=(now - night.captured_at).total_seconds() if night else None,
        recovery_point_objective_seconds=objectives.recovery_point_hours * 3600,
        longest_gap_seconds=_longest_gap_seconds(survey),
        recovery_seconds=passed[-1].recovery_seconds if passed else None,
        recovery_time_objective_seconds=objective_seconds,
        time_by_drills=by_drills,
        time_by_size=by_size,
        sizes=sizes,
        drills=survey.drills,
        costs=tuple(_cost(each, database) for each in survey.stored),
    )


def _by_size(
    sizes: tuple[Point, ...], passed: list[DrillHeld], objective_seconds: float, now: datetime
) -> Forecast:
    measured = [each for each in passed if each.size_bytes and each.recovery_seconds]
    if not measured:
        return Forecast(
            "too few points", None, "No drill has measured yet how long a backup of a given size takes."
        )
    newest = measured[-1]
    limit = (newest.size_bytes or 0) * objective_seconds / (newest.recovery_seconds or 1)
    return forecast(
        sizes,
        limit,
        now,
        least=LEAST_NIGHTS,
        subject="The size of a night",
        limit_in_words=f"{size(limit)}, which would take {duration(objective_seconds)}, the objective, to recover",
        noun="night",
        in_words=size,
    )


def _longest_gap_seconds(survey: Survey) -> float | None:
    nights = [each.captured_at for each in survey.artifacts if each.sound]
    recent = [each for each in nights if survey.standing.at - each <= _EVERY_NIGHT_KEPT]
    return max(((later - earlier).total_seconds() for earlier, later in pairwise(recent)), default=None)


def _asked(standing: Standing, database: Policy) -> Iterator[Expectation]:
    schedule, late = database.schedule, {each.kind for each in standing.overdue}
    night, copy, proven = standing.newest_sound_night, standing.newest_copy, standing.last_proven
    newest: dict[DueKind, datetime | None] = {
        "night": night.captured_at if night else None,
        "week": copy.captured_at if copy else None,
        "quarter": proven.drilled_at if proven else None,
    }
    if database.copies == "nightly":
        del newest["week"]
    if database.keeps_history:
        newest["year"] = standing.last_exercise_passed_at
    if database.proof.every != "off":
        proof = standing.night_proven
        after = next(
            due_between("night", schedule, after=standing.at, until=standing.at + _NEXT_WITHIN), None
        )
        yield Expectation(
            "proof",
            cron_of("night", schedule),
            proof.drilled_at if proof else None,
            after.at if after else None,
            "proof" in late,
        )
    for kind, newest_at in newest.items():
        coming = due_between(kind, schedule, after=standing.at, until=standing.at + _NEXT_WITHIN)
        due = next(coming, None)
        yield Expectation(kind, cron_of(kind, schedule), newest_at, due.at if due else None, kind in late)


def _cost(stored: Stored, database: Policy) -> Cost:
    costs = database.costs
    price = costs.store_usd_per_gb_month if stored.place == "store" else costs.offsite_usd_per_gb_month
    return Cost(stored, None if price is None else stored.total_bytes / _GB * price)
