"""What people have to set up once, and keep up: the policy's own checklist, which ticks itself."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from hackorda_ops.calendar.due import DueKind
from hackorda_ops.cutover.state import load
from hackorda_ops.doctor.answer import Answer, of_looked
from hackorda_ops.doctor.patient import Patient
from hackorda_ops.histories.registry import traits_of
from hackorda_ops.history import window
from hackorda_ops.words import duration, moment

_MISSING: Final[Mapping[DueKind, str]] = {
    "night": "hackorda-ops dump",
    "week": "hackorda-ops copy",
    "quarter": "hackorda-ops drill",
    "year": "hackorda-ops exercise",
}


def instance(patient: Patient) -> Answer:
    """Whether the database's server answers, encrypted, and with clients of its version."""
    found = [each for each in patient.parts if each.part == "source"]
    return of_looked(found[0]) if found else Answer("unknown", "The source was not looked at.")


def provider_backups(patient: Patient) -> Answer:
    """Whether the provider keeps a past of the database, as far back as the policy says."""
    policy = patient.protected.policy
    days = policy.objectives.history_days
    if not policy.keeps_history:
        return Answer(
            "unknown",
            "No history of the source is configured, so nobody can be asked for the provider's own backups.",
            f"Turn on daily backups and point-in-time recovery there, at least {days:g} days of it. Where Neon or "
            "Barman keeps the history, name it in databases.yaml (history): then this is checked.",
        )
    seen = window.compared(patient.reach, days)
    if window.long_enough(patient.reach, days):
        return Answer("ok", seen)
    return Answer(
        "problem", seen, f"{traits_of(patient.protected).lengthen}, or change objectives.history_days."
    )


def due(kind: DueKind) -> Callable[[Patient], Answer]:
    """Whether what is due of a kind is there."""

    def answer(patient: Patient) -> Answer:
        return _due(patient, kind)

    return answer


def _due(patient: Patient, kind: DueKind) -> Answer:
    if kind == "year" and not patient.protected.policy.keeps_history:
        return Answer("none", "Without a history there is nothing to recover from in an exercise.")
    ready = patient.readiness
    standing = ready.standing
    command = f"{_MISSING[kind]} {patient.protected.name}"
    overdue = [each for each in standing.overdue if each.kind == kind]
    if overdue:
        return Answer("problem", overdue[0].sentence, overdue[0].next_step or f"Run `{command}`.")
    if kind not in standing.judged:
        why = " ".join(standing.unreadable or standing.problems) or "It wasn't looked at."
        return Answer("unknown", why, "Make the place readable, then ask again.")
    asked = [each for each in ready.asked if each.kind == kind]
    if not asked:
        return Answer("none", "The policy doesn't ask for it.")
    newest = asked[0].newest_at
    if newest is None:
        return Answer("attention", "There is none yet; it isn't overdue.", f"Run `{command}` once by hand.")
    return Answer(
        "ok", f"the newest is of {moment(newest)}, {duration((ready.at - newest).total_seconds())} ago"
    )


def drill(patient: Patient) -> Answer:
    """Whether the last drill passed, and the next isn't overdue."""
    last = patient.readiness.standing.last_drill
    if last is not None and last.verdict != "PASS":
        return Answer(
            "problem",
            f"The last drill, {last.drill_id}, said {last.verdict}.",
            last.next_step
            or f"Look at its report, then run `hackorda-ops drill {patient.protected.name}` again.",
        )
    return _due(patient, "quarter")


def cutover(patient: Patient) -> Answer:
    """How far a move to another server has got, where one is configured."""
    protected = patient.protected
    if protected.policy.cutover is None:
        return Answer("none", "No cutover is configured: the database stays where it is.")
    state = load(protected)
    if state is None:
        return Answer(
            "attention",
            "A cutover is configured, and has not begun on this machine.",
            f"Rehearse it: `hackorda-ops cutover rehearse {protected.name}`; docs/cutover.md has the rest. Remove the "
            "section cutover where it was done elsewhere.",
        )
    if state.next_step is None:
        return Answer(
            "ok", f"finished at {moment(max(each.at for each in state.done))}: the database is {state.target}"
        )
    return Answer(
        "problem",
        f"The cutover to {state.target} has stopped before its step {state.next_step}.",
        f"`hackorda-ops cutover run {protected.name}` continues it, `cutover status` says where it stands.",
    )


def readiness(patient: Patient) -> Answer:
    """The one word that `status` has."""
    judged = patient.readiness.judgement
    if judged.word == "OK":
        return Answer("ok", "could be recovered right now")
    return Answer(
        "unknown" if judged.word == "UNKNOWN" else "attention" if judged.word == "AT RISK" else "problem",
        f"{judged.word}: {' '.join(judged.reasons)}",
        judged.next_step,
    )


def parts(patient: Patient) -> Iterator[tuple[str, Answer]]:
    """What a preflight sees, part by part."""
    for part in patient.parts:
        yield part.part, of_looked(part)


def server(patient: Patient) -> Iterator[tuple[str, Answer]]:
    """What the engine sees of the live server, part by part."""
    for part in patient.server:
        yield part.part, of_looked(part)
