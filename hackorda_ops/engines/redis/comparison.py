"""Compares what a Redis server holds with an artifact's evidence, and tonight with the night before. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from hackorda_ops.artifacts.damage import OTHER_BYTES
from hackorda_ops.config.expectations import Tolerances
from hackorda_ops.engines.redis.manifest import RedisManifest, SourceKeys, seen_of
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.findings import Finding
from hackorda_ops.redis.contents import Contents

# How far a snapshot may be from what the source counted around it.
_SHARE: Final = 0.9
_FEW: Final = 10


@dataclass(frozen=True)
class KeysCompared:
    """A copy held against its manifest.

    Attributes:
        findings: what differs.
        compared: how many keys were compared, digest and all.
        expired: how many keys of the manifest have expired since, or might have.
    """

    findings: tuple[Finding, ...]
    compared: int
    expired: int


def compare_keys(manifest: RedisManifest, contents: Contents) -> KeysCompared:
    """Compares every group of keys that can't have begun to expire by the time that the copy was read.

    Args:
        manifest: what must be there.
        contents: what is there.
    """
    findings: list[Finding] = []
    compared = expired = 0
    expected = seen_of(manifest)
    for group in sorted(expected.keys() | contents.groups.keys()):
        was, now = expected.get(group), contents.groups.get(group)
        if group.begins is not None and group.begins <= contents.read_at:
            expired += was.rows if was else 0
        elif was is None and now is not None:
            findings.append(
                Finding("keys added", str(group), "no such keys", f"{now.rows:,} keys", OTHER_BYTES)
            )
        elif was is not None and now is None:
            findings.append(
                Finding("keys missing", str(group), f"{was.rows:,} keys", "no such keys", OTHER_BYTES)
            )
        elif was is not None and now is not None:
            compared += now.rows
            if was != now:
                code = "keys missing" if now.rows < was.rows else "keys differ"
                findings.append(
                    Finding(
                        code,
                        str(group),
                        f"{was.rows:,} keys with digest {was.digest}",
                        f"{now.rows:,} keys with digest {now.digest}",
                        OTHER_BYTES,
                    )
                )
    if contents.functions != manifest.functions:
        findings.append(
            Finding(
                "functions differ",
                "libraries of functions",
                ", ".join(manifest.functions) or "none",
                ", ".join(contents.functions) or "none",
                OTHER_BYTES,
            )
        )
    # Another version may compute another digest; and keys that have expired are in the one and not in the other.
    if manifest.loaded_by == contents.server_version and not expired:
        digest, there = manifest.server_digest, contents.server_digest
        if digest is not None and there is not None and digest != there:
            findings.append(Finding("keys differ", "DEBUG DIGEST of all keys", digest, there, OTHER_BYTES))
    return KeysCompared(tuple(findings), compared, expired)


def require_like_source(contents: Contents, source: tuple[SourceKeys, ...]) -> None:
    """Refuses a snapshot that has far fewer keys than the source counted before and after it.

    Args:
        contents: of the snapshot.
        source: what the source counted, without keys that expire.

    Raises:
        ArtifactDamaged: it has.
    """
    lacking = [
        f"db{each.database} has {contents.lasting(each.database):,} keys in the snapshot, but had "
        f"{each.before:,} before it and {each.after:,} after it"
        for each in source
        if contents.lasting(each.database) < min(each.before, each.after) * _SHARE - _FEW
    ]
    if lacking:
        raise ArtifactDamaged(
            f"The snapshot does not match the server: {'; '.join(lacking)}.",
            meaning="No artifact was made of it: it could not restore the database.",
            next_step="Take it again. If it happens again, look at what is between this machine and the server.",
        )


def seen_by_source(
    contents: Contents, before: str | None, after: str | None
) -> tuple[str | None, str | None]:
    """Whether the source's own digest is that of its snapshot.

    Args:
        contents: of the snapshot.
        before: the source's digest before the snapshot; None where it gives none.
        after: the same after it.

    Returns:
        The digest, if it's that of all three; and a warning, where the source did not change and the snapshot differs.
    """
    if before is None or contents.server_digest is None or before != after:
        return None, None
    if before == contents.server_digest:
        return before, None
    return None, (
        "the source's DEBUG DIGEST was the same before and after the snapshot, and the snapshot has another: a key "
        "came and went in between, one expired, the two versions of Redis compute it differently, or it is wrong"
    )


def collapsed(before: RedisManifest, tonight: RedisManifest, tolerances: Tolerances) -> Iterator[Finding]:
    """What vanished or collapsed since the night before, of the keys that don't expire.

    Args:
        before: the previous night's manifest.
        tonight: the new one.
        tolerances: what may be lost from one night to the next.
    """
    now = {part.name: part.rows for part in tonight.parts}
    for part in before.parts:
        rows = now.get(part.name, 0)
        if any(fnmatchcase(part.name, pattern) for pattern in tolerances.volatile):
            continue
        lost = 100 * (part.rows - rows) / part.rows if part.rows else 0
        if part.rows >= tolerances.collapse_minimum_rows and lost > tolerances.collapse_percent:
            yield Finding(
                "keys collapsed",
                part.name,
                f"about {part.rows:,} keys as in {before.artifact_id}",
                f"{rows:,} keys",
                "If a cleanup did it, nothing is wrong; otherwise restore them from that artifact. If it is so by "
                "design, name it in tolerances.volatile.",
            )
