"""Restores a Redis artifact into an empty server, key by key, and compares it: what `restore` and a drill both run."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hackorda_ops.engines.orders import Restored, RestoreOrder
from hackorda_ops.engines.redis.comparison import compare_keys
from hackorda_ops.engines.redis.manifest import SNAPSHOT, RedisManifest, of_redis
from hackorda_ops.environment import Protected
from hackorda_ops.errors import TargetRefused
from hackorda_ops.progress import OnProgress
from hackorda_ops.redis.contents import Contents, read_contents
from hackorda_ops.redis.copying import copy_everything
from hackorda_ops.redis.info import read_info
from hackorda_ops.redis.server import running
from hackorda_ops.redis.target import RedisTarget
from hackorda_ops.redis.wire import RedisClient, connected, translated
from hackorda_ops.scratch.redis import program_of, section_of


@contextmanager
def restoring(order: RestoreOrder) -> Iterator[Callable[[Path], Restored]]:
    """See `Engine.admitted`."""
    manifest, target = of_redis(order.manifest), order.target
    with connected(target) as client, translated(target, "Restoring"):
        admit(client, manifest, source=order.source)

        def restored(folder: Path) -> Restored:
            seconds = bring_in(order.protected, folder, client, on_progress=order.on_progress)
            compared = compare_keys(manifest, read_again(client, manifest, on_progress=order.on_progress))
            notes = expired_notes(compared.expired)
            return Restored(seconds, compared.findings, notes)

        yield restored


def admit(client: RedisClient, manifest: RedisManifest, *, source: RedisTarget | None) -> None:
    """Refuses a server that is the source, has keys, or can't take this artifact.

    Args:
        client: a connection to it.
        manifest: the artifact's.
        source: the live server, where it's known.

    Raises:
        TargetRefused: it is one of these.
    """
    info, target = read_info(client), client.target
    if source is not None:
        with connected(source) as live, translated(source, "Making sure that the target is not the source"):
            same = read_info(live).run_id == info.run_id
        if same:
            raise TargetRefused(
                f"{target.describe()} is the source itself.",
                meaning="Nothing was restored, and nothing in it was touched.",
                next_step="Start a new, empty Redis and restore into that; then point the application at it.",
            )
    if info.keys:
        raise TargetRefused(
            f"{target.describe()} is not empty: it has {info.keys:,} keys.",
            meaning="Nothing was restored, and nothing in it was touched.",
            next_step="Restore into a new, empty Redis.",
        )
    needed = tuple(int(part) for part in manifest.version.split(".")[:2] if part.isdecimal())
    if info.number < needed:
        raise TargetRefused(
            f"{target.describe()} runs Redis {info.version}; the artifact is from Redis {manifest.version}.",
            meaning="An older server can't take a newer one's data. Nothing was restored.",
            next_step=f"Restore on a server of Redis {manifest.version} or later.",
        )


def bring_in(protected: Protected, folder: Path, client: RedisClient, *, on_progress: OnProgress) -> float:
    """Loads the snapshot into a server of our own, and copies every key from there.

    Args:
        protected: the database.
        folder: the artifact's.
        client: a connection to the empty server.
        on_progress: called with what was loaded and copied.

    Returns:
        How many seconds it took.

    Raises:
        ArtifactDamaged: the snapshot can't be loaded.
        OpsError: one of the servers failed.
    """
    begun = time.monotonic()
    with (
        running(
            program_of(protected),
            memory_bytes=section_of(protected).memory_bytes,
            rdb=folder / SNAPSHOT,
            on_progress=on_progress,
        ) as loaded,
        connected(loaded) as source,
    ):
        copy_everything(source, client, on_progress=on_progress)
    return time.monotonic() - begun


def read_again(client: RedisClient, manifest: RedisManifest, *, on_progress: OnProgress) -> Contents:
    """What a server holds, as the manifest tells keys apart.

    Args:
        client: a connection to it.
        manifest: the artifact's.
        on_progress: called with the keys read.

    Raises:
        Refusal: it refused a command.
        ConnectionLost: the connection broke.
    """
    return read_contents(
        client, captured_at=manifest.captured_at, prefixes=manifest.prefixes, on_progress=on_progress
    )


def expired_notes(expired: int) -> tuple[str, ...]:
    """What to say of keys that can't be compared any more."""
    if not expired:
        return ()
    return (
        f"{expired:,} keys of the snapshot have expired since, or may expire today: they were not compared",
    )
