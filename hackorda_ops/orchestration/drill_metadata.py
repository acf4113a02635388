"""What the UI shows of a drill and its report: see `metadata`."""

import dagster as dg
from dagster import MetadataValue

from hackorda_ops.calendar.partitions import quarter_name
from hackorda_ops.drill.consequences import marked_verdict
from hackorda_ops.drill.quarter import Quarter
from hackorda_ops.drill.report.words import data_loss_seconds, table_outcome
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.markdown import table
from hackorda_ops.orchestration.metadata import (
    ARTIFACT,
    DRILL,
    SCHEMA,
    TABLES_SHOWN,
    Metadata,
    lines_of,
    of_findings,
    of_receipt,
    of_table,
)


def of_drill(result: DrillResult) -> Metadata:
    """A drill: its verdict and its numbers."""
    shown: dict[str, MetadataValue] = {
        DRILL: MetadataValue.text(result.drill_id),
        "quarter": MetadataValue.text(quarter_name(result.quarter)),
        "verdict": MetadataValue.text(result.verdict),
        "findings": MetadataValue.int(len(result.findings)),
        "found": of_findings(result.findings),
        "tables that differ": MetadataValue.int(
            sum(table_outcome(result, table) in ("differs", "missing") for table in result.tables)
        ),
        "comparison": _comparison(result),
        **{f"seconds: {stage.name}": MetadataValue.float(stage.seconds) for stage in result.stages},
    }
    if result.recovery_seconds is not None:
        shown["recovery seconds"] = MetadataValue.float(result.recovery_seconds)
    if (lost := data_loss_seconds(result)) is not None:
        shown["data loss seconds"] = MetadataValue.float(lost)
    if result.artifact is not None:
        shown |= {
            ARTIFACT: MetadataValue.text(result.artifact.artifact_id),
            "location": MetadataValue.path(result.artifact.location),
            **of_table(result.artifact.rows, result.artifact.location),
            "rows": MetadataValue.int(result.artifact.rows),
            "bytes": MetadataValue.int(result.artifact.size_bytes),
        }
        if result.artifact.schema_sha256 is not None:
            shown[SCHEMA] = MetadataValue.text(result.artifact.schema_sha256)
    if result.scratch is not None:
        shown["scratch"] = MetadataValue.text(result.scratch)
    return shown


def of_report(held: Quarter, where: Metadata) -> Metadata:
    """A report: the Markdown itself, where the pages are, and the drill's numbers.

    Args:
        held: the drill.
        where: its pages, and a link.
    """
    return {
        **where,
        "report": _text_of(held),
        "not stored": MetadataValue.md("\n".join(f"- {line}" for line in held.not_stored) or "none"),
        **of_drill(held.result),
        **of_receipt(held.receipt),
    }


def _text_of(held: Quarter) -> MetadataValue:
    # pandas takes a second to load, which the code location's start should not wait for.
    from hackorda_ops.drill.report import markdown  # noqa: PLC0415

    return MetadataValue.md(markdown.document(held.result, held.past))


def of_failed(held: Quarter, where: Metadata) -> Metadata:
    """What the failure of a drill shows beside its cause: the verdict, what failed, and where its report is.

    Args:
        held: the drill.
        where: its pages, and a link.
    """
    result = held.result
    failed = [f"{check.name}: {check.summary}" for check in result.checks if check.outcome == "failed"]
    artifact = {} if result.artifact is None else {ARTIFACT: MetadataValue.text(result.artifact.artifact_id)}
    return {
        "verdict": MetadataValue.text(result.verdict),
        "failed checks": lines_of(failed),
        **artifact,
        **where,
        **_run(result),
    }


def of_verdict(held: Quarter, where: Metadata) -> Metadata:
    """What the verdict's check shows: every check with what came of it, and the report itself.

    Args:
        held: the drill.
        where: the report's pages, and a link.
    """
    result = held.result
    outcomes = [(check.name, check.outcome, check.summary) for check in result.checks]
    return {
        "verdict": MetadataValue.text(marked_verdict(result)),
        "checks": MetadataValue.md(table(("Check", "Outcome", "What was seen"), outcomes)),
        **where,
        "report": _text_of(held),
        **_run(result),
    }


def _run(result: DrillResult) -> Metadata:
    if result.run is None:
        return {}
    known = result.run.startswith(("https://", "http://"))
    return {"run": MetadataValue.url(result.run) if known else MetadataValue.text(result.run)}


def _comparison(result: DrillResult) -> MetadataValue:
    differing_first = sorted(
        result.tables, key=lambda table: (table.equal, -table.expected_rows, table.table)
    )
    return MetadataValue.table(
        records=[
            dg.TableRecord(
                {
                    "table": table.table,
                    "in the manifest": table.expected_rows,
                    "restored": -1 if table.restored_rows is None else table.restored_rows,
                    "equal": table.equal,
                }
            )
            for table in differing_first[:TABLES_SHOWN]
        ],
        schema=dg.TableSchema(
            columns=[
                dg.TableColumn("table", "string"),
                dg.TableColumn("in the manifest", "int", description="rows"),
                dg.TableColumn("restored", "int", description="rows; -1 where none were read"),
                dg.TableColumn("equal", "bool", description="rows and content digest"),
            ]
        ),
    )
