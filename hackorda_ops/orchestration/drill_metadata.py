"""What the UI shows of a drill and of its report: numbers for plotting, tables, the report as Markdown."""

from typing import Final

import dagster as dg
from dagster import MetadataValue

from hackorda_ops.calendar.partitions import quarter_name
from hackorda_ops.drill.quarter import Quarter
from hackorda_ops.drill.result import DrillResult
from hackorda_ops.orchestration.metadata import ARTIFACT, SCHEMA, Metadata, of_findings

_TABLES_SHOWN: Final = 300


def of_drill(result: DrillResult) -> Metadata:
    """A drill: its verdict and its numbers."""
    shown: dict[str, MetadataValue] = {
        "quarter": MetadataValue.text(quarter_name(result.quarter)),
        "verdict": MetadataValue.text(result.verdict),
        "findings": MetadataValue.int(len(result.findings)),
        "found": of_findings(result.findings),
        "tables that differ": MetadataValue.int(sum(not table.equal for table in result.tables)),
        "comparison": _comparison(result),
        **{f"seconds: {stage.name}": MetadataValue.float(stage.seconds) for stage in result.stages},
    }
    if result.recovery_seconds is not None:
        shown["recovery seconds"] = MetadataValue.float(result.recovery_seconds)
    if result.data_loss_seconds is not None:
        shown["data loss seconds"] = MetadataValue.float(result.data_loss_seconds)
    if result.artifact is not None:
        shown |= {
            ARTIFACT: MetadataValue.text(result.artifact.artifact_id),
            "location": MetadataValue.path(result.artifact.location),
            "rows": MetadataValue.int(result.artifact.rows),
            "bytes": MetadataValue.int(result.artifact.size_bytes),
        }
        if result.artifact.schema_sha256 is not None:
            shown[SCHEMA] = MetadataValue.text(result.artifact.schema_sha256)
    if result.scratch is not None:
        shown["scratch"] = MetadataValue.text(result.scratch)
    return shown


def of_report(held: Quarter) -> Metadata:
    """A report: the Markdown itself, where the pages are, and the drill's numbers."""
    # pandas takes a second to load, which the code location's start should not wait for.
    from hackorda_ops.drill.report import markdown  # noqa: PLC0415

    pages = {f"page {number}": MetadataValue.path(page) for number, page in enumerate(held.pages, start=1)}
    return {
        "report": MetadataValue.md(markdown.document(held.result, held.past)),
        **pages,
        "not stored": MetadataValue.md("\n".join(f"- {line}" for line in held.not_stored) or "none"),
        **of_drill(held.result),
    }


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
            for table in differing_first[:_TABLES_SHOWN]
        ],
        schema=dg.TableSchema(
            columns=[
                dg.TableColumn("table", "string"),
                dg.TableColumn("in the manifest", "int", description="rows"),
                dg.TableColumn("restored", "int", description="rows; -1 where there's no such table"),
                dg.TableColumn("equal", "bool", description="rows and content digest"),
            ]
        ),
    )
