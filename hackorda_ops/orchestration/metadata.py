"""What the UI shows of a result: values of the core turned into Dagster's metadata, with no decisions made.

Numbers stay numbers, because the UI plots them over time and over partitions.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import dagster as dg
from dagster import MetadataValue

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.engines.engine import Fact
from hackorda_ops.engines.registry import engine_that_wrote
from hackorda_ops.findings import Finding
from hackorda_ops.night.night import Night
from hackorda_ops.readiness.assessment import Readiness
from hackorda_ops.receipts.verify import Head
from hackorda_ops.week.week import Week
from hackorda_ops.words import shortened

Metadata = Mapping[str, MetadataValue]

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:")

# Events stay in Dagster's own database for more than a year; the manifest has all the tables.
TABLES_SHOWN: Final = 300
_FINDINGS_SHOWN: Final = 100
_LINES_SHOWN: Final = 50
_DUMPED_FROM: Final = "dumped from"
_THE_SOURCE: Final = "the source"
DRILL: Final = "drill"
ARTIFACT: Final = "artifact"
SCHEMA: Final = "schema digest"


def of_facts(facts: Mapping[str, Fact]) -> Metadata:
    """What an engine says of a source or a night: numbers stay numbers."""
    return {label: _value(fact) for label, fact in facts.items()}


def _value(fact: Fact) -> MetadataValue:
    if isinstance(fact, tuple):
        return lines_of(fact)
    if isinstance(fact, str):
        return MetadataValue.text(fact)
    return MetadataValue.int(fact) if isinstance(fact, int) else MetadataValue.float(fact)


def of_night(night: Night) -> Metadata:
    """A night: where its artifact is, and its numbers."""
    return {
        **of_stored_night(night.manifest, night.location),
        "compared with": MetadataValue.text(night.compared_with or "nothing: this is the first artifact"),
        **of_receipt(night.receipt),
    }


def of_receipt(receipt: Head | None) -> Metadata:
    """A verdict's receipt, as `hackorda-ops receipts verify --head RECEIPT` takes it; nothing where there is none."""
    return {} if receipt is None else {"receipt": MetadataValue.text(str(receipt))}


def of_kept(manifest: Manifest, location: str) -> Metadata:
    """An artifact where it lies.

    Args:
        manifest: the artifact's.
        location: where, as people name it.
    """
    return {
        **_of_artifact(manifest, location),
        "rows": MetadataValue.int(manifest.rows),
        "bytes": MetadataValue.int(manifest.size_bytes),
    }


def of_stored_night(manifest: Manifest, location: str) -> Metadata:
    """A night by what its artifact says.

    Args:
        manifest: the artifact's.
        location: where it is, as people name it.
    """
    engine = engine_that_wrote(manifest)
    return {
        **of_kept(manifest, location),
        "source size in bytes": MetadataValue.int(manifest.source_bytes),
        "tables": MetadataValue.int(len(manifest.parts)),
        "files": MetadataValue.int(len(manifest.files)),
        **{
            f"seconds: {stage}": MetadataValue.float(seconds)
            for stage, seconds in manifest.timings_seconds.items()
        },
        **of_facts(engine.facts(manifest)),
        "row counts": row_counts(manifest),
        "warnings": lines_of(manifest.warnings),
        "manifest": MetadataValue.json(dict(engine.details(manifest))),
    }


def of_week(week: Week) -> Metadata:
    """A week: where the copy is, and its numbers."""
    return {
        **of_kept(week.manifest, week.location),
        "bytes copied": MetadataValue.int(week.copy.bytes_copied),
        "bytes read back": MetadataValue.int(week.copy.bytes_read_back),
        "files": MetadataValue.int(week.copy.files),
        "seconds: copy": MetadataValue.float(week.copy.seconds),
        "repaired files": lines_of(week.copy.repaired),
        "other copies repaired": lines_of(week.repaired),
        "copies not repaired": lines_of(week.not_repaired),
        "abandoned uploads ended": lines_of([line for each in week.copies for line in each.ended_uploads]),
        **{
            f"copy in {each.place}": MetadataValue.path(each.location)
            for each in (week.copies if len(week.copies) + len(week.missing) > 1 else ())
        },
        **{
            f"copy in {each.place}": MetadataValue.text(f"missing: {each.error.what}")
            for each in week.missing
        },
        **of_receipt(week.receipt),
    }


