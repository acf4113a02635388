"""A drill's notebook: what it has done and seen so far, whatever happens next."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.drilling.result import (
    ArtifactFacts,
    KeyTableResult,
    NotCompared,
    Stage,
    TableResult,
)
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.migrations.result import MigrationResult
from hackorda_ops.proof.notebook import Notebook
from hackorda_ops.proof.verdict import Wording

WORDING: Final = Wording("drill", claim="prove the backup", again="drill again")


class RowsSeen(Protocol):
    """A part of a copy, as it was read."""

    @property
    def rows(self) -> int:
        """How many entries it has."""

    @property
    def digest(self) -> str:
        """Of all of them, in hex."""


@dataclass
class Record(Notebook):
    """Everything that goes into the result; the drill fills it in as it goes.

    Attributes:
        manifest: the artifact's, once it's picked.
        location: where the artifact was fetched from.
        how_to_repeat: shell commands.
        restored: the parts of the restored copy, by name; empty while nothing was read.
        branch: the same, of the provider's branch.
        migrated: rows by part after the migrations.
        recovered: whether the restore finished.
        data_loss_seconds: what a lost source would have cost when the drill began.
    """

    wording: Wording = WORDING
    manifest: Manifest | None = None
    location: str = ""
    how_to_repeat: str = ""
    scratch: str | None = None
    findings: list[Finding] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    restored: Mapping[str, RowsSeen] = field(default_factory=dict)
    branch: Mapping[str, RowsSeen] = field(default_factory=dict)
    migrated: Mapping[str, int] = field(default_factory=dict)
    sequences_compared: int = 0
    key_tables: tuple[KeyTableResult, ...] = ()
    migration: MigrationResult | None = None
    branch_migration: MigrationResult | None = None
    not_compared: list[NotCompared] = field(default_factory=list)
    recovered: bool = False
    data_loss_seconds: float | None = None

    @contextmanager
    def stage(self, name: str, *, in_recovery: bool = False) -> Iterator[None]:
        """Times a stage, also one that fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.stages.append(Stage(name, round(time.monotonic() - began, 3), in_recovery))

    def check(self, name: str, findings: tuple[Finding, ...], *, passed: str, failed: str) -> None:
        """Writes a check down with its findings; `failed` is its summary where one of them is fatal.

        Args:
            name: the check's name.
            findings: what it found.
            passed: its summary if no finding is fatal.
            failed: its summary if one is.
        """
        self.findings += findings
        against = fatal(findings)
        summary = f"{failed} ({len(against)} finding(s))." if against else passed
        self.decided(name, not against, summary)

    @contextmanager
    def counting(self, name: str, findings: tuple[Finding, ...], *, failed: str) -> Iterator[None]:
        """What a check has found already counts, also where the rest of it can't be made: it has failed then.

        Args:
            name: the check's name.
            findings: what it has found so far.
            failed: its summary if one of them is fatal.
        """
        try:
            yield
        except Exception:
            if fatal(findings):
                self.check(name, findings, passed="", failed=failed)
            raise

    @property
    def recovery_seconds(self) -> float | None:
        """How long the recovery took; None where the restore did not finish."""
        return sum(stage.seconds for stage in self.stages if stage.in_recovery) if self.recovered else None

    def artifact(self) -> ArtifactFacts | None:
        """The artifact that was drilled."""
        manifest = self.manifest
        if manifest is None:
            return None
        return ArtifactFacts(
            artifact_id=manifest.artifact_id,
            night=manifest.night,
            captured_at=manifest.captured_at,
            lsn=manifest.position,
            location=self.location,
            rows=manifest.rows,
            tables=len(manifest.parts),
            size_bytes=manifest.size_bytes,
            server_version=manifest.server_version,
            schema_sha256=manifest.schema_digest,
        )

    def tables(self) -> tuple[TableResult, ...]:
        """Every part of the manifest, with what was seen of it."""
        if self.manifest is None:
            return ()
        results = []
        for table in self.manifest.parts:
            restored, branch = self.restored.get(table.name), self.branch.get(table.name)
            results.append(
                TableResult(
                    table=table.name,
                    expected_rows=table.rows,
                    expected_digest=table.digest,
                    restored_rows=restored.rows if restored else None,
                    restored_digest=restored.digest if restored else None,
                    branch_rows=branch.rows if branch else None,
                    branch_digest=branch.digest if branch else None,
                    migrated_rows=self.migrated.get(table.name),
                )
            )
        return tuple(results)
