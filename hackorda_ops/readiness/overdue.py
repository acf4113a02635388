"""What is overdue: due by the schedule, past its grace, and nothing in the stores counts for it. All pure.

Dagster isn't asked: it calls an asset "fresh" once a run has succeeded, whatever became of the files since.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.calendar.due import Due, DueKind, newest_due
from hackorda_ops.calendar.partitions import quarter_name, week_of
from hackorda_ops.config.models import Policy, Schedule
from hackorda_ops.drill.causes import said
from hackorda_ops.drill.consequences import beside_the_data, consequence_of
from hackorda_ops.drill.report.words import next_step
from hackorda_ops.drilling.night_proof import NightProof
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.exercise.result import ExerciseResult
from hackorda_ops.findings import fatal
from hackorda_ops.judgement.artifact import ArtifactJudgement
from hackorda_ops.proof.verdict import Verdict

# The proof of a night has no schedule of its own: it follows its night.
OverdueKind = DueKind | Literal["proof"]

_TOLD = 3


@dataclass(frozen=True)
class Overdue:
    """Something that should have been there by now.

    Attributes:
        kind: what.
        partition: the night, the week's Monday, the first day of the quarter or year.
        due_at: the scheduled time, aware, in the schedule's time zone.
        since: how long ago that was.
        sentence: it in words; the same at every look, so that an alarm can be told from a new one.
        next_step: what to do about what was tried for it; "" where nothing was.
    """

    kind: OverdueKind
    partition: date
    due_at: datetime
    since: timedelta
    sentence: str
    next_step: str = ""


@dataclass(frozen=True)
class Attempt:
    """Something that was made, or run, for a partition.

    Attributes:
        partition: the night, the week's Monday, the first day of the quarter or year.
        against: why it doesn't count, as the end of a sentence: "was run on 2026-10-04 and FAILED"; None for
            what is asked for: a sound night, a copy of one, a drill that passed.
        next_step: what to do where it doesn't count; "" where that isn't known.
        failed: whether it was found to be bad, as opposed to not being judged.
    """

    partition: date
    against: str | None
    next_step: str = ""
    failed: bool = False


def asked_for(kind: DueKind, schedule: Schedule, now: datetime) -> Due | None:
    """What has to be there by now: due last, and past its grace. None where the schedule begins later.

    Args:
        kind: which kind of partition.
        schedule: the database's schedule.
        now: the present, aware.
    """
    # The grace is taken off the clock, not added to the newest tick: while tonight's grace runs, last
    # night's is over, and a night that is missing must not look recovered at each new tick.
    return newest_due(kind, schedule, now - timedelta(hours=schedule.grace_hours))


def find_overdue(
    attempts: Mapping[DueKind, Sequence[Attempt]],
    schedule: Schedule,
    now: datetime,
    *,
    first_trace: datetime | None,
    all_read: bool,
) -> tuple[Overdue, ...]:
    """What is overdue, the most frequent kind first.

    What was made for a later partition covers an earlier one: it proves more.

    Args:
        attempts: what there is for each kind, newest first; a kind that is left out is not judged.
        schedule: when things are due.
        now: aware.
        first_trace: when the oldest thing in the stores was made: before it the database wasn't protected
            yet, so nothing was missed. None where there's nothing. Then one thing is overdue, the first
            night, because all others follow from it.
        all_read: whether every store was read.
    """
    if first_trace is None and all_read:
        # As long as its grace lasts, a night may be on its way; but nothing protects a new database meanwhile.
        first = asked_for("night", schedule, now) or newest_due("night", schedule, now)
        if first is None:
            return ()
        sentence = "No night has ever been taken: there is no backup of it."
        return (Overdue("night", first.partition, first.at, now - first.at, sentence),)
    if first_trace is None:
        attempts = {kind: tried for kind, tried in attempts.items() if kind == "night"}
    found = (_overdue(kind, tried, schedule, now, first_trace) for kind, tried in attempts.items())
    return tuple(each for each in found if each is not None)


def _overdue(
    kind: DueKind, tried: Sequence[Attempt], schedule: Schedule, now: datetime, first_trace: datetime | None
) -> Overdue | None:
    due = asked_for(kind, schedule, now)
    if due is None or (first_trace is not None and due.at < first_trace):
        return None
    in_time = [attempt for attempt in tried if attempt.partition >= due.partition]
    if any(attempt.against is None for attempt in in_time):
        return None
    local = due.at.astimezone(ZoneInfo(schedule.timezone))
    was_due = f"{local:%Y-%m-%d %H:%M} ({schedule.timezone})"
    outcome = in_time[0].against if in_time else _NEVER_CAME[kind]
    sentence = f"{_subject(kind, due.partition)}, due at {was_due}, {outcome}."
    next_step = in_time[0].next_step if in_time else ""
    return Overdue(kind, due.partition, due.at, now - due.at, sentence, next_step)


_NEVER_CAME: dict[DueKind, str] = {
    "night": "was not taken",
    "week": "is not there",
    "quarter": "was not run",
    "year": "was not run",
}


def _subject(kind: DueKind, partition: date) -> str:
    if kind == "night":
        return f"The night of {partition}"
    if kind == "week":
        return f"The off-site copy of the week of {partition}"
    if kind == "quarter":
        return f"The restore drill of {quarter_name(partition)}"
    return f"The recovery exercise of {partition.year}"


def proof_overdue(
    tried: Sequence[Attempt], nights: Sequence[date], policy: Policy, now: datetime, *, wanted: bool
) -> Overdue | None:
    """The proof that should be there by now: of a night, or with one a week of any of the last seven nights.

    What is missing because its night is missing isn't told again.

    Args:
        tried: the proofs, newest first.
        nights: of which there are artifacts that their nights found sound.
        policy: the database's.
        now: the present, aware.
        wanted: whether a proof that couldn't be made counts at all.
    """
    allowed = timedelta(hours=policy.schedule.grace_hours, minutes=policy.proof.within_minutes)
    due = newest_due("night", policy.schedule, now - allowed)
    if policy.proof.every == "off" or due is None or all(night < due.partition for night in nights):
        return None
    first = due.partition - timedelta(days=6 if policy.proof.every == "week" else 0)
    in_time = [each for each in tried if each.partition >= first]
    if any(each.against is None for each in in_time):
        return None
    failed = next((each for each in in_time if each.failed), None)
    if not wanted and failed is None:
        return None
    told = failed or (in_time[0] if in_time else None)
    partition = told.partition if told else due.partition
    outcome = told.against if told else "was not made"
    sentence = f"The proof of the night of {partition} {outcome}."
    return Overdue("proof", partition, due.at, now - due.at, sentence, told.next_step if told else "")


def by_night(artifact: Manifest) -> Attempt:
    """How an artifact in the store counts for its night."""
    if artifact.sound:
        return Attempt(artifact.night, None)
    against = fatal(artifact.findings)[:_TOLD]
    found = ", ".join(f"{finding.code} ({finding.subject})" for finding in against)
    steps = " ".join(dict.fromkeys(finding.next_step for finding in against))
    return Attempt(artifact.night, f"was taken and failed its checks: {found}", steps)


def by_copy(artifact: Manifest, judgement: ArtifactJudgement) -> Attempt:
    """How an artifact off-site counts as the copy of its week.

    Args:
        artifact: its manifest.
        judgement: what is known of it there.
    """
    problem, step = None, ""
    if not artifact.sound:
        problem = f"is of an artifact that failed its checks ({artifact.artifact_id})"
    elif judgement.state == "damaged":
        # Copying it again repairs it. What else a drill found against it is the drill's to say.
        problem = f"does not count, because {judgement.sentence}; it is of {artifact.artifact_id}"
        step = f"`hackorda-ops copy {artifact.database} --artifact {artifact.artifact_id}` repairs it from the store."
    return Attempt(week_of(artifact.night), problem, step)


def by_drill(drill: DrillResult) -> Attempt:
    """How a drill counts for its quarter."""
    return _held(
        drill.quarter,
        drill.verdict,
        drill.started_at,
        drill.drill_id,
        but=beside_the_data(said(drill)),
        about=consequence_of(drill).headline if drill.verdict == "FAIL" else "",
        next_step=next_step(drill) or "",
    )


def by_proof(proof: NightProof) -> Attempt:
    """How a proof counts for its night."""
    if proof.error is not None:
        against = f"could not judge (ERROR): {proof.error.what.removesuffix('.')}"
        return Attempt(proof.night, against, proof.error.next_step)
    if proof.verdict == "FAIL":
        follows = consequence_of(proof)
        against = f"FAILED ({follows.headline}); it is proof {proof.proof_id}"
        return Attempt(proof.night, against, follows.next_step, failed=True)
    return Attempt(proof.night, None)


def by_exercise(exercise: ExerciseResult) -> Attempt:
    """How a recovery exercise counts for its year."""
    step = exercise.error.next_step if exercise.error else ""
    return _held(exercise.year, exercise.verdict, exercise.started_at, exercise.exercise_id, next_step=step)


def _held(
    partition: date,
    verdict: Verdict,
    at: datetime,
    held_id: str,
    *,
    but: str = "",
    about: str = "",
    next_step: str,
) -> Attempt:
    if verdict == "PASS":
        return Attempt(partition, None)
    failed = (
        f"FAILED, although its data came back ({but})" if but else f"FAILED ({about})" if about else "FAILED"
    )
    ended = failed if verdict == "FAIL" else "could not judge (ERROR)"
    return Attempt(partition, f"was run on {at:%Y-%m-%d} and {ended}; its report is {held_id}", next_step)