def of_judgement(ready: Readiness) -> Metadata:
    """What a database's check of readiness shows."""
    judged = ready.judgement
    return {
        "verdict": MetadataValue.text(judged.word),
        "reasons": MetadataValue.text(" ".join(judged.reasons) or "none"),
        "next step": MetadataValue.text(judged.next_step or "none"),
        "risk": MetadataValue.text(ready.risk),
    }


def row_counts(manifest: Manifest) -> MetadataValue:
    """Rows of every table of the archive, the largest first."""
    largest = sorted(manifest.parts, key=lambda table: (-table.rows, table.name))
    return MetadataValue.table(
        records=[
            dg.TableRecord({"table": table.name, "rows": table.rows, "digest": table.digest})
            for table in largest[:TABLES_SHOWN]
        ],
        schema=_schema(table="string", rows="int", digest="string"),
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
        **({SCHEMA: MetadataValue.text(manifest.schema_digest)} if manifest.schema_digest else {}),
        "location": MetadataValue.path(location),
        **of_table(manifest.rows, location),
        "night": MetadataValue.text(manifest.night.isoformat()),
        "captured at": MetadataValue.timestamp(manifest.captured_at),
        _DUMPED_FROM: MetadataValue.text(
            f"a branch at {manifest.position}, as of the night's scheduled time"
            if manifest.as_of
            else f"a branch at {manifest.position}"
            if manifest.dumped_from == "branch"
            else _THE_SOURCE
        ),
    }


def of_table(rows: int, location: str) -> Metadata:
    """Rows and address under the names by which Dagster's own pages look for them.

    Args:
        rows: of all tables.
        location: where the artifact is, as people name it.
    """
    address = location if _SCHEME.match(location) else Path(location).absolute().as_uri()
    return {"dagster/row_count": MetadataValue.int(rows), "dagster/uri": MetadataValue.text(address)}


def is_of_a_branch(night: dg.AssetMaterialization | None) -> bool:
    """Whether a night was read from a branch: if so, the provider's history may yield past ones."""
    return night is not None and _text(night, _DUMPED_FROM) not in {None, _THE_SOURCE}


def artifact_id(materialization: dg.AssetMaterialization) -> str | None:
    """Which artifact a night, a copy, a drill or a report is of; None for a drill that had none."""
    return _text(materialization, ARTIFACT)


def drill_id(materialization: dg.AssetMaterialization) -> str | None:
    """Which drill a report is of; None where an earlier release wrote the metadata."""
    return _text(materialization, DRILL)


def schema_digest(materialization: dg.AssetMaterialization) -> str | None:
    """The schema of the artifact of a night, a copy or a report; None where an earlier release wrote the metadata."""
    return _text(materialization, SCHEMA)


def _text(materialization: dg.AssetMaterialization, label: str) -> str | None:
    value = materialization.metadata.get(label)
    return value.value if isinstance(value, dg.TextMetadataValue) else None


def _schema(**columns: str) -> dg.TableSchema:
    return dg.TableSchema(columns=[dg.TableColumn(name, kind) for name, kind in columns.items()])


def lines_of(lines: Iterable[str]) -> MetadataValue:
    """Lines as a list, up to a number."""
    return MetadataValue.md(listed(lines) or "none")


def listed(lines: Iterable[str]) -> str:
    """Lines as a Markdown list, up to a number: thousands of tables must not make an event of megabytes."""
    return "\n".join(f"- {line}" for line in shortened(lines, _LINES_SHOWN))
