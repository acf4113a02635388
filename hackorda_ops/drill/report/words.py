"""The words of a report: what a verdict means, what a check is called.

All pure, and shared by the page and the Markdown, so that they never disagree.
"""

from collections.abc import Sequence
from typing import Final, Literal

from hackorda_ops.drill import judgement
from hackorda_ops.drill.by_hand import must_not_be_restored
from hackorda_ops.drill.causes import causes
from hackorda_ops.drill.checks import offsite_equals_manifest, registry
from hackorda_ops.drill.consequences import CONSEQUENCES, consequence_of
from hackorda_ops.drilling.declaration import SELF_TEST
from hackorda_ops.drilling.result import DrillResult, TableResult
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.migrations.result import MigrationResult
from hackorda_ops.proof import check
from hackorda_ops.proof.check import Check, Outcome
from hackorda_ops.words import counted, duration, moment, named

_TOLD_AS_COMPARED: Final = (offsite_equals_manifest.CHECK.name, SELF_TEST)
TableOutcome = Literal["equal", "differs", "missing", "differs, no finding", "not read"]


def meaning(result: DrillResult) -> str:
    """One sentence, or two, for somebody who reads nothing else."""
    if result.verdict == "PASS":
        return f"{_passed(result)}{_reservations(result)}"
    if result.verdict == "ERROR":
        why = f" {result.error.what}" if result.error else ""
        found = "this backup" if result.artifact else "any backup"
        return f"The drill could not judge {found}: nothing is proven or disproven.{why}"
    if against := fatal(result.findings):
        first = against[0]
        more = f", and {counted(len(against) - 1, 'more finding')}" if len(against) > 1 else ""
        return f"{reliance(against)} Found: {first.code} ({first.subject}){more}."
    failed = _titles(result, "failed")
    return f"Do not rely on this backup. Not met: {failed}."


def reliance(against: Sequence[Finding]) -> str:
    """What fatal findings say of the backup itself, in a sentence. Pure."""
    about = causes(against)
    return CONSEQUENCES[about[0]].meaning if about else "Do not rely on this backup."


def next_step(result: DrillResult) -> str | None:
    """What to do first; None after a PASS."""
    if result.verdict == "FAIL":
        return consequence_of(result).next_step
    return result.error.next_step if result.error else None


def data_loss_seconds(result: DrillResult) -> float | None:
    """What a lost source would have cost; None where that isn't known, or would count from a backup that failed."""
    return None if must_not_be_restored(result) else result.data_loss_seconds


def by_hand_title(result: DrillResult) -> str:
    """What the commands of a report are for: to restore what was drilled, or another one instead."""
    if must_not_be_restored(result):
        return "To restore another backup by hand"
    return "To repeat the restore by hand"


def _passed(result: DrillResult) -> str:
    rows = sum(table.expected_rows for table in result.tables)
    came_back = f"its {counted(rows, 'row')} in {counted(len(result.tables), 'table')} came back"
    as_of = f" as of {moment(result.artifact.captured_at)}" if result.artifact else ""
    return f"This backup works: it was restored from the off-site copy, and {came_back} exactly{as_of}."


def _reservations(result: DrillResult) -> str:
    failed, unreached, unmeasured = (
        _titles(result, outcome) for outcome in ("failed", "not reached", "not measured")
    )
    warnings = counted(len(result.findings), "warning")
    return (
        (f" Not met: {failed}." if failed else "")
        + (f" Not reached: {unreached}." if unreached else "")
        + (f" Not measured: {unmeasured}." if unmeasured else "")
        + (f" With {warnings}, below." if result.findings else "")
    )


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
    found = any(finding.subject == table.table for finding in fatal(result.findings))
    if table.restored_rows is None:
        return "missing" if found else "not read"
    return "differs" if found else "differs, no finding"


def compared(result: DrillResult) -> tuple[str, ...]:
    """What the drill did compare, a sentence each."""
    restored = [table for table in result.tables if table.restored_rows is not None]
    branch = [table for table in result.tables if table.branch_rows is not None]
    migrated = [table for table in result.tables if table.migrated_rows is not None]
    sentences = []
    if restored:
        rows = sum(table.expected_rows for table in restored)
        sentences.append(
            f"Restored tables against the manifest: {len(restored):,} of {len(result.tables):,} "
            f"({counted(rows, 'row')}), by number of rows and by a digest of every row's content."
        )
    if result.sequences_compared:
        sequences = counted(result.sequences_compared, "sequence")
        sentences.append(f"{sequences} against the manifest: the value, and whether it was used.")
    if branch:
        sentences.append(
            f"{counted(len(branch), 'table')} of the provider's branch at the artifact's WAL position, "
            "by the same rows and digests."
        )
    if result.key_tables:
        sentences.append(f"{counted(len(result.key_tables), 'key table')} against production, read-only.")
    if migrated:
        sentences.append(f"Rows counted again after the migrations: {counted(len(migrated), 'table')}.")
    sentences.extend(
        f"{title_of(each)}: {each.summary}"
        for each in result.checks
        if each.name in _TOLD_AS_COMPARED and each.made
    )
    return tuple(sentences)


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


def in_the_log(result: DrillResult) -> str:
    """A drill's sentence in the operations log: the backup, what came back of it, how long that took."""
    artifact = result.artifact
    if artifact is None:
        return f"No backup was found. {result.error.what if result.error else ''} Drill {result.drill_id}."
    if result.key_tables:
        rows = ", ".join(f"{each.table} {each.restored_rows:,}" for each in result.key_tables)
    else:
        rows = f"{artifact.rows:,} in all tables of the backup"
    took = "not measured" if result.recovery_seconds is None else duration(result.recovery_seconds)
    return (
        f"Backup of {moment(artifact.captured_at)} ({artifact.artifact_id}); rows: {rows}; "
        f"recovery time: {took}; drill {result.drill_id}."
    )
