"""Drill results for tests of reports: a sound one, a bad one, one that could not judge, and a history."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hackorda_ops.drill.checks.registry import checks_of
from hackorda_ops.drilling.result import (
    ArtifactFacts,
    DrillResult,
    KeyTableResult,
    NotCompared,
    Stage,
    TableResult,
)
from hackorda_ops.errors import Problem
from hackorda_ops.findings import Finding
from hackorda_ops.migrations.result import MigrationResult
from hackorda_ops.proof.check import Check, Outcome
from hackorda_ops.proof.verdict import Verdict

STARTED_AT = datetime(2026, 11, 22, 4, 0, 7, tzinfo=UTC)
_SUMMARIES: dict[str, str] = {
    "offsite_equals_manifest": "43 files, 21.4 MB: every file has the SHA-256 of its manifest.",
    "restored_equals_manifest": "101,033 rows in 6 tables, 31 sequences, 0 large objects and 44 schema objects came "
    "back exactly as the manifest and the archive have them.",
    "branch_equals_manifest": "The branch at 0/1A2B3C8 holds the same rows, by content, in every table.",
    "comparison_self_test": "One row of public.issues was changed; the comparison saw it; rolled back.",
    "key_tables_near_production": "The largest drift is +0.9 % in public.issues; 30.0 % is allowed.",
    "newest_row_recent": "The newest row of public.issues was 2 hours old when the artifact was taken.",
    "migrations_apply": "npm run migrate ended with 0 after 1.9 s; 1 migration was pending and is applied.",
    "within_recovery_time_objective": "2 min 14 s of 30 min.",
    "scratch_gone": "The branch was deleted, and the API no longer knows it.",
}


def digest(number: int) -> str:
    """A row digest that looks like one."""
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def check(name: str, outcome: Any = "passed", summary: str | None = None) -> Check:
    """A check with its usual summary."""
    return Check(name, outcome, summary or _SUMMARIES[name])


def table(name: str, rows: int, **changes: Any) -> TableResult:
    """A table that came back exactly."""
    plain = TableResult(name, rows, digest(rows * 77), rows, digest(rows * 77), rows, digest(rows * 77), rows)
    return replace(plain, **changes)


def tables(number: int = 6) -> tuple[TableResult, ...]:
    """Tables that came back exactly; the first of them are the key tables."""
    names = ("users", "test_cycles", "issues", "issue_payouts", "projects", "devices")
    more = (f"audit.events_2026_{week:02d}" for week in range(1, 5000))
    every = [*(f"public.{name}" for name in names), *more]
    return tuple(
        table(name, 61_400 // (place + 1) if place else 12_004) for place, name in enumerate(every[:number])
    )


def sound(**changes: Any) -> DrillResult:
    """A drill that passed."""
    plain = DrillResult(
        drill_id="20261122T040007Z-4c5d6e",
        database="hackorda",
        quarter=date(2026, 10, 1),
        started_at=STARTED_AT,
        finished_at=STARTED_AT + timedelta(seconds=188),
        verdict="PASS",
        error=None,
        findings=(),
        artifact=ArtifactFacts(
            artifact_id="20261121T210000Z-0a1b2c",
            night=date(2026, 11, 22),
            captured_at=datetime(2026, 11, 21, 21, 0, 3, tzinfo=UTC),
            lsn="0/1A2B3C8",
            location="s3://hackorda-offsite/backups",
            rows=sum(each.expected_rows for each in tables()),
            tables=6,
            size_bytes=21_400_000,
            server_version="17.10",
        ),
        scratch="Neon branch hackorda-drill-20261122-4c5d6e of main, at 0/1A2B3C8",
        checks=tuple(check(each.name) for each in checks_of("postgres")),
        stages=(
            Stage("fetch", 31.2, True),
            Stage("check", 8.4, True),
            Stage("scratch", 5.1, True),
            Stage("compare branch", 22.0, False),
            Stage("restore", 89.3, True),
            Stage("compare", 19.7, False),
            Stage("self-test", 0.4, False),
            Stage("production", 3.1, False),
            Stage("migrate", 1.9, False),
            Stage("take down", 2.2, False),
        ),
        tables=tables(),
        sequences_compared=31,
        key_tables=(
            KeyTableResult(
                "public.users", 12_004, 12_017, 0.11, 30.0, "created_at", _at(20, 41), _at(27, 55)
            ),
            KeyTableResult(
                "public.issues", 20_466, 20_650, 0.9, 30.0, "created_at", _at(20, 59), _at(27, 58)
            ),
            KeyTableResult("public.issue_payouts", 0, 0, None, 30.0, None, None, None),
        ),
        migration=MigrationResult(
            command="npm run migrate",
            returncode=0,
            seconds=1.9,
            before="drizzle: 5, newest 0004_payout_batches",
            after="drizzle: 6, newest 0005_issue_labels",
            applied=1,
            output_tail="> hackorda@1.4.0 migrate\n> tsx src/db/migrate.ts\n\napplying 0005_issue_labels ... done",
        ),
        not_compared=(
            NotCompared("Owners and grants", "The dump leaves them out (--no-owner, --no-privileges)."),
            NotCompared(
                "Database-level settings",
                "statement_timeout is set on the source by ALTER DATABASE; set it again.",
            ),
        ),
        warnings=("The server's clock is 1.2 s ahead of this machine's.",),
        recovery_seconds=134.0,
        recovery_objective_seconds=1800.0,
        data_loss_seconds=25_204.0,
        recovery_point_objective_seconds=86_400.0,
        how_to_repeat=(
            "createdb --template=template0 --encoding=UTF8 restored\n"
            "export RESTORE_URL='postgresql://…/restored'\n"
            "hackorda-ops restore hackorda --artifact 20261121T210000Z-0a1b2c --to-env RESTORE_URL\n"
        ),
        product_version="0.1.0",
    )
    return replace(plain, **changes)


def bad(**changes: Any) -> DrillResult:
    """A drill that found the backup to be bad: a row changed, a table missing."""
    came_back = [replace(each, branch_rows=None, branch_digest=None) for each in tables()]
    came_back[2] = replace(came_back[2], restored_digest=digest(12345))
    came_back[4] = replace(came_back[4], restored_rows=None, restored_digest=None, migrated_rows=None)
    outcomes = {
        "restored_equals_manifest": (
            "failed",
            "2 of 6 tables differ: public.issues, public.projects.",
        ),
        "branch_equals_manifest": ("not measured", "The artifact is older than the branch's history window."),
        "within_recovery_time_objective": ("failed", "40 min 11 s, and the objective is 30 min."),
        "migrations_apply": ("failed", "npm run migrate ended with exit code 1 after 1.2 s."),
    }
    plain = sound(
        verdict="FAIL",
        findings=(
            Finding(
                "content differs",
                "public.issues",
                f"20,466 rows with digest {came_back[2].expected_digest}",
                f"20,466 rows with digest {came_back[2].restored_digest}",
                "Do not rely on this artifact: use another one, and keep this one to find out what happened.",
            ),
            Finding(
                "table missing",
                "public.projects",
                "12,280 rows",
                "no such table",
                "Do not rely on this artifact: use another one, and keep this one to find out what happened.",
            ),
        ),
        checks=tuple(check(each.name, *outcomes.get(each.name, ())) for each in checks_of("postgres")),
        tables=tuple(came_back),
        migration=MigrationResult(
            command="npm run migrate",
            returncode=1,
            seconds=1.2,
            before="drizzle: 5, newest 0004_payout_batches",
            after="drizzle: 5, newest 0004_payout_batches",
            applied=0,
            output_tail='\x1b[31mERROR\x1b[0m relation "public.projects" does not exist\n    at migrate.ts:41:7',
        ),
        recovery_seconds=2_411.0,
    )
    return replace(plain, **changes)


def with_unknown_check(outcome: Outcome = "passed") -> DrillResult:
    """The report of a release that has one check more, which decides the verdict."""
    unknown = Check("indexes_are_valid", outcome, "All 14 indexes were looked at.")
    return sound(verdict="FAIL" if outcome == "failed" else "PASS", checks=(unknown, *sound().checks))


def unjudged(**changes: Any) -> DrillResult:
    """A drill that could not judge: it never got a place to restore on."""
    plain = sound(
        verdict="ERROR",
        error=Problem(
            what="Neon refused to create a branch in project tiny-hill-12345678: the limit of 10 branches is reached.",
            meaning="There is no scratch database to restore on. The backup was fetched and is whole.",
            next_step="Delete a branch that nobody needs, then run the drill of this quarter again.",
        ),
        scratch=None,
        checks=(check("offsite_equals_manifest"),),
        stages=(Stage("fetch", 31.2, True), Stage("check", 8.4, True)),
        tables=(),
        sequences_compared=0,
        key_tables=(),
        migration=None,
        not_compared=(NotCompared("The restored database", "There was nothing to restore on."),),
        warnings=(),
        recovery_seconds=None,
        finished_at=STARTED_AT + timedelta(seconds=41),
    )
    return replace(plain, **changes)


def history(number: int) -> tuple[DrillResult, ...]:
    """The drills of the quarters before, oldest first; each somewhat larger and slower than the last."""
    verdicts: Sequence[Verdict] = ("PASS", "PASS", "FAIL", "PASS", "ERROR", "PASS", "PASS", "PASS")
    drills = []
    for back in range(number, 0, -1):
        quarters = 2026 * 4 + 3 - back
        begun = datetime(quarters // 4, 3 * (quarters % 4) + 2, 3, 4, tzinfo=UTC)
        plain = sound()
        assert plain.artifact is not None
        verdict = verdicts[(number - back) % len(verdicts)]
        drills.append(
            replace(
                plain,
                drill_id=f"{begun:%Y%m%dT%H%M%SZ}-{back:06x}",
                quarter=date(quarters // 4, 3 * (quarters % 4) + 1, 1),
                started_at=begun,
                finished_at=begun + timedelta(seconds=170),
                verdict=verdict,
                recovery_seconds=None if verdict == "ERROR" else 134.0 - 9 * back,
                artifact=replace(
                    plain.artifact,
                    rows=plain.artifact.rows - 6_000 * back,
                    size_bytes=21_400_000 - 900_000 * back,
                ),
            )
        )
    return tuple(drills)


def _at(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(hours=hour, minutes=minute)
