"""What retention does about locks: those of what it keeps are extended, and pins that are over are lifted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hackorda_ops.artifacts.manifest import MANIFEST_NAME
from hackorda_ops.artifacts.verifications import VERIFICATIONS_FOLDER
from hackorda_ops.drill.report.history import DRILLS_FOLDER
from hackorda_ops.errors import OpsError
from hackorda_ops.retention.deletion import files_of
from hackorda_ops.retention.plan import Decision
from hackorda_ops.safekeeping.locks import extended_to
from hackorda_ops.safekeeping.pins import PINS_FOLDER
from hackorda_ops.stores.locks import LocksFiles, locking, locks_of
from hackorda_ops.stores.store import PlaceName, Store, StoredVersion

# What is written once and never deleted here: reports of drills and exercises, signed receipts, pins.
_EVIDENCE: Final = frozenset({DRILLS_FOLDER, "exercises", "receipts", PINS_FOLDER})


@dataclass(frozen=True)
class LockExtension:
    """Locks that are extended.

    Attributes:
        place: where.
        subject: an artifact's id, or "evidence".
        keys: of the files; an artifact's manifest comes last, so that its lock stands for all of them.
        until: their new date, aware.
    """

    place: PlaceName
    subject: str
    keys: tuple[str, ...]
    until: datetime


def extensions(
    database: str,
    places: Mapping[PlaceName, Store],
    decisions: Sequence[Decision],
    listed: Mapping[PlaceName, Sequence[StoredVersion]],
    now: datetime,
) -> tuple[tuple[LockExtension, ...], tuple[str, ...]]:
    """Which locks have to be extended: of what the plan keeps, and of evidence. What only a lock keeps isn't extended.

    Args:
        database: whose.
        places: the stores.
        decisions: what becomes of the artifacts.
        listed: what there is in each place.
        now: the present, aware.

    Returns:
        The extensions, and a sentence for each place whose locks can't be read.
    """
    found: list[LockExtension] = []
    notes: list[str] = []
    for place, store in places.items():
        bucket = locking(store)
        if bucket is None:
            continue
        kept = [
            each.held.artifact_id
            for each in decisions
            if each.keep and not each.held_back and each.held.place == place
        ]
        files = [each for each in listed[place] if each.is_file]
        try:
            for subject, keys, until in (
                *_of_artifacts(bucket, database, kept, files, now),
                *_of_evidence(bucket, database, kept, files, now),
            ):
                found.append(LockExtension(place, subject, keys, until))
        except OpsError as error:
            notes.append(f"Locks in {store.describe()} were not extended: {error.what} {error.next_step}")
        except _UnreadLock as unread:
            notes.append(
                f"Locks in {store.describe()} were not extended, because they can't be read: {unread}. Allow this "
                "access key s3:GetObjectRetention."
            )
    return tuple(found), tuple(notes)


class _UnreadLock(Exception):  # it never leaves this module
    pass


_Extension = tuple[str, tuple[str, ...], datetime]


def _of_artifacts(
    bucket: LocksFiles, database: str, kept: Iterable[str], files: Sequence[StoredVersion], now: datetime
) -> Iterator[_Extension]:
    there = {each.key for each in files}
    manifests = {f"{database}/{artifact_id}/{MANIFEST_NAME}": artifact_id for artifact_id in kept}
    for key, until in _due(bucket, [each for each in manifests if each in there], now):
        artifact_id = manifests[key]
        others = sorted(each.key for each in files_of(files, f"{database}/{artifact_id}") if each.key != key)
        yield artifact_id, (*others, key), until


def _of_evidence(
    bucket: LocksFiles, database: str, kept: Sequence[str], files: Sequence[StoredVersion], now: datetime
) -> Iterator[_Extension]:
    there = [each.key for each in files if _is_evidence(each.key.removeprefix(f"{database}/"), kept)]
    due = list(_due(bucket, there, now))
    if due:
        yield "evidence", tuple(sorted(key for key, _ in due)), max(until for _, until in due)


def _is_evidence(path: str, kept: Sequence[str]) -> bool:
    parts = path.split("/")
    return parts[0] in _EVIDENCE or (parts[0] == VERIFICATIONS_FOLDER and len(parts) > 2 and parts[1] in kept)


def _due(bucket: LocksFiles, keys: Iterable[str], now: datetime) -> Iterator[tuple[str, datetime]]:
    if bucket.lock is None:
        return
    for key, lock in locks_of(bucket, keys).items():
        if lock.unread:
            raise _UnreadLock(lock.unread)
        until = extended_to(lock, bucket.lock, now)
        if until is not None:
            yield key, until
