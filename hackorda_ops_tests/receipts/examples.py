"""A database with a store in a folder and a bucket off-site, and nights of which nothing matters but their verdict."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.proof.verdict import Verdict
from hackorda_ops.receipts import keys
from hackorda_ops.receipts.chain import held
from hackorda_ops.receipts.record import Line, recorded
from hackorda_ops.receipts.verify import CheckedChain, check_chain
from hackorda_ops.stores.store import Store


def files_of(store: Store, database: str = "shop") -> dict[int, bytes]:
    """The receipts in a place."""
    return {number: store.read_small(key) for number, key in held(store, database).items()}


def whole(store: Store, database: str = "shop") -> CheckedChain:
    """The chain in a place, which has to be whole."""
    chain = check_chain(sorted(files_of(store, database).items()), database=database, verifies=keys.verifies)
    assert chain.problems == ()
    return chain


def digests(files: Mapping[int, bytes]) -> dict[int, str]:
    """The SHA-256 of each."""
    return {number: hashlib.sha256(data).hexdigest() for number, data in files.items()}


@dataclass
class Shop:
    """The database "shop"."""

    folder: Path
    bucket: Mapping[str, Any] | None = None
    environ: dict[str, str] = field(default_factory=dict)
    receipts: dict[str, Any] = field(default_factory=dict)

    @property
    def protected(self) -> Protected:
        policy: dict[str, Any] = {
            "store": str(self.folder / "backups"),
            "dump": {"work_folder": str(self.folder / "work")},
            "receipts": self.receipts,
        }
        if self.bucket:
            policy["offsite"] = dict(self.bucket)
        return Protected("shop", Policy.model_validate(policy), self.environ)

    def with_key(self, name: str = "key.pem") -> "Shop":
        """The same, with a key of its own."""
        path = self.folder / name
        if not path.exists():
            keys.make_pair(path)
        self.receipts = {**self.receipts, "key_file": str(path)}
        return self

    @property
    def waiting(self) -> int:
        """How many receipts wait on this machine."""
        return len(list((self.folder / "work" / "receipts" / "shop").glob("*.json")))

    def night(self, verdict: Verdict = "PASS", subject: str = "2026-11-22") -> Line:
        """A night with this verdict."""
        with recorded("night", self.protected, subject=subject) as line:
            line.outcome = verdict
        return line


def with_bucket(folder: Path, server: S3Server, bucket: str) -> Shop:
    """The database with a bucket off-site."""
    return Shop(
        folder,
        {"bucket": bucket, "endpoint_url": server.endpoint_url, "prefix": "backups"},
        {
            "OFFSITE_REGION": server.region,
            "OFFSITE_ACCESS_KEY_ID": server.access_key_id,
            "OFFSITE_SECRET_ACCESS_KEY": server.secret_access_key,
        },
    )
