"""What the UI shows of a result: values of the core turned into Dagster's metadata, with no decisions made.

Numbers stay numbers, because the UI plots them over time and over partitions.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import dagster as dg
from dagster import MetadataValue

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.calendar.partitions import quarter_name
from hackorda_ops.drill.quarter import Quarter
from hackorda_ops.drill.result import DrillResult
from hackorda_ops.findings import Finding
from hackorda_ops.night.night import Night
from hackorda_ops.postgres.catalogs.inventory import Inventory
from hackorda_ops.postgres.catalogs.migration_state import migration_words
from hackorda_ops.week.week import Week
from hackorda_ops.words import moment, shortened

Metadata = Mapping[str, MetadataValue]

# Events stay in Dagster's own database for more than a year; the manifest has all the tables.
_TABLES_SHOWN: Final = 300
_FINDINGS_SHOWN: Final = 100
_LINES_SHOWN: Final = 50
_DUMPED_FROM: Final = "dumped from"
_THE_SOURCE: Final = "the source"
ARTIFACT: Final = "artifact"
SCHEMA: Final = "schema digest"


def of_source(inventory: Inventory, schema_sha256: str) -> Metadata:
    """A look at the source: version, size, schema, tables. `inventory` need not have its rows counted."""
    source = inventory.source
    extensions = ", ".join(f"{extension.name} {extension.version}" for extension in inventory.extensions)
    return {
        "server version": MetadataValue.text(source.server_version),
        "size in bytes": MetadataValue.int(inventory.size_bytes),
        "tables": MetadataValue.int(len(inventory.tables)),
        SCHEMA: MetadataValue.text(schema_sha256),
        "database": MetadataValue.text(f"{source.database} on {source.host}:{source.port}"),
        "extensions": MetadataValue.text(extensions or "none"),
        "warnings": _list(inventory.warnings),
    }


def of_night(night: Night) -> Metadata:
    """A night: where its artifact is, and its numbers."""
    manifest = night.manifest
    return {
        **_of_artifact(manifest, night.location),
        "rows": MetadataValue.int(manifest.rows),
        "bytes": MetadataValue.int(manifest.size_bytes),
        "source size in bytes": MetadataValue.int(manifest.inventory.size_bytes),
        "tables": MetadataValue.int(len(manifest.tables)),
        "files": MetadataValue.int(len(manifest.files)),
        **{
            f"seconds: {stage}": MetadataValue.float(seconds)
            for stage, seconds in manifest.timings_seconds.items()
        },
        **_of_burden(manifest),
        "row counts": row_counts(manifest),
        **_values_of_the_source(manifest),
        "compared with": MetadataValue.text(night.compared_with or "nothing: this is the first artifact"),
        "warnings": _list(manifest.warnings),
        "manifest": MetadataValue.json(_summary(manifest)),
    }


def _of_burden(manifest: Manifest) -> Metadata:
    if manifest.burden is None:
        return {}
    return {
        "attempts": MetadataValue.int(manifest.burden.attempts),
        "longest wait it caused in seconds": MetadataValue.float(manifest.burden.longest_wait_seconds),
        "oldest xmin it held in seconds": MetadataValue.float(manifest.burden.xmin_held_seconds),
        "connections it took": MetadataValue.int(manifest.burden.connections),
    }


def _values_of_the_source(manifest: Manifest) -> Metadata:
    values = manifest.source_values
    if values is None:
        return {}
    compared = [each for each in values.tables if each.compared_at is not None]
    longest_ago = min(compared, key=lambda each: each.waiting_since, default=None)
    return {
        "values compared with the source": MetadataValue.int(len(values.compared_in(manifest.captured_at))),
        "values never compared with the source": MetadataValue.int(len(values.never_compared)),
        "longest since values were compared": MetadataValue.text(
            "none was compared yet"
            if longest_ago is None
            else f"{longest_ago.table}, {moment(longest_ago.waiting_since)}"
        ),
        "seconds: values of the source": MetadataValue.float(values.spent_seconds),
    }


def of_week(week: Week) -> Metadata:
    """A week: where the copy is, and its numbers."""
    return {
        **_of_artifact(week.manifest, week.location),
        "rows": MetadataValue.int(week.manifest.rows),
        "bytes": MetadataValue.int(week.manifest.size_bytes),
        "bytes copied": MetadataValue.int(week.copy.bytes_copied),
        "bytes read back": MetadataValue.int(week.copy.bytes_read_back),
        "files": MetadataValue.int(week.copy.files),
        "seconds: copy": MetadataValue.float(week.copy.seconds),
        "repaired files": _list(week.copy.repaired),
        "abandoned uploads ended": _list(week.ended_uploads),
    }


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


def row_counts(manifest: Manifest) -> MetadataValue:
    """Rows of every table of the archive, the largest first."""
    largest = sorted(manifest.tables, key=lambda table: (-table.rows, table.name))
    return MetadataValue.table(
        records=[
            dg.TableRecord({"table": str(table.name), "rows": table.rows, "digest": table.digest})
            for table in largest[:_TABLES_SHOWN]
        ],
        schema=_schema(table="string", rows="int", digest="string"),
    )


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


def of_findings(findings: Sequence[Finding]) -> MetadataValue:
    """What was found, a line each, up to a number; the manifest or the report has all."""
    return MetadataValue.table(
        records=[
            dg.TableRecord(
                {
                    "finding": finding.code,
                    "severity": finding.severity,
                    "subject": finding.subject,
                    "expected": finding.expected,
                    "observed": finding.observed,
                    "meaning": finding.meaning,
                    "next step": finding.next_step,
                }
            )
            for finding in findings[:_FINDINGS_SHOWN]
        ],
        schema=_schema(
            **dict.fromkeys(
                ("finding", "severity", "subject", "expected", "observed", "meaning", "next step"), "string"
            )
        ),
    )


def _of_artifact(manifest: Manifest, location: str) -> Metadata:
    return {
        ARTIFACT: MetadataValue.text(manifest.artifact_id),
        SCHEMA: MetadataValue.text(manifest.schema_sha256),
        "location": MetadataValue.path(location),
        "night": MetadataValue.text(manifest.night.isoformat()),
        "captured at": MetadataValue.timestamp(manifest.captured_at),
        _DUMPED_FROM: MetadataValue.text(
            f"a branch at {manifest.lsn}, as of the night's scheduled time"
            if manifest.as_of
            else f"a branch at {manifest.lsn}"
            if manifest.dumped_from == "branch"
            else _THE_SOURCE
        ),
    }


def is_of_a_branch(night: dg.AssetMaterialization | None) -> bool:
    """Whether a night was read from a branch: if so, the provider's history may yield past ones."""
    return night is not None and _text(night, _DUMPED_FROM) not in {None, _THE_SOURCE}


