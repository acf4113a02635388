"""Summaries of manifests: what lists and plans need of each, kept on this machine so that it isn't read again.

A manifest never changes once it's written. What is kept says for which version of it it holds, and may be lost at any
time: whatever can't be used is read anew. It's believed for lists and plans alone; who restores, copies or deletes an
artifact reads its manifest.
"""

import hashlib
import logging
import os
import re
import stat
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter

from hackorda_ops import untrusted
from hackorda_ops.artifacts.ids import is_id, second
from hackorda_ops.artifacts.manifest import Described
from hackorda_ops.stores.store import Location

CACHE_VARIABLE: Final = "HACKORDA_OPS_CACHE"
"""The folder for what may be lost at any time; otherwise it is in the user's own, as the XDG convention has it."""
VERSION: Final = 1

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
# About 400 bytes an artifact: far above any catalog.
_LIMIT_BYTES: Final = 64 * 1024 * 1024
_MOST_KEPT: Final = 100_000
# A place that nobody has written to for so long is no longer in use.
_FORGOTTEN_AFTER_SECONDS: Final = 180 * 86_400
_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Summary:
    """What lists, plans and judgements need of an artifact; see `Manifest`, which has the same and more.

    Attributes:
        artifact_id: its id.
        database: the protected database's name.
        night: the partition.
        captured_at: the moment that it holds, aware.
        against: what its night found wrong with it, a few words each.
        rows: how many entries all parts have together.
        size_bytes: of all files but the manifest.
        server_version: of the source's server.
        files_sha256: which bytes it consists of (`files_digest`).
    """

    artifact_id: str
    database: str
    night: date
    captured_at: datetime
    against: tuple[str, ...]
    rows: int
    size_bytes: int
    server_version: str
    files_sha256: str

    @property
    def prefix(self) -> str:
        """Its place in a store."""
        return f"{self.database}/{self.artifact_id}"

    @property
    def sound(self) -> bool:
        """Whether its night found nothing wrong with it."""
        return not self.against

    @property
    def paths(self) -> Mapping[str, str]:
        """None: only the manifest lists them."""
        return {}


def summary_of(manifest: Described) -> Summary:
    """The summary of a manifest."""
    return Summary(**{each.name: getattr(manifest, each.name) for each in fields(Summary)})


@dataclass(frozen=True, slots=True)
class KnownSummary:
    """A summary, and the version of the manifest that it is of (`StoredVersion.stamp`)."""

    stamp: str
    summary: Summary


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file of the cache: of one database in one place."""

    version: Literal[1]
    place: tuple[str, str, str]
    database: str
    known: tuple[KnownSummary, ...]


_ADAPTER: Final = TypeAdapter(_Kept)


def recall(location: Location, database: str) -> dict[str, KnownSummary]:
    """What is known of a database's artifacts in one place, by artifact id; nothing where it was lost or damaged.

    Args:
        location: the place.
        database: the database's name in databases.yaml.
    """
    folder = _folder()
    if folder is None:
        return {}
    try:
        kept = untrusted.Reader(_ADAPTER).read(_read_private(folder / _name(location, database)))
    except (OSError, ValueError) as error:
        if not isinstance(error, FileNotFoundError):
            _log.debug("The summaries of %s can't be used: %s", database, type(error).__name__)
        return {}
    if (kept.place, kept.database) != (_place(location), database):
        return {}
    return {
        each.summary.artifact_id: each
        for each in kept.known
        if each.stamp and _consistent(each.summary, database)
    }


def keep(location: Location, database: str, known: Mapping[str, KnownSummary]) -> None:
    """Keeps what is known for the next time, in place of what was kept; where it can't be written, it isn't.

    Args:
        location: the place.
        database: the database's name in databases.yaml.
        known: by artifact id: all that there is, and nothing that is gone.
    """
    folder = _folder(make=True)
    if folder is None:
        return
    newest = sorted(known)[-_MOST_KEPT:]
    kept = _Kept(1, _place(location), database, tuple(known[each] for each in newest))
    with suppress(OSError):
        _forget_unused(folder)
        handle, name = tempfile.mkstemp(prefix=".", dir=folder)
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_ADAPTER.dump_json(kept))
            # Of two processes the last one wins, and what the other one read is read again.
            unfinished.replace(folder / _name(location, database))
        finally:
            unfinished.unlink(missing_ok=True)


def _folder(*, make: bool = False) -> Path | None:
    """Where summaries are kept; None where there's no such place that is this user's alone."""
    try:
        folder = _cache() / "summaries"
        if make:
            # Each on its own: those in between would get the process's default mode.
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except (OSError, RuntimeError):  # RuntimeError: this user has no home
        return None
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    return folder if ours and not status.st_mode & _WRITABLE_BY_OTHERS else None


def _cache() -> Path:
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own)
    users = Path(os.environ.get("XDG_CACHE_HOME") or ".")
    return (users if users.is_absolute() else Path.home() / ".cache") / "hackorda-ops"


def _read_private(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LIMIT_BYTES:
            raise ValueError("not a file of the cache")
        return file.read(_LIMIT_BYTES)


def _forget_unused(folder: Path) -> None:
    oldest = time.time() - _FORGOTTEN_AFTER_SECONDS
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path.lstat().st_mtime < oldest:
                path.unlink()


def _place(location: Location) -> tuple[str, str, str]:
    return location.provider, location.container, location.folder


def _name(location: Location, database: str) -> str:
    return hashlib.sha256("\n".join((*_place(location), database)).encode()).hexdigest() + ".json"


def _consistent(summary: Summary, database: str) -> bool:
    """Whether a summary can be one of a manifest that this release accepts (`manifest.from_bytes`)."""
    return (
        summary.database == database
        and is_id(summary.artifact_id)
        and summary.captured_at.tzinfo is not None
        and summary.artifact_id.startswith(f"{second(summary.captured_at)}-")
        and summary.rows >= 0
        and summary.size_bytes >= 0
        and _SHA256.fullmatch(summary.files_sha256) is not None
    )
