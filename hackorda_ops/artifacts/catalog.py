"""The catalog: the artifacts of a database, read from a store. There's no other index to lose."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hackorda_ops.artifacts.manifest import (
    MANIFEST_NAME,
    Manifest,
    from_bytes,
    is_artifact_id,
    moment_before_hyphen,
)
from hackorda_ops.artifacts.same_source import is_of_the_source
from hackorda_ops.calendar.clocks import TOO_FAR
from hackorda_ops.calendar.partitions import quarter_name, quarter_of, week_of
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing
from hackorda_ops.stores.store import Store, folder_prefix

_READERS = 8
# One weekly copy may fail before a drill has nothing young enough to restore.
_OLDEST_FOR_DRILL = timedelta(days=14)


@dataclass(frozen=True)
class DamagedArtifact:
    """An artifact whose manifest can't be relied on.

    Attributes:
        prefix: its place in the store.
        problem: why, in a line.
    """

    prefix: str
    problem: str

    def __str__(self) -> str:
        return self.problem


@dataclass(frozen=True)
class Catalog:
    """What a store holds of one database.

    Attributes:
        location: the store, as people would name it.
        artifacts: every manifest that could be read, oldest first.
        damaged: every one that could not.
        ahead: those that are dated after now: a clock was wrong when they were made, so nothing takes one of them
            for the newest. Asked for by its id, each can be restored.
    """

    location: str
    artifacts: tuple[Manifest, ...]
    damaged: tuple[DamagedArtifact, ...] = ()
    ahead: tuple[Manifest, ...] = ()

    @property
    def newest(self) -> Manifest | None:
        """The artifact captured last, sound or not."""
        return self.artifacts[-1] if self.artifacts else None


def read(store: Store, database: str, *, now: datetime | None = None) -> Catalog:
    """Lists the artifacts of a database: whatever has a manifest, and nothing else.

    Args:
        store: to look into.
        database: whose artifacts.
        now: the present, aware; None for this machine's.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed.
    """
    keys = _manifest_keys(store, database)

    def one(key: str) -> Manifest | DamagedArtifact | None:
        return _read_one(store, key)

    with ThreadPoolExecutor(_READERS) as readers:
        results = list(readers.map(one, keys))
    found = sorted(
        (result for result in results if isinstance(result, Manifest)),
        key=lambda manifest: (manifest.captured_at, manifest.artifact_id),
    )
    latest = latest_possible(now)
    return Catalog(
        location=store.describe(),
        artifacts=tuple(each for each in found if each.captured_at <= latest),
        damaged=tuple(result for result in results if isinstance(result, DamagedArtifact)),
        ahead=tuple(each for each in found if each.captured_at > latest),
    )


def latest_possible(now: datetime | None = None) -> datetime:
    """The latest moment that an artifact can be of; whatever is dated after it was made by a wrong clock."""
    return (now or datetime.now(UTC)) + TOO_FAR


def read_newest(store: Store, database: str, *, before: datetime | None = None) -> Manifest | None:
    """The artifact that the next night is held against, without reading what is older. None where there is none.

    It is the one captured last, sound or not, but for those of another source that nobody has confirmed, and those
    that are dated after now.

    Args:
        store: to look into.
        database: whose artifacts.
        before: leaves out what was captured then or later.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed.
    """
    latest = f"{database}/{_second(min(before or latest_possible(), latest_possible()))}"

    def in_time(key: str) -> bool:
        return key.partition("-")[0] <= latest

    # Ids begin with the second of their snapshot; two of the same second are told apart by their manifests.
    by_second = itertools.groupby(
        sorted(filter(in_time, _manifest_keys(store, database)), reverse=True),
        lambda key: key.partition("-")[0],
    )
    for _, keys in by_second:
        read_ones = [
            found
            for key in keys
            if isinstance(found := _read_one(store, key), Manifest)
            and (before is None or found.captured_at < before)
            and is_of_the_source(found)
        ]
        if read_ones:
            return max(read_ones, key=lambda manifest: (manifest.captured_at, manifest.artifact_id))
    return None


def newest_id(store: Store, database: str, *, before: datetime | None = None) -> str | None:
    """The id of what `read_newest` looks at first, without reading any manifest: also of one that isn't finished.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed.
    """
    latest = _second(min(before or latest_possible(), latest_possible()))
    return next((each for each in ids(store, database) if each.partition("-")[0] <= latest), None)


def ids(store: Store, database: str, *folder: str) -> tuple[str, ...]:
    """The ids of a database's artifacts, newest first, without reading any: also of one that isn't finished.

    Args:
        store: to look into.
        database: whose.
        folder: for the ids of drills and exercises, which have the same form, the folder that they lie in.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed.
    """
    return tuple(
        sorted(filter(is_artifact_id, store.folders(folder_prefix(database, *folder))), reverse=True)
    )


def read_each(
    store: Store, database: str, artifact_ids: Iterable[str]
) -> Iterator[Manifest | DamagedArtifact]:
    """The artifacts with these ids, in this order, each read when it's asked for; what has no manifest is none.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be read.
    """
    for artifact_id in artifact_ids:
        found = _read_one(store, f"{database}/{artifact_id}/{MANIFEST_NAME}")
        if found is not None:
            yield found


def _second(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _manifest_keys(store: Store, database: str) -> list[str]:
    return [
        entry.key
        for entry in store.list(f"{database}/")
        if entry.key.count("/") == 2 and entry.key.endswith(f"/{MANIFEST_NAME}")
    ]


def _read_one(store: Store, key: str) -> Manifest | DamagedArtifact | None:
    """What a manifest says; None where it isn't there, or no longer: retention deletes while others read."""
    prefix = key.removesuffix(f"/{MANIFEST_NAME}")
    try:
        manifest = from_bytes(store.read_small(key), origin=f"{store.describe()}/{key}")
    except ArtifactDamaged as error:
        return DamagedArtifact(prefix, error.what)
    except ArtifactMissing:
        return None
    if manifest.prefix != prefix:
        return DamagedArtifact(prefix, f"The manifest {key} says that it belongs to {manifest.prefix}.")
    return manifest


