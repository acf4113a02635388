"""The words of a report: what a verdict means, what a check is called.

All pure, and shared by the page and the Markdown, so that they never disagree.
"""

import re
from typing import Final, Literal

from hackorda_ops.drill import judgement
from hackorda_ops.drill.by_hand import must_not_be_restored, needs_another
from hackorda_ops.drill.checks import registry
from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.drilling import within_recovery_time_objective
from hackorda_ops.drilling.declaration import RESTORED
from hackorda_ops.drilling.result import ByHand, DrillResult, TableResult
from hackorda_ops.engines.registry import ENGINES
from hackorda_ops.finding_kinds import KINDS, UNKNOWN
from hackorda_ops.findings import fatal
from hackorda_ops.migrations.result import MigrationResult
from hackorda_ops.proof import check
from hackorda_ops.proof.check import Check, Outcome
from hackorda_ops.words import counted, duration, moment, named

_NOT_PASSED: Final[tuple[tuple[str, Outcome], ...]] = (
    ("Not met", "failed"),
    ("Not reached", "not reached"),
    ("Not measured", "not measured"),
)
# What can be a link in Markdown, too, whoever wrote it.
_URL: Final = re.compile(r"https?://[^\s<>()\[\]\"'`|\\]+")
# Findings that say that a table, or a group of keys, isn't there at all.
_GONE: Final = frozenset({"table missing", "keys missing"})
TIME: Final = within_recovery_time_objective.CHECK.name
TableOutcome = Literal["equal", "differs", "missing", "differs, no finding", "not read", "not reached"]


def meaning(result: DrillResult) -> str:
    """A few sentences, for somebody who reads nothing else."""
    if result.verdict == "PASS":
        return f"{_passed(result)}{_reservations(result)}"
    if result.verdict == "ERROR":
        why = f" {result.error.what}" if result.error else ""
        return f"{_unjudged(result)}{why}"
    follows = consequence_of(result)
    if against := fatal(result.findings):
        first = against[0]
        more = f", and {counted(len(against) - 1, 'more finding')}" if len(against) > 1 else ""
        return f"{follows.meaning} Found: {first.code} ({first.subject}){more}."
    return f"{follows.meaning} Not met: {_titles(result, 'failed')}."


def next_step(result: DrillResult) -> str | None:
    """What to do first; None after a PASS."""
    if result.verdict != "FAIL":
        return result.error.next_step if result.error else None
    step = consequence_of(result).next_step
    instead = result.instead
    if instead is not None:
        return (
            f"{step} To restore until then: {instead.artifact_id} from {instead.location} ({instead.known})."
        )
    return (
        f"{step} What to restore until then: see `hackorda-ops backups`." if needs_another(result) else step
    )


def data_loss_seconds(result: DrillResult) -> float | None:
    """What a lost source would have cost; None where that isn't known, or would count from a backup that failed."""
    return None if must_not_be_restored(result) else result.data_loss_seconds


def proven(result: DrillResult) -> bool:
    """Whether the artifact's data came back: only then does what it would lose mean anything."""
    return outcome_of(result, RESTORED) == "passed" and not must_not_be_restored(result)


def why_no_data_loss(result: DrillResult) -> str:
    """What stands in the place of the data loss where it is None."""
    return "not counted" if must_not_be_restored(result) else "not reached"


def why_no_recovery_time(result: DrillResult) -> str:
    """What stands in the place of the recovery time where it is None: what came of its check."""
    outcome = outcome_of(result, TIME)
    return "not measured" if outcome in (None, "passed", "failed") else outcome


def by_hand_title(result: DrillResult) -> str:
    """What the commands of a report are for: to restore what was drilled, or another one instead."""
    if needs_another(result):
        return "To restore another backup by hand"
    return "To repeat the restore by hand"


def run_url(result: DrillResult) -> str | None:
    """The link to the run that drilled; None where there is none, or only its id is known."""
    return result.run if result.run and _URL.fullmatch(result.run) else None


def by_hand(result: DrillResult) -> tuple[ByHand, ...]:
    """What a recovery would still need by hand: of the artifact that can be restored, if there is one."""
    return () if needs_another(result) and result.instead is None else result.by_hand


def outcome_of(result: DrillResult, name: str) -> Outcome | None:
    """What came of a check; None where a drill of this kind of database has none of that name."""
    return next((each.outcome for each in all_checks(result) if each.name == name), None)


def ended_early(result: DrillResult) -> bool:
    """Whether there are checks that the drill did not get to."""
    return any(each.outcome == "not reached" for each in all_checks(result))


def server(result: DrillResult) -> str:
    """What the source's server is, with its version."""
    engine, version = ENGINES.get(result.engine), result.artifact.server_version if result.artifact else ""
    return f"{engine.name if engine else result.engine} {version}".rstrip()


