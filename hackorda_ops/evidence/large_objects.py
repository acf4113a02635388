"""Whether a database's large objects match the artifact: every one, byte for byte."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import psycopg

from hackorda_ops.artifacts.damage import OTHER_BYTES
from hackorda_ops.evidence.next_steps import MADE_IN_THE_COPY, OTHER_ROWS
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.archives import large_objects
from hackorda_ops.postgres.archives.large_objects import LargeObject, LargeObjectsDigest
from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.words import named

_SHOWN: Final = 10
_TELL_EVERY_BYTES: Final = 8 * 1024 * 1024


def compare_large_objects(
    connection: psycopg.Connection[Any],
    expected: LargeObjectsDigest,
    *,
    dump_folder: Path,
    on_progress: OnProgress,
) -> tuple[Finding, ...]:
    """Reads every large object of a database, and compares them with the manifest.

    Args:
        connection: a session on the database, of a role that may read them all.
        expected: the manifest's figure.
        dump_folder: the artifact's dump. It is read again only where the figures differ, to find the objects.
        on_progress: called with the bytes read.

    Raises:
        ArtifactDamaged: the dump's large objects can't be read.
        psycopg.Error: a right is missing, or the connection broke.
    """
    tell = _teller(expected.size_bytes, on_progress)
    observed = large_objects.digest_of(large_objects.read_stored(connection, on_bytes=tell))
    if observed == expected:
        return ()
    found = tuple(
        large_object_findings(
            large_objects.read_archived(dump_folder),
            large_objects.read_stored(connection, on_bytes=lambda _: None),
        )
    )
    # The archive agrees with the database, so it's the manifest that differs.
    return found or (
        Finding("large objects differ", "large objects", str(expected), str(observed), OTHER_BYTES),
    )


def large_object_findings(archived: Iterable[LargeObject], there: Iterable[LargeObject]) -> Iterator[Finding]:
    """Lists which large objects are missing, added or different; pure.

    Args:
        archived: what there must be.
        there: what there is.

    Returns:
        At most one finding of each kind, naming the first ten OIDs.
    """
    expected = {each.oid: (each.size_bytes, each.digest) for each in archived}
    added, differing = [], []
    for each in there:
        wanted = expected.pop(each.oid, None)
        if wanted is None:
            added.append(each.oid)
        elif wanted != (each.size_bytes, each.digest):
            differing.append((each.oid, wanted, (each.size_bytes, each.digest)))
    if expected:
        yield Finding("large objects missing", _named(expected), "present", "not there", OTHER_ROWS)
    if added:
        yield Finding("large objects added", _named(added), "no such object", "present", MADE_IN_THE_COPY)
    if differing:
        differing.sort()
        shown = differing[:_SHOWN]
        yield Finding(
            "large objects differ",
            _named(oid for oid, _, _ in differing),
            "; ".join(f"{oid}: {_content(*wanted)}" for oid, wanted, _ in shown),
            "; ".join(f"{oid}: {_content(*found)}" for oid, _, found in shown),
            OTHER_ROWS,
        )


def _teller(total_bytes: int, on_progress: OnProgress) -> Callable[[int], None]:
    done_bytes = told_bytes = 0

    def tell(read_bytes: int) -> None:
        nonlocal done_bytes, told_bytes
        done_bytes += read_bytes
        if done_bytes - told_bytes >= _TELL_EVERY_BYTES:
            told_bytes = done_bytes
            on_progress(Progress("large objects", done_bytes, total_bytes, "bytes"))

    return tell


def _named(oids: Iterable[int]) -> str:
    every = sorted(oids)
    return f"large object{'s' if len(every) > 1 else ''} {named(every, _SHOWN)}"


def _content(size_bytes: int, digest: str) -> str:
    return f"{size_bytes:,} bytes with digest {digest}"
