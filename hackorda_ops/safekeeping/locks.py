"""Whether an artifact's files are locked as the configuration asks, and when a lock has to be extended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hackorda_ops.artifacts.key_files import key_files
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest
from hackorda_ops.artifacts.sealed import is_sealed
from hackorda_ops.errors import OpsError
from hackorda_ops.findings import Finding
from hackorda_ops.proof.step import Shown
from hackorda_ops.stores.locks import FileLock, ObjectLock, locking, locks_of
from hackorda_ops.stores.store import Store
from hackorda_ops.words import counted, moment, named

# Retention runs once a week; a day more for a run that is late.
_UNTIL_THE_NEXT_RUN: Final = timedelta(days=8)
# A store's clock, and the time that an upload of many files takes.
_SLACK: Final = timedelta(days=1)


@dataclass(frozen=True)
class LocksReadBack:
    """What the locks of an artifact in one place turned out to be.

    Attributes:
        location: "<store>/<database>/<artifact id>".
        asked: the lock that each file was to get.
        files: how many were looked at.
        until: the earliest date of all; None where one isn't locked.
        not_locked: the paths of those that aren't locked, or not long enough.
        unread: why locks couldn't be read; "" where they were.
    """

    location: str
    asked: ObjectLock
    files: int
    until: datetime | None
    not_locked: tuple[str, ...]
    unread: str = ""

    @property
    def sentence(self) -> str:
        """What was read back, as people read it, with a full stop."""
        if self.unread:
            return f"Whether the files are locked is not known: {self.unread}."
        if self.not_locked:
            return f"{counted(len(self.not_locked), 'file')} of {self.files} not locked as asked."
        until = f" until {moment(self.until)} at the earliest" if self.until else " by a legal hold"
        return f"{counted(self.files, 'file')} locked{until}."

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What somebody has to look at."""
        if self.unread:
            return (
                Finding(
                    "lock not read",
                    self.location,
                    expected=_wanted(self.asked),
                    observed=self.unread,
                    next_step="Allow this access key s3:GetObjectRetention below the prefix.",
                ),
            )
        if self.not_locked:
            return (
                Finding(
                    "lock missing",
                    self.location,
                    expected=_wanted(self.asked),
                    observed=f"{counted(len(self.not_locked), 'file')} without it, or for a shorter time: "
                    f"{named(self.not_locked)}",
                    next_step="Make the bucket with object lock, and allow this access key s3:PutObjectRetention; "
                    "`hackorda-ops prune --delete` then locks what is there.",
                ),
            )
        return ()


def read_back(store: Store, manifest: Manifest, *, now: datetime) -> LocksReadBack | None:
    """Reads the locks of an artifact's files; None where the store isn't to lock any.

    Args:
        store: where it was written.
        manifest: its own.
        now: the present, aware.
    """
    bucket = locking(store)
    if bucket is None or bucket.lock is None:
        return None
    prefix = f"{manifest.prefix}/"
    location, asked = f"{store.describe()}/{manifest.prefix}", bucket.lock
    try:
        # Without its key an encrypted artifact is worth nothing.
        keys = key_files(store, manifest.prefix) if is_sealed(manifest) else ()
        paths = [*(each.path for each in manifest.files), *keys, MANIFEST_NAME]
        found = locks_of(bucket, [f"{prefix}{path}" for path in paths])
        written = {each.key.removeprefix(prefix): each.modified_at for each in store.files(prefix)}
    except OpsError as error:
        return LocksReadBack(location, asked, len(manifest.files) + 1, None, (), unread=error.what)
    locks = {key.removeprefix(prefix): lock for key, lock in found.items()}
    return judged(location, asked, locks, now, written=written)


def judged(
    location: str,
    asked: ObjectLock,
    found: Mapping[str, FileLock],
    now: datetime,
    *,
    written: Mapping[str, datetime] | None = None,
) -> LocksReadBack:
    """What these locks are worth. Pure.

    Args:
        location: of the artifact.
        asked: what each file was to get when it was written.
        found: each file's lock, by its path.
        now: the present, aware.
        written: when each was written, aware; the date that its lock must reach is counted from there. Of one that
            isn't known, it's enough that its lock hasn't ended.
    """
    unread = next((each.unread for each in found.values() if each.unread), "")
    dates = [each.until for each in found.values() if each.until is not None]
    known = written or {}
    bare = tuple(
        sorted(
            path
            for path, lock in found.items()
            if not (lock.held or _holds(lock, asked, now, known.get(path)))
        )
    )
    return LocksReadBack(
        location,
        asked,
        len(found),
        min(dates) if len(dates) == len(found) else None,
        () if unread else bare,
        unread,
    )


def _holds(lock: FileLock, asked: ObjectLock, now: datetime, written: datetime | None) -> bool:
    """Whether it's a lock of that mode, or a stronger one, that hasn't ended and lasts as long as was asked for."""
    if lock.until is None or lock.until <= now or lock.mode not in ("compliance", asked.mode):
        return False
    whole = timedelta(days=asked.days)
    return written is None or lock.until >= written + whole - min(_SLACK, whole / 2)


def extended_to(lock: FileLock, asked: ObjectLock, now: datetime) -> datetime | None:
    """Until when the lock of something that retention keeps is to last from now on; None to leave it. Pure.

    What is kept is never locked for less than half of what is asked for, nor for less than until the next run of
    retention, as far as that lies within what is asked for.

    Args:
        lock: as it is.
        asked: what each file gets when it's written.
        now: the present, aware.
    """
    whole = timedelta(days=asked.days)
    least = min(max(whole / 2, _UNTIL_THE_NEXT_RUN), whole - min(_SLACK, whole / 2))
    if lock.until is not None and lock.until - now >= least:
        return None
    return now + whole


def _wanted(asked: ObjectLock) -> str:
    return f"every file locked for {counted(asked.days, 'day')} in {asked.mode} mode"


def shown_of(found: LocksReadBack | None) -> Shown:
    """What a check shows of the locks that were read back; it passes where nothing was to be locked."""
    if found is None:
        return Shown(summary="Nothing is to be locked here.", numbers={})
    return Shown(
        passed=not found.not_locked,
        summary=found.sentence,
        numbers={"files": found.files, "not locked": len(found.not_locked)},
        findings=found.findings,
    )
