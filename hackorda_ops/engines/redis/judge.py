"""Whether the snapshot in a Redis artifact is what its manifest says: its bytes, and every key in it."""

from contextlib import suppress
from pathlib import Path

from hackorda_ops.artifacts.damage import all_hashed, file_findings
from hackorda_ops.engines.redis.comparison import compare_keys
from hackorda_ops.engines.redis.manifest import SNAPSHOT, RedisManifest
from hackorda_ops.engines.redis.restore import read_again
from hackorda_ops.environment import Protected
from hackorda_ops.findings import Finding
from hackorda_ops.progress import OnProgress
from hackorda_ops.redis.server import running
from hackorda_ops.redis.wire import connected, translated
from hackorda_ops.scratch.redis import program_of, section_of


def judge(
    protected: Protected, folder: Path, manifest: RedisManifest, *, on_progress: OnProgress
) -> tuple[Finding, ...]:
    """Hashes the files, then loads the snapshot into a server of our own, and compares every key that can be.

    Args:
        protected: the database.
        folder: where the artifact was fetched to.
        manifest: its manifest.
        on_progress: called with what was loaded and read.

    Raises:
        ArtifactDamaged: the files have the manifest's bytes, but the snapshot can't be loaded.
        OpsError: our own server failed, which says nothing against the artifact.
    """
    with suppress(OSError):
        if changed := tuple(file_findings(manifest, all_hashed(folder, manifest))):
            return changed
    with (
        running(
            program_of(protected),
            memory_bytes=section_of(protected).memory_bytes,
            rdb=folder / SNAPSHOT,
            on_progress=on_progress,
        ) as loaded,
        connected(loaded) as client,
        translated(loaded, "Reading the snapshot"),
    ):
        return compare_keys(manifest, read_again(client, manifest, on_progress=on_progress)).findings
