"""A drill as Markdown: for Dagster, a pull request, a ticket, or a terminal."""

from collections.abc import Iterable, Sequence
from textwrap import indent

from hackorda_ops.calendar.partitions import quarter_name
from hackorda_ops.drill.consequences import marked_verdict
from hackorda_ops.drill.report import frames
from hackorda_ops.drill.report.compared import compared
from hackorda_ops.drill.report.words import (
    all_checks,
    branch_words,
    by_hand,
    by_hand_title,
    data_loss_seconds,
    ended_early,
    meaning,
    next_step,
    pending,
    recovery_time,
    run_url,
    schema_change,
    server,
    title_of,
    why_no_data_loss,
)
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.markdown import escaped, fenced, table
from hackorda_ops.words import NOTHING, counted, duration, moment, size

# Markdown is read in full, in a window that is often small; the CSV next to it has every table.
TABLES_SHOWN = 100
_UNKNOWN = "not measured"


def document(result: DrillResult, past: Sequence[DrillResult]) -> str:
    """The whole text.

    Args:
        result: the drill.
        past: other drills of the same database, for the trend, in any order.
    """
    sections = (
        f"# {result.verdict}: restore drill {quarter_name(result.quarter)} of {escaped(result.database)}",
        f"**{marked_verdict(result)}**" if result.verdict == "FAIL" else "",
        escaped(meaning(result)),
        _error(result),
        _section("Findings", _findings(result)),
        _section("Checks", _checks(result)),
        _section("The backup", _artifact(result)),
        _section("Compared", _compared(result) or "Nothing."),
        _section("Not compared", _list(f"{each.what}: {each.why}" for each in result.not_compared)),
        _section("Times", _times(result)),
        _section("Key tables against production", _key_tables(result)),
        _section("Migrations", _migrations(result)),
        _section("Drills", _trend(result, past)),
        _section(by_hand_title(result), fenced(result.how_to_repeat)),
        _section("What a real recovery would still need by hand", _by_hand(result)),
        _section("Tables", _tables(result)),
        _section("Warnings", _list(result.warnings)),
        f"Drill {result.drill_id}, {moment(result.started_at)} to {moment(result.finished_at)}, "
        f"by hackorda\\_ops {escaped(result.product_version)}{_run(result)}.",
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _run(result: DrillResult) -> str:
    if url := run_url(result):
        return f", [in this run](<{url}>)"
    return f", in the run {escaped(result.run)}" if result.run else ""


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body else ""


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {escaped(line)}" for line in lines)


def _error(result: DrillResult) -> str:
    if result.error is None:
        step = next_step(result)
        return _list((f"Next step: {step}",)) if step else ""
    return _list((f"What it means: {result.error.meaning}", f"Next step: {result.error.next_step}"))


def _findings(result: DrillResult) -> str:
    return "\n".join(
        f"- **{escaped(finding.code)}: {escaped(finding.subject)}** ({finding.severity})\n"
        f"  - expected: {escaped(finding.expected)}\n"
        f"  - observed: {_line_or_block(finding.observed)}\n"
        f"  - what it means: {escaped(finding.meaning)}\n"
        f"  - next step: {escaped(finding.next_step)}"
        for finding in result.findings
    ) or ("None, as far as the drill got." if result.error or ended_early(result) else "None.")


def _line_or_block(text: str) -> str:
    """Inside of a list's item: a line as text, several lines (the diff of a definition) as they are."""
    return f"\n\n{indent(fenced(text), '    ')}\n" if "\n" in text else escaped(text)


def _checks(result: DrillResult) -> str:
    return table(
        ("Outcome", "Check", "What it saw"),
        ((check.outcome, title_of(check), check.summary) for check in all_checks(result)),
    )


def _artifact(result: DrillResult) -> str:
    artifact = result.artifact
    if artifact is None:
        return "No artifact was chosen, so nothing was restored."
    return _list(
        (
            f"{artifact.artifact_id} from {artifact.location}",
            f"taken {moment(artifact.captured_at)} at {artifact.lsn}, for the night of {artifact.night}",
            f"{artifact.rows:,} rows in {artifact.tables:,} tables, {size(artifact.size_bytes)}, "
            f"{server(result)}",
            f"scratch: {result.scratch or 'none'}",
        )
    )


def _compared(result: DrillResult) -> str:
    return _list(
        f"{each.outcome}: {each.sentence}" if each.outcome else each.sentence for each in compared(result)
    )


def _data_loss(result: DrillResult) -> str:
    seconds = data_loss_seconds(result)
    return why_no_data_loss(result) if seconds is None else duration(seconds)


def _times(result: DrillResult) -> str:
    objectives = table(
        ("", "Measured#", "Objective#"),
        (
            ("Recovery time", recovery_time(result), duration(result.recovery_objective_seconds)),
            ("Data loss", _data_loss(result), duration(result.recovery_point_objective_seconds)),
        ),
    )
    if not result.stages:
        return objectives
    stages = table(
        ("Stage", "Time#", "In recovery time"),
        (
            (stage.name, duration(stage.seconds), "yes" if stage.in_recovery else "no")
            for stage in result.stages
        ),
    )
    return f"{objectives}\n\n{stages}"


def _key_tables(result: DrillResult) -> str:
    if not result.key_tables:
        return ""
    return table(
        (
            "Table",
            "Restored rows#",
            "Production rows#",
            "Drift#",
            "Allowed#",
            "Newest restored",
            "Newest in production",
        ),
        (
            (
                each.table,
                f"{each.restored_rows:,}",
                f"{each.production_rows:,}",
                NOTHING if each.drift_percent is None else f"{each.drift_percent:+.1f} %",
                f"{each.allowed_percent:.1f} %"
                if each.allowed_rows is None
                else counted(each.allowed_rows, "row"),
                NOTHING if each.newest_restored is None else moment(each.newest_restored),
                NOTHING if each.newest_production is None else moment(each.newest_production),
            )
            for each in result.key_tables
        ),
    )


def _migrations(result: DrillResult) -> str:
    run = result.migration
    if run is None:
        return ""
    lines = _list(
        (
            f"{run.command}: exit code {run.returncode} after {duration(run.seconds)}",
            f"before: {run.before or 'no known migration table'}",
            f"after: {run.after or 'no known migration table'}",
            f"applied: {'not known' if run.applied is None else run.applied}",
            f"pending before: {pending(run.pending_before, run.not_measured)}",
            f"pending after: {pending(run.pending_after, run.not_measured)}",
            f"schema: {schema_change(run)}",
        )
    )
    output = fenced(run.output_tail)
    shown = f"{lines}\n\n{output}" if output else lines
    tried = result.branch_migration
    if tried is None:
        return shown
    on_branch = fenced(tried.output_tail) if tried.returncode else ""
    return "\n\n".join(filter(None, (shown, escaped(branch_words(tried)), on_branch)))


def _trend(result: DrillResult, past: Sequence[DrillResult]) -> str:
    drills = frames.records(frames.trend(result, past))
    return table(
        ("Quarter", "Begun", "Verdict", "Findings#", "Recovery time#", "Rows#", "Size#"),
        (
            (
                drill["quarter"],
                moment(drill["started_at"]),
                drill["verdict"],
                f"{drill['findings']:,}",
                _UNKNOWN if drill["recovery_seconds"] is None else duration(drill["recovery_seconds"]),
                NOTHING if drill["rows"] is None else f"{drill['rows']:,}",
                NOTHING if drill["size_bytes"] is None else size(drill["size_bytes"]),
            )
            for drill in reversed(drills)
        ),
    )


def _by_hand(result: DrillResult) -> str:
    return "\n".join(
        f"- {escaped(each.what)}" + _in_item("\n".join(each.commands)) for each in by_hand(result)
    ).rstrip()


def _in_item(text: str) -> str:
    return f"\n\n{indent(fenced(text), '  ')}\n" if text else ""


def _tables(result: DrillResult) -> str:
    if not result.tables:
        return ""
    shown = table(
        ("Table", "Came back", "Rows in the backup#", "Restored#", "After migrations#", "On the branch#"),
        (
            (
                each["table"],
                each["outcome"],
                *(
                    NOTHING if each[column] is None else f"{each[column]:,}"
                    for column in ("expected_rows", "restored_rows", "migrated_rows", "branch_rows")
                ),
            )
            for each in frames.records(frames.comparison(result).head(TABLES_SHOWN))
        ),
    )
    more = len(result.tables) - TABLES_SHOWN
    return f"{shown}\n\n{more:,} more in comparison.csv." if more > 0 else shown
