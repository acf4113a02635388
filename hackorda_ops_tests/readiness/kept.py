"""A database with its store and its off-site bucket, and what nights, copies, drills and exercises left in them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, to_bytes
from hackorda_ops.artifacts.verifications import files_digest
from hackorda_ops.calendar.partitions import night_of, quarter_of, year_of
from hackorda_ops.config.models import Policy
from hackorda_ops.drill.report import json_form
from hackorda_ops.drill.report.history import REPORT_NAME, drill_prefix
from hackorda_ops.drilling.night_proof import PROOFS, NightProof
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.environment import Protected
from hackorda_ops.errors import Problem
from hackorda_ops.exercise import history
from hackorda_ops.exercise.checks import CHECKS
from hackorda_ops.exercise.result import ExerciseResult
from hackorda_ops.findings import Finding
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.proof.check import Check
from hackorda_ops.proof.verdict import Verdict
from hackorda_ops.readiness.standing import Standing, read_standing
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops.stores.store import Store
from hackorda_ops_tests.builders import manifest
from hackorda_ops_tests.drill import results
from hackorda_ops_tests.stores.examples import put, store_on

EMPTIED = Finding("table emptied", "public.users", "10 rows", "0 rows", "Look.")


def utc(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment of 2026."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@dataclass
class Kept:
    """What is kept of the database "hackorda", by its defaults: nights at 2, weeks on Sunday at 4, all in UTC.

    Attributes:
        store: of the nights.
        offsite: the bucket.
        policy: its configuration.
        environ: what that names.
    """

    store: FolderStore
    offsite: S3Store
    policy: Policy
    environ: Mapping[str, str]

    def protected(self, **environ: str) -> Protected:
        """It as a value, with these variables as well."""
        return Protected("hackorda", self.policy, {**self.environ, **environ})

    def standing(self, now: datetime, **environ: str) -> Standing:
        """How the database stands then."""
        return read_standing(self.protected(**environ), now=now)

    def night(self, captured_at: datetime, **changes: Any) -> Manifest:
        """An artifact in the store."""
        plain: dict[str, Any] = {
            "artifact_id": f"{captured_at:%Y%m%dT%H%M%SZ}-0a1b2c",
            "night": night_of(captured_at, self.policy.schedule),
            "captured_at": captured_at,
        }
        artifact = manifest(**{**plain, **changes})
        self._put_artifact(self.store, artifact)
        return artifact

    def copy(self, artifact: Manifest) -> None:
        """The same artifact off-site."""
        self._put_artifact(self.offsite, artifact)

    def drill(
        self, of: Manifest | None, begun: datetime, verdict: Verdict = "PASS", **changes: Any
    ) -> DrillResult:
        """A drill's report in both stores."""
        plain = {"PASS": results.sound, "FAIL": results.bad, "ERROR": results.unjudged}[verdict]()
        facts = plain.artifact
        assert facts is not None
        drill = replace(
            plain,
            drill_id=f"{begun:%Y%m%dT%H%M%SZ}-4c5d6e",
            quarter=quarter_of(night_of(begun, self.policy.schedule)),
            started_at=begun,
            finished_at=begun + timedelta(seconds=188),
            artifact=None
            if of is None
            else replace(
                facts,
                artifact_id=of.artifact_id,
                night=of.night,
                captured_at=of.captured_at,
                size_bytes=of.size_bytes,
            ),
        )
        drill = replace(drill, **changes)
        for store in (self.store, self.offsite):
            put(
                store,
                f"{drill_prefix('hackorda', drill.drill_id)}/{REPORT_NAME}",
                json_form.to_bytes(drill),
            )
        return drill

    def proof(
        self, of: Manifest, begun: datetime, verdict: Verdict = "PASS", *, about: str = ""
    ) -> NightProof:
        """A night's proof, beside its artifact in both stores."""
        facts = results.sound().artifact
        assert facts is not None
        error = Problem("There's no server.", "Nothing was proven.", "Install one.")
        finding = Finding(about or "content differs", "public.users", "this", "that", "Look.")
        proof = NightProof(
            proof_id=f"{begun:%Y%m%dT%H%M%SZ}-7e8f9a",
            database="hackorda",
            artifact=replace(
                facts,
                artifact_id=of.artifact_id,
                night=of.night,
                captured_at=of.captured_at,
                location=f"{self.store.describe()}/{of.prefix}",
            ),
            files_sha256=files_digest(of.files),
            started_at=begun,
            finished_at=begun + timedelta(minutes=2),
            verdict=verdict,
            error=error if verdict == "ERROR" else None,
            findings=(finding,) if verdict == "FAIL" else (),
            checks=(Check("files_equal_manifest", "passed", "All of them."),),
            place="a server",
            stages=(),
            recovery_seconds=9.5,
        )
        assert PROOFS.remember((self.store, self.offsite), proof) == ()
        return proof

    def exercise(self, begun: datetime, verdict: Verdict = "PASS", **changes: Any) -> None:
        """An exercise's result in the store."""
        result = replace(exercise_result(begun, verdict), **changes)
        prefix = history.exercise_prefix("hackorda", result.exercise_id)
        put(self.store, f"{prefix}/{history.RESULT_NAME}", history.to_bytes(result))

    def in_order(self, now: datetime) -> None:
        """What the defaults ask for: the nights of a week, its copy, a drill that passed, and an exercise."""
        midnight = now.replace(hour=2, minute=0, second=0, microsecond=0)
        nights = [self.night(midnight - timedelta(days=back)) for back in range(6, -1, -1)]
        for artifact in nights:
            if artifact.night.weekday() == 6:
                self.copy(artifact)
                proven = artifact
        self.drill(proven, proven.captured_at + timedelta(hours=4))
        self.exercise(utc(2, 1, 9))

    @staticmethod
    def _put_artifact(store: Store, artifact: Manifest) -> None:
        put(store, f"{artifact.prefix}/{MANIFEST_NAME}", to_bytes(artifact))


def exercise_result(begun: datetime, verdict: Verdict) -> ExerciseResult:
    """An exercise with every check."""
    return ExerciseResult(
        exercise_id=f"{begun:%Y%m%dT%H%M%SZ}-9f8e7d",
        database="hackorda",
        year=year_of(begun.date()),
        started_at=begun,
        finished_at=begun + timedelta(minutes=9),
        held_by="ops on machine",
        verdict=verdict,
        error=None,
        checks=tuple(Check(each.name, "passed", "As it has to be.") for each in CHECKS),
        timeline=(),
        findings=(),
        tables=6,
        rows=100,
        recovery_seconds=4.0,
        recovery_objective_seconds=1800.0,
        lost_seconds=0.5,
        not_compared=(),
        product_version="0.1.0",
    )


def kept_on(server: S3Server, bucket: str, folder: Path, **policy: Any) -> Kept:
    """A database whose store and bucket are still empty."""
    given = {
        "store": str(folder / "nights"),
        "offsite": {"bucket": bucket, "prefix": "copies", "endpoint_url": server.endpoint_url},
        "scratch": {"server": {}},
        "schedule": {"since": date(2026, 1, 1)},
    }
    environ = {
        "OFFSITE_ACCESS_KEY_ID": server.access_key_id,
        "OFFSITE_SECRET_ACCESS_KEY": server.secret_access_key,
    }
    return Kept(
        FolderStore(folder / "nights"),
        store_on(server, bucket, prefix="copies"),
        Policy.model_validate({**given, **policy}),
        environ,
    )
