"""What a drill found out, as plain values: the report shows them, Dagster and the command line judge by them.

They are stored as JSON beside the artifacts, and read again for the trend. A release may add fields that
have a default; anything else takes another `RESULT_VERSION`. docs/report.schema.json is made from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from hackorda_ops.artifacts.manifest import Part
from hackorda_ops.config import engines
from hackorda_ops.errors import Problem
from hackorda_ops.findings import Finding
from hackorda_ops.migrations.result import MigrationResult
from hackorda_ops.proof.check import Check
from hackorda_ops.proof.verdict import Verdict

RESULT_VERSION: Final = 2
# Version 1 had no "not reached": it called that "not measured".
EARLIER_VERSIONS: Final = (1,)


@dataclass(frozen=True)
class Stage:
    """One step of a drill and its wall-clock time; those with `in_recovery` add up to the recovery time."""

    name: str
    seconds: float
    in_recovery: bool


@dataclass(frozen=True)
class TableResult:
    """One table of the manifest, as it came back. None where it was not read, or isn't there.

    Attributes:
        table: "schema.name".
        expected_rows: rows in the manifest.
        expected_digest: row digest in the manifest.
        restored_rows, restored_digest: of the restored database, before migrations.
        branch_rows, branch_digest: of the branch at the artifact's WAL position.
        migrated_rows: rows after the migrations.
    """

    table: str
    expected_rows: int
    expected_digest: str
    restored_rows: int | None
    restored_digest: str | None
    branch_rows: int | None
    branch_digest: str | None
    migrated_rows: int | None

    @property
    def equal(self) -> bool:
        """Whether the restored table is exactly the manifest's."""
        return (self.restored_rows, self.restored_digest) == (self.expected_rows, self.expected_digest)


@dataclass(frozen=True)
class KeyTableResult:
    """A key table, restored and in production.

    Attributes:
        table: "schema.name".
        restored_rows: in the restored database.
        production_rows: in the source, now.
        drift_percent: how far production has moved from the restored rows; None where either has no rows.
        allowed_percent: what the artifact's age and the table's growth allow, of the restored rows.
        timestamp_column: None where the table has none configured.
        newest_restored, newest_production: newest value of that column.
        allowed_rows: the same allowance in rows.
        growth_rows_per_day: what the table gained or lost on a usual day, by past manifests; None where
            they don't tell.
    """

    table: str
    restored_rows: int
    production_rows: int
    drift_percent: float | None
    allowed_percent: float
    timestamp_column: str | None
    newest_restored: datetime | None
    newest_production: datetime | None
    allowed_rows: int | None = None
    growth_rows_per_day: float | None = None


@dataclass(frozen=True)
class ArtifactFacts:
    """The artifact that was drilled; `schema_sha256` as in its manifest, None in reports of before that was told."""

    artifact_id: str
    night: date
    captured_at: datetime
    lsn: str
    location: str
    rows: int
    tables: int
    size_bytes: int
    server_version: str
    schema_sha256: str | None = None


@dataclass(frozen=True)
class NotCompared:
    """Something that a PASS does not speak of, and why."""

    what: str
    why: str


@dataclass(frozen=True)
class ByHand:
    """One thing to do.

    Attributes:
        what: in a sentence or two.
        commands: for psql, or for a shell if it starts with a program's name; can be empty.
    """

    what: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Instead:
    """The artifact to use in place of one that a drill found to be bad.

    Attributes:
        artifact_id: its id.
        location: where it lies: "<store>/<database>/<artifact id>".
        known: what is known of it, as people read it, without a full stop.
    """

    artifact_id: str
    location: str
    known: str


@dataclass(frozen=True)
class DrillResult:
    """A whole drill.

    Attributes:
        drill_id: "YYYYMMDDTHHMMSSZ-xxxxxx", when it began.
        database: the protected database's name.
        quarter: the partition: first day of the quarter.
        started_at, finished_at: aware, UTC.
        verdict: PASS, FAIL (the backup, or what depends on it, is not what it must be) or ERROR (could not judge).
        error: set with the verdict ERROR.
        findings: what makes it a FAIL, and what else was found.
        artifact: None where none was found.
        scratch: what it was restored on, in words, without secrets.
        recovery_seconds: from the first byte fetched to the last row compared being in place: fetch,
            check, scratch, restore; None if it did not get there.
        data_loss_seconds: what would be lost had the source died when the drill began, by the newest sound artifact;
            None where the drill did not get that far, or found its artifact to be bad.
        how_to_repeat: shell commands that bring the same artifact back by hand, or another one where its data failed.
        by_hand: what a real recovery would still need after that.
        instead: what to use in place of the artifact, where it must not be restored and there is something better.
        run: the link to the run that drilled, or its id; None where no run did.
        engine: the database's, by its key.
        branch_migration: the migrations on the branch itself; None where they didn't run there.
    """

    drill_id: str
    database: str
    quarter: date
    started_at: datetime
    finished_at: datetime
    verdict: Verdict
    error: Problem | None
    findings: tuple[Finding, ...]
    artifact: ArtifactFacts | None
    scratch: str | None
    checks: tuple[Check, ...]
    stages: tuple[Stage, ...]
    tables: tuple[TableResult, ...]
    sequences_compared: int
    key_tables: tuple[KeyTableResult, ...]
    migration: MigrationResult | None
    not_compared: tuple[NotCompared, ...]
    warnings: tuple[str, ...]
    recovery_seconds: float | None
    recovery_objective_seconds: float
    data_loss_seconds: float | None
    recovery_point_objective_seconds: float
    how_to_repeat: str
    product_version: str
    by_hand: tuple[ByHand, ...] = ()
    engine: str = engines.FIRST
    branch_migration: MigrationResult | None = None
    instead: Instead | None = None
    run: str | None = None
    result_version: Literal[1, 2] = RESULT_VERSION


def as_restored(tables: Iterable[TableResult]) -> tuple[Part, ...]:
    """What was read of the restored database, for its receipt; tables that weren't reached are left out. Pure."""
    return tuple(
        Part(each.table, each.restored_rows, each.restored_digest, each.expected_rows)
        for each in tables
        if each.restored_rows is not None and each.restored_digest is not None
    )
