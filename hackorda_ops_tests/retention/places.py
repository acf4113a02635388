"""Real stores with artifacts in them, for the tests of what is deleted."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hackorda_ops.artifacts.manifest import FileEntry, Manifest, to_bytes
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.retention.planning import RetentionPlan
from hackorda_ops.retention.prune import Pruned, plan_retention, prune
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops.stores.store import Store
from hackorda_ops_tests import builders
from hackorda_ops_tests.stores.examples import put

# What a test puts is three days old for it, so that nothing "was written within the last day".
NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
ROWS = b"rows" * 25
DUMP = "dump/16385.dat.zst"
KEEP = {"nights": 7, "weeks": 0, "months": 0, "years": 0}


def artifact(age_days: int, *, now: datetime = NOW, **changes: Any) -> Manifest:
    """A manifest of the night that many days ago, of two files."""
    captured_at = now - timedelta(days=age_days, hours=5)
    plain = replace(
        builders.manifest({"users": 10}),
        artifact_id=f"{captured_at:%Y%m%dT%H%M%SZ}-{age_days:06x}",
        night=captured_at.date(),
        captured_at=captured_at,
        files=tuple(
            FileEntry(path, len(ROWS), hashlib.sha256(ROWS).hexdigest()) for path in (DUMP, "RESTORE.md")
        ),
    )
    return replace(plain, **changes)


def dated_ahead(of: Manifest, days: int) -> Manifest:
    """The same night as a clock would have dated it that is so many days ahead."""
    captured_at = of.captured_at + timedelta(days=days)
    return replace(
        of,
        artifact_id=f"{captured_at:%Y%m%dT%H%M%SZ}-{of.artifact_id.partition('-')[2]}",
        night=captured_at.date(),
        captured_at=captured_at,
    )


def put_artifact(store: Store, manifest: Manifest) -> None:
    """Stores an artifact as a copy would."""
    for entry in manifest.files:
        put(store, f"{manifest.prefix}/{entry.path}", ROWS)
    put(store, f"{manifest.prefix}/manifest.json", to_bytes(manifest))


def ages(store: Store) -> list[int]:
    """How old the artifacts are that have any file in a store, in days."""
    names = {entry.key.split("/")[1] for entry in store.list("hackorda/") if entry.key.count("/") > 1}
    beside = {"operations", "drills", "pins", "exercises", "receipts"}
    return sorted(int(name.partition("-")[2], 16) for name in names - beside)


@dataclass(frozen=True)
class Places:
    """The database "hackorda" with a store in a folder and a bucket off-site."""

    store: FolderStore
    offsite: S3Store
    environ: dict[str, str]

    def database(self, *, store: Any = KEEP, offsite: Any = KEEP, **bucket: Any) -> Policy:
        """Its configuration, with these policies."""
        return Policy.model_validate(
            {
                "store": str(self.store.root),
                "offsite": {"bucket": self.offsite.bucket, "prefix": self.offsite.prefix, **bucket},
                "dump": {"work_folder": str(self.store.root.parent / "work")},
                "retention": {"store": store, "offsite": offsite},
            }
        )

    def protected(self, database: Policy | None = None) -> Protected:
        """It as a value."""
        return Protected("hackorda", database or self.database(), self.environ)

    def plan(self, database: Policy | None = None, *, now: datetime = NOW) -> RetentionPlan:
        """What would be done."""
        return plan_retention(self.protected(database), now=now)

    def prune(self, database: Policy | None = None, *, now: datetime = NOW) -> Pruned:
        """Does it."""
        return prune(self.protected(database), now=now)


def open_places(folder: Path, offsite: S3Store) -> Places:
    """Empty places."""
    store = FolderStore(folder / "backups")
    store.check()
    environ = {
        "OFFSITE_ENDPOINT_URL": str(offsite.endpoint_url),
        "OFFSITE_REGION": str(offsite.region),
        "OFFSITE_ACCESS_KEY_ID": offsite.access_key_id,
        "OFFSITE_SECRET_ACCESS_KEY": offsite.secret_access_key,
    }
    return Places(store, offsite, environ)