def newest_sound_of_week(artifacts: Sequence[Manifest], week: date) -> Manifest:
    """Picks what a weekly copy ships: the newest sound artifact of that week's nights.

    Args:
        artifacts: of one database, in any order.
        week: the week's Monday.

    Raises:
        ArtifactMissing: the week has no artifact, or no sound one.
    """
    of_week = [artifact for artifact in artifacts if week_of(artifact.night) == week]
    sound = [artifact for artifact in of_week if artifact.sound]
    if sound:
        return max(sound, key=lambda artifact: (artifact.captured_at, artifact.artifact_id))
    span = f"{week} to {week + timedelta(days=6)}"
    raise ArtifactMissing(
        f"The week {span} has {len(of_week)} artifact(s) in the store and none that is sound."
        if of_week
        else f"The week {span} has no artifact in the store.",
        meaning="Nothing was copied off-site for this week; an artifact of another week would be a false proof.",
        next_step="Look at that week's nights. A week that still runs: take a dump now, then copy again.",
    )


def newest_for_quarter(artifacts: Sequence[Manifest], quarter: date, today: date) -> Manifest:
    """Picks what a drill restores.

    For the quarter that today is in: the newest sound artifact, if it is young enough to be the
    copy of this week or the last. For a quarter that is over: the newest sound one of its nights.

    Args:
        artifacts: of one database, off-site, in any order.
        quarter: the quarter's first day.
        today: the local date.

    Raises:
        ArtifactMissing: there's no such artifact. An older one would be a proof of something else.
    """
    sound = [artifact for artifact in artifacts if artifact.sound]
    if quarter != quarter_of(today):
        sound = [artifact for artifact in sound if quarter_of(artifact.night) == quarter]
    newest = max(sound, key=lambda artifact: (artifact.captured_at, artifact.artifact_id), default=None)
    if newest is None:
        raise ArtifactMissing(
            f"No sound artifact is off-site{_for_quarter(quarter, today)}, among {len(artifacts)} that are there.",
            meaning="There is nothing to restore, so nothing was proven.",
            next_step="Copy one off-site (`hackorda-ops copy`, or the weekly copy in Dagster), then drill again. "
            "A past quarter whose artifacts are gone can't be made up for.",
        )
    if quarter == quarter_of(today) and today - newest.night > _OLDEST_FOR_DRILL:
        raise ArtifactMissing(
            f"The newest sound artifact off-site is {newest.artifact_id}, {(today - newest.night).days} days old.",
            meaning="The weekly copies have stopped. A drill of so old an artifact says nothing of today's backups.",
            next_step="Find out why the weekly copy fails, copy an artifact off-site, then drill again.",
        )
    return newest


def _for_quarter(quarter: date, today: date) -> str:
    return "" if quarter == quarter_of(today) else f" from {quarter_name(quarter)}"


def damaged_since(
    damaged: Sequence[DamagedArtifact], chosen: Manifest | None, quarter: date, today: date
) -> tuple[DamagedArtifact, ...]:
    """The damaged artifacts in whose place a drill of that quarter restores an older one, or none.

    Args:
        damaged: of one database, off-site.
        chosen: what is restored; None where there is nothing.
        quarter: the quarter's first day.
        today: the local date.
    """
    found = []
    for each in damaged:
        artifact_id = each.prefix.rpartition("/")[2]
        taken = moment_before_hyphen(artifact_id)
        if taken is None:
            continue  # no artifact of ours was ever called so
        of_quarter = quarter == quarter_of(today) or quarter_of(taken.date()) == quarter
        if of_quarter and (chosen is None or artifact_id > chosen.artifact_id):
            found.append(each)
    return tuple(found)


def choose(catalog: Catalog, artifact_id: str | None) -> Manifest:
    """Picks what a restore brings back: the one asked for, or else the newest sound one.

    Raises:
        ArtifactMissing: there's no such artifact.
    """
    if artifact_id is not None:
        for artifact in (*catalog.artifacts, *catalog.ahead):
            if artifact.artifact_id == artifact_id:
                return artifact
        problem = f"{catalog.location} has no artifact {artifact_id}."
    else:
        sound = [artifact for artifact in catalog.artifacts if artifact.sound]
        if sound:
            return sound[-1]
        problem = f"{catalog.location} has no sound artifact among {len(catalog.artifacts)}."
    raise ArtifactMissing(
        problem,
        meaning="There's nothing to bring back from this place.",
        next_step="List what there is with `hackorda-ops backups`, or look into the other place.",
    )