def outcomes(result: DrillResult) -> str:
    """How many checks did not pass, by what came of them: "1 failed, 3 not reached, 2 not measured"."""
    every = [each.outcome for each in all_checks(result)]
    return ", ".join(f"{every.count(name)} {name}" for name in ("failed", "not reached", "not measured"))


def _passed(result: DrillResult) -> str:
    as_of = f" of {moment(result.artifact.captured_at)}" if result.artifact else ""
    came_back = " ".join(each.summary for each in result.checks if each.name == RESTORED)
    return f"This backup works: it was restored from the off-site copy{as_of}. {came_back}".rstrip()


def _unjudged(result: DrillResult) -> str:
    if result.artifact is None:
        return "The drill could not judge any backup."
    every = all_checks(result)
    passed = sum(each.outcome == "passed" for each in every)
    return (
        f"The drill could not judge this backup: {passed} of {len(every)} checks passed, and nothing was found "
        "against it."
    )


def _reservations(result: DrillResult) -> str:
    said = [
        f" {introduction}: {titles}."
        for introduction, outcome in _NOT_PASSED
        if (titles := _titles(result, outcome))
    ]
    warnings = counted(len(result.findings), "warning")
    return "".join(said) + (f" With {warnings}, below." if result.findings else "")


def _titles(result: DrillResult, outcome: Outcome) -> str:
    titles = (title_of(each) for each in all_checks(result) if each.outcome == outcome)
    return "; ".join(title[0].lower() + title[1:] for title in titles)


def all_checks(result: DrillResult) -> tuple[Check, ...]:
    """Every check in its usual order, those that this release doesn't know at the end."""
    return judgement.complete(result.checks, result.engine)


def title_of(made: Check) -> str:
    """What a report calls a check, also one that only another release knows."""
    return check.title_of(made.name, registry.all_checks())


def table_outcome(result: DrillResult, table: TableResult) -> TableOutcome:
    """What became of one table.

    A partition whose rows came back in a sibling differs, and is no finding where all the partitions
    together agree; it mustn't look like the failure that it isn't, nor like equality.
    """
    if table.equal:
        return "equal"
    against = {each.code for each in fatal(result.findings) if each.subject == table.table}
    if table.restored_rows is None:
        # What nobody looked at isn't missing.
        if against & _GONE:
            return "missing"
        return "not reached" if outcome_of(result, RESTORED) == "not reached" else "not read"
    differs = any(KINDS.get(code, UNKNOWN).about in ("rows", "copy") for code in against)
    return "differs" if differs else "differs, no finding"


def tables_equal(result: DrillResult) -> str:
    """How many tables came back equal, or why none was read."""
    if any(each.restored_rows is not None for each in result.tables):
        equal = sum(each.equal for each in result.tables)
        return f"{equal:,} of {len(result.tables):,}"
    outcome = outcome_of(result, RESTORED)
    return outcome if outcome in ("not reached", "not measured") else "none read"


def pending(names: tuple[str, ...] | None, reasons: tuple[str, ...] = ()) -> str:
    """Pending migrations, by name: a few of many; or why they are not known.

    Args:
        names: of the migrations; None where nobody could tell.
        reasons: why it isn't known of some (`MigrationResult.not_measured`).
    """
    because = named(reasons, shown=3, between="; ") or "no matching folder of migrations was found"
    if names is None:
        return f"not measured, because {because}"
    return (named(names) or "none") + (f"; of others not measured, because {because}" if reasons else "")


def schema_change(run: MigrationResult) -> str:
    """Whether the migrations changed the schema, which can be seen whatever the tool."""
    return {None: "not compared", True: "changed", False: "the same as before"}[run.schema_changed]


def branch_words(run: MigrationResult) -> str:
    """What the migrations did on the branch itself, in a sentence."""
    ended = "succeeded" if run.returncode == 0 else f"failed with exit code {run.returncode}"
    applied = "an unknown number" if run.applied is None else f"{run.applied:,}"
    return (
        f"On the branch itself, {run.command} {ended} after {duration(run.seconds)}; applied: {applied}; "
        f"now {run.after or 'no known migration table'}."
    )


def recovery_time(result: DrillResult) -> str:
    """How long the recovery took, or why that is not known."""
    seconds = result.recovery_seconds
    return why_no_recovery_time(result) if seconds is None else duration(seconds)


def in_the_log(result: DrillResult) -> str:
    """A drill's sentence in the operations log: the backup, what came back of it, how long that took."""
    artifact = result.artifact
    if artifact is None:
        return f"No backup was restored. {result.error.what if result.error else ''} Drill {result.drill_id}."
    if result.key_tables:
        rows = ", ".join(f"{each.table} {each.restored_rows:,}" for each in result.key_tables)
    else:
        rows = f"{artifact.rows:,} in all tables of the backup"
    return (
        f"Backup of {moment(artifact.captured_at)} ({artifact.artifact_id}); rows: {rows}; "
        f"recovery time: {recovery_time(result)}; drill {result.drill_id}."
    )
