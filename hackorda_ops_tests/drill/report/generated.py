"""Drills that end anywhere and see anything, made by the real record, verdict and conclusion from a seed."""

import random
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hackorda_ops.artifacts.by_hand import Offsite
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config.models import Policy
from hackorda_ops.drill.by_hand import instead_commands, needs_another, restore_commands
from hackorda_ops.drill.causes import causes_of
from hackorda_ops.drill.checks.registry import checks_of
from hackorda_ops.drill.conclusion import Drill, conclude
from hackorda_ops.drilling import within_recovery_time_objective
from hackorda_ops.drilling.declaration import BRANCH, KEY_TABLES, MIGRATIONS, RESTORED, SELF_TEST
from hackorda_ops.drilling.for_the_source import IN_THE_SOURCE
from hackorda_ops.drilling.record import Record
from hackorda_ops.drilling.result import DrillResult, Instead, KeyTableResult, NotCompared, Stage
from hackorda_ops.engines.redis.manifest import KeyGroup, RedisManifest
from hackorda_ops.errors import ServerUnreachable, StoreUnreachable
from hackorda_ops.findings import Finding
from hackorda_ops.migrations.conclusion import failure_words, success_words, unmeasured
from hackorda_ops.migrations.result import MigrationResult
from hackorda_ops.redis.contents import KeysSeen
from hackorda_ops_tests import builders

STARTED_AT = datetime(2026, 11, 22, 4, 0, 7, tzinfo=UTC)
BUCKET = "s3://shop-offsite/backups"
OFFSITE, NEWEST, GONE = "offsite_equals_manifest", "newest_row_recent", "scratch_gone"
NEWER = "shop/20261121T220000Z-bbbbbb"
_OFFSITE = Offsite(BUCKET, "https://s3.example", "eu-central-1", known=True)
_LOOK = "Look at it."


class _Ended(Exception):
    """The drill has nothing more to do."""


def drill(seed: int) -> DrillResult:
    """One drill of many: every engine, every stop, every outcome of every check turns up among a few hundred."""
    return _Drilled(random.Random(seed)).result()