def artifact_id(materialization: dg.AssetMaterialization) -> str | None:
    """Which artifact a night, a copy, a drill or a report is of; None for a drill that had none."""
    return _text(materialization, ARTIFACT)


def schema_digest(materialization: dg.AssetMaterialization) -> str | None:
    """The schema of the artifact of a night, a copy or a report; None where an earlier release wrote the metadata."""
    return _text(materialization, SCHEMA)


def _text(materialization: dg.AssetMaterialization, label: str) -> str | None:
    value = materialization.metadata.get(label)
    return value.value if isinstance(value, dg.TextMetadataValue) else None


def _summary(manifest: Manifest) -> dict[str, object]:
    """The manifest in a few lines; the whole of it is stored with the artifact's files."""
    source = manifest.inventory.source
    return {
        "source": f"{source.database} on {source.host}:{source.port}",
        "server_version": source.server_version,
        "client": f"{manifest.client.version}, {manifest.client.compression}",
        "lsn": manifest.lsn,
        "lsn_aligned": manifest.lsn_aligned,
        "late": manifest.late,
        "as_of": None if manifest.as_of is None else manifest.as_of.isoformat(),
        "schema_sha256": manifest.schema_sha256,
        "sequences": len(manifest.inventory.sequences),
        "large_objects": manifest.inventory.large_objects,
        "extensions": [
            f"{extension.name} {extension.version}" for extension in manifest.inventory.extensions
        ],
        "migrations": [migration_words(state) for state in manifest.inventory.migrations],
    }


def _schema(**columns: str) -> dg.TableSchema:
    return dg.TableSchema(columns=[dg.TableColumn(name, kind) for name, kind in columns.items()])


def _list(lines: Iterable[str]) -> MetadataValue:
    return MetadataValue.md(listed(lines) or "none")


def listed(lines: Iterable[str]) -> str:
    """Lines as a Markdown list, up to a number: thousands of tables must not make an event of megabytes."""
    return "\n".join(f"- {line}" for line in shortened(lines, _LINES_SHOWN))
