"""A database whose nights are in a folder, with several buckets off-site, each behind a server of its own."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from hackorda_ops.artifacts.manifest import FileEntry, Manifest, to_bytes
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.store import Store
from hackorda_ops_tests import builders
from hackorda_ops_tests.stores.examples import put
from hackorda_ops_tests.stores.s3_proxy import Forward, Misbehave, Reply, Request, proxied

CONTENTS = {
    "dump/16385.dat.zst": b"first " * 400_000,
    "dump/2.dat.zst": b"second" * 200_000,
    "dump/toc.dat": b"contents",
    "RESTORE.md": b"# How to restore\n",
}


@dataclass
class Provider:
    """A server in front of a bucket, which a test may have misbehave; None is a good one."""

    misbehave: Misbehave | None = None
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: Request, forward: Forward) -> Reply | None:
        self.asked.append(f"{request.method} {request.path}")
        return forward(request) if self.misbehave is None else self.misbehave(request, forward)

    def stored(self, name: str) -> int:
        """How often a file of this name was uploaded since the list was cleared."""
        return sum(each.startswith("PUT") and name in each for each in self.asked)


@dataclass(frozen=True)
class Several:
    """The database "hackorda", its places, and the providers of its copies by their names."""

    protected: Protected
    providers: Mapping[str, Provider]
    nights: FolderStore

    def place(self, name: str) -> Store:
        """A place."""
        return self.protected.place(name)

    def has(self, name: str, artifact: Manifest) -> bool:
        """Whether a copy is there with its manifest."""
        return any(
            each.key == f"{artifact.prefix}/manifest.json" for each in self.place(name).list("hackorda/")
        )

    def take(self, artifact: Manifest) -> Manifest:
        """Puts a night into the store."""
        for path, data in CONTENTS.items():
            put(self.nights, f"{artifact.prefix}/{path}", data)
        put(self.nights, f"{artifact.prefix}/manifest.json", to_bytes(artifact))
        return artifact


@contextmanager
def several(server: S3Server, folder: Path, buckets: Mapping[str, str], **policy: Any) -> Iterator[Several]:
    """The database with a bucket for each copy's name."""
    with ExitStack() as stack:
        providers = {name: Provider() for name in buckets}
        offsite = []
        for name, bucket in buckets.items():
            create_bucket(server, bucket)
            behind = stack.enter_context(proxied(server, providers[name]))
            offsite.append(
                {
                    "name": name,
                    "bucket": bucket,
                    "endpoint_url": behind.endpoint_url,
                    "region": server.region,
                    **policy.pop(name, {}),
                }
            )
        environ = {
            variable: value
            for name in buckets
            for variable, value in (
                (f"OFFSITE_{name.upper()}_ACCESS_KEY_ID", server.access_key_id),
                (f"OFFSITE_{name.upper()}_SECRET_ACCESS_KEY", server.secret_access_key),
            )
        }
        made = Policy.model_validate(
            {
                "store": str(folder / "backups"),
                "offsite": offsite,
                "dump": {"work_folder": str(folder / "work")},
                **policy,
            }
        )
        yield Several(Protected("hackorda", made, environ), providers, FolderStore(folder / "backups"))


def night_of(captured_at: datetime | None = None, **changes: Any) -> Manifest:
    """A night, by default of two hours ago."""
    captured_at = captured_at or datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    return replace(
        builders.manifest({"users": 10}),
        artifact_id=f"{captured_at:%Y%m%dT%H%M%SZ}-abcdef",
        captured_at=captured_at,
        night=captured_at.date(),
        files=tuple(FileEntry(path, len(data), sha256(data).hexdigest()) for path, data in CONTENTS.items()),
        **changes,
    )