class _Drilled:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.engine = chance.choice(["postgres"] * 4 + ["redis"])
        self.record = Record()
        self.policy = self._policy()
        age = timedelta(hours=chance.choice([1, 7, 30, 24 * 13]))
        self.manifest = self._manifest(STARTED_AT - age)

    def result(self) -> DrillResult:
        with self.record.stoppable():
            for each in checks_of(self.engine):
                if why := each.lacking(self.policy):
                    self.record.not_measured(each.name, why)
            with suppress(_Ended):
                self._run()
        which = Drill(
            "20261122T040007Z-4c5d6e",
            "shop",
            date(2026, 10, 1),
            STARTED_AT,
            STARTED_AT + timedelta(seconds=self.chance.randint(1, 9_000)),
            self.chance.choice([None, "c0ffee00-run", "https://dagster.example/runs/c0ffee00"]),
        )
        result = conclude(self.record, which, self.policy)
        at_fault = causes_of(result)[:1] == ("source",)
        if needs_another(result) and not at_fault and self._maybe(0.6):
            other = "20261114T210000Z-0a1b2c"
            instead = Instead(other, f"/var/backups/shop/{other}", "not proven yet")
            result = replace(result, instead=instead, by_hand=self._by_hand())
            result = replace(
                result, how_to_repeat=instead_commands(result, self.chance.choice([None, _OFFSITE]))
            )
        return result

    def _by_hand(self) -> Any:
        from hackorda_ops.engines.registry import engine_of

        return engine_of(self.policy).by_hand(self.manifest)

    def _maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def _policy(self) -> Policy:
        written: dict[str, Any] = {"engine": self.engine}
        if self.engine == "postgres":
            if self._maybe(0.7):
                written["key_tables"] = [{"table": "public.users", "timestamp": "created_at"}]
            if self._maybe(0.7):
                written["migrate"] = {"command": "npm run migrate"}
            if self._maybe(0.5):
                written["scratch"] = {"neon": {}}
            else:
                written["scratch"] = {"server": {}}
        return Policy.model_validate(written)

    def _manifest(self, captured_at: datetime) -> Manifest:
        common: dict[str, Any] = {
            "artifact_id": f"{captured_at:%Y%m%dT%H%M%SZ}-0a1b2c",
            "database": "shop",
            "captured_at": captured_at,
            "night": captured_at.date(),
        }
        rows = {name: self.chance.choice([0, 3, 61_400]) for name in ("users", "issues", "events_1", "tags")}
        plain = builders.manifest(rows if self._maybe(0.9) else {}, **common)
        if self.engine == "postgres":
            return plain
        groups = tuple(
            KeyGroup(0, "string", name, "", count, builders.digest(count)) for name, count in rows.items()
        )
        kept = {name: getattr(plain, name) for name in ("late", "reason", "files", "findings", "warnings")}
        return RedisManifest(
            **common,
            **kept,
            timings_seconds={"night": 2.0},
            version="7.0.15",
            memory_bytes=5_000_000,
            groups=groups,
            functions=(),
            source_keys=(),
            loaded_by="7.0.15",
        )

    # The steps of a drill, in their order; each may end it.

    def _stops(self, at: str, share: float = 0.04) -> None:
        if self._maybe(share):
            raise ServerUnreachable(
                f"The server did not answer while {at}.",
                meaning="Nothing was judged.",
                next_step="Try again.",
            )

    def _stage(self, name: str, *, in_recovery: bool = False) -> None:
        self.record.stages.append(
            Stage(name, round(self.chance.choice([0.4, 31.2, 134.0, 134.0, 700.5]), 3), in_recovery)
        )

    def _found(self, code: str, subject: str, next_step: str = _LOOK) -> Finding:
        return Finding(code, subject, f"what {subject} had", f"what {subject} has", next_step)

    def _run(self) -> None:
        record, manifest = self.record, self.manifest
        self._stops("reading the configuration")
        self._stage("choose the artifact")
        self._stops("listing the bucket")
        newer = (self._found("artifact damaged", NEWER),) if self._maybe(0.1) else ()
        if self._maybe(0.2 if newer else 0.03):
            if newer:
                record.check(
                    OFFSITE,
                    newer,
                    passed="",
                    failed="What is off-site can't be relied on, so nothing was restored from it",
                )
            raise StoreUnreachable(
                "No sound artifact is off-site.", meaning="Nothing.", next_step="Copy one."
            )
        record.manifest, record.location = manifest, f"{BUCKET}/{manifest.prefix}"
        record.how_to_repeat = restore_commands(_OFFSITE, manifest)
        record.data_loss_seconds = float((STARTED_AT - manifest.captured_at).total_seconds())
        record.remarks += ["A clock was 2 s ahead."] if self._maybe(0.2) else []
        self._fetch(newer)
        self._stage("make scratch", in_recovery=True)
        self._stops("making the scratch")
        record.scratch = "Neon branch shop-drill of main"
        with record.stoppable():
            self._on_scratch()
        self._stage("take down")
        if self._maybe(0.06):
            record.decided(GONE, False, "The branch shop-drill could not be deleted. Delete it.")
        else:
            record.decided(GONE, True, "The scratch was taken down, and is no longer listed.")

    def _fetch(self, newer: tuple[Finding, ...]) -> None:
        self._stage("fetch", in_recovery=True)
        self._stops("fetching")
        self._stage("check", in_recovery=True)
        damaged: tuple[Finding, ...] = ()
        if self._maybe(0.12):
            code = self.chance.choice(["file changed", "file missing", "table changed", "artifact damaged"])
            subject = self.chance.choice([self.manifest.prefix, "public.users", "dump/toc.dat"])
            damaged = (self._found(code, subject),)
        self.record.check(
            OFFSITE,
            (*newer, *damaged),
            passed=f"All {len(self.manifest.files)} files have the manifest's bytes.",
            failed="The off-site copy is not what its manifest says, so nothing was restored from it"
            if damaged
            else "A newer off-site copy is damaged, so an older one was restored",
        )
        if damaged:
            self.record.not_reached(GONE, "nothing was made, because the artifact is damaged")
            raise _Ended

    def _on_scratch(self) -> None:
        record = self.record
        if self.engine == "postgres":
            record.not_compared.append(NotCompared("owners and grants", "the drill leaves them out"))
            if self.policy.keeps_history:
                self._branch()
        self._stage("restore", in_recovery=True)
        self._stops("restoring")
        if self.engine == "postgres" and self._maybe(0.1):
            step = self.chance.choice([_LOOK, IN_THE_SOURCE])
            refused = self._found("restore failed", self.chance.choice(["public.users", "VIEW v"]), step)
            record.check(RESTORED, (refused,), passed="", failed="pg_restore could not restore the artifact")
            return
        record.recovered = True
        taken = record.recovery_seconds or 0.0
        late = taken > self.policy.objectives.recovery_time_minutes * 60
        record.check(
            within_recovery_time_objective.CHECK.name,
            (self._found("recovery too slow", "recovery"),) if late else (),
            passed=f"It took {taken:.0f} s; the objective is longer.",
            failed="It took longer than the objective",
        )
        self._compare()
        self._self_test()
        if self.engine == "postgres":
            if self.policy.key_tables:
                self._key_tables()
            if self.policy.migrate:
                self._migrate()

    def _branch(self) -> None:
        self._stage("compare the branch")
        self._stops("reading the branch")
        if self._maybe(0.3):
            self.record.not_measured(BRANCH, "the snapshot lies before the history's window")
            return
        seen = {part.name: KeysSeen(part.rows, part.digest) for part in self.manifest.parts}
        findings: tuple[Finding, ...] = ()
        if seen and self._maybe(0.2):
            name = self.chance.choice(list(seen))
            seen[name] = KeysSeen(1, builders.digest(1))
            findings = (self._found("branch: rows differ", name),)
        self.record.branch = seen
        self.record.check(
            BRANCH,
            findings,
            passed=f"The branch and the artifact agree on {len(seen)} tables.",
            failed="The branch is not what the manifest says",
        )

    def _compare(self) -> None:
        record, redis = self.record, self.engine == "redis"
        self._stage("compare with the manifest")
        self._stops("comparing")
        seen = {part.name: KeysSeen(part.rows, part.digest) for part in self.manifest.parts}
        findings: list[Finding] = []
        for name in list(seen):
            what = self.chance.random()
            if what < 0.03:
                del seen[name]
                findings.append(self._found("keys missing" if redis else "table missing", name))
            elif what < 0.06:
                seen[name] = KeysSeen(7, builders.digest(7))
                findings.append(self._found("keys differ" if redis else "rows differ", name))
            elif what < 0.1 and not redis:
                # A partition whose rows came back in a sibling.
                seen[name] = KeysSeen(8, builders.digest(8))
        if not redis and self._maybe(0.1):
            code = self.chance.choice(["sequence differs", "extension missing", "extension version differs"])
            findings.append(self._found(code, "public.users_id_seq"))
        record.restored = seen
        record.sequences_compared = self.chance.choice([0, 1, 31])
        failed = "The restored copy is not what the manifest says"
        with record.counting(RESTORED, tuple(findings), failed=failed):
            self._stops("comparing the schema")
        record.check(
            RESTORED,
            tuple(findings),
            passed=f"{self.manifest.rows:,} rows came back exactly as the manifest has them.",
            failed=failed,
        )

    def _self_test(self) -> None:
        self._stage("self-test")
        self._stops("testing the comparison")
        if self._maybe(0.05):
            self.record.not_measured(SELF_TEST, "no table has a row to change")
        else:
            noticed = self._maybe(0.94)
            said = "A changed row was noticed." if noticed else "A changed row was not noticed."
            self.record.decided(SELF_TEST, noticed, said)

    def _key_tables(self) -> None:
        self._stage("compare key tables with production")
        self._stops("reading production")
        if self._maybe(0.1):
            self.record.not_measured(KEY_TABLES, "no key table could be counted in production")
            self.record.not_measured(NEWEST, "no key table could be counted in production")
            return
        newest = STARTED_AT - timedelta(hours=9)
        self.record.key_tables = (
            KeyTableResult("public.users", 12, 13, 8.3, 30.0, "created_at", newest, STARTED_AT),
            KeyTableResult("public.issues", 0, 0, None, 30.0, None, None, None, 4, 0.5),
        )
        code = self.chance.choice(["key table drifted", "key table empty in production", "key table missing"])
        drifted = (self._found(code, "public.users"),) if self._maybe(0.15) else ()
        self.record.check(
            KEY_TABLES,
            drifted,
            passed="All 2 key tables are close.",
            failed="Key tables are not near production",
        )
        if self._maybe(0.1):
            self.record.not_measured(NEWEST, "no key table has a time column on both sides")
            return
        stale = (self._found("no recent row", "public.users"),) if self._maybe(0.08) else ()
        self.record.check(
            NEWEST, stale, passed="The newest rows are recent.", failed="The backup lacks recent rows"
        )

    def _migrate(self) -> None:
        self._stage("migrate")
        self._stops("migrating")
        code = self.chance.choice([0, 0, 0, 0, 1])
        moved = self._maybe(0.7)
        ran = MigrationResult(
            command="npm run migrate",
            returncode=code,
            seconds=self.chance.choice([1.9, 75.0]),
            before="drizzle: 5",
            after="drizzle: 6" if moved and not code else "drizzle: 5",
            applied=1 if moved and not code else 0,
            output_tail="applying 0006 ... done" if self._maybe(0.7) else "",
            pending_before=self.chance.choice([None, ("0006_labels",)]),
            pending_after=self.chance.choice([None, ()]) if not code else ("0006_labels",),
            schema_changed=self.chance.choice([None, False]) if not moved else True,
        )
        self.record.migration = ran
        failed: tuple[Finding, ...] = (self._found("migrations failed", "npm run migrate"),) if code else ()
        with self.record.counting(MIGRATIONS, failed, failed=failure_words(ran)):
            self._stops("counting again")
        self.record.migrated = {name: seen.rows for name, seen in self.record.restored.items()}
        lost = (self._found("rows lost in migration", "public.users"),) if self._maybe(0.1) else ()
        why = unmeasured(ran)
        if why is not None and not failed:
            self.record.findings += lost
            self.record.not_measured(MIGRATIONS, why)
            return
        self.record.check(MIGRATIONS, (*failed, *lost), passed=success_words(ran), failed=failure_words(ran))
