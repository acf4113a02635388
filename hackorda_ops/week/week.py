"""A week: the newest sound nightly of that week, copied off-site and proven by reading it back."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from hackorda_ops.artifacts import catalog, choosing
from hackorda_ops.artifacts.copying import CopyResult, OtherBytes, copy_artifact, end_abandoned_uploads
from hackorda_ops.artifacts.key_files import keys_to_copy
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest
from hackorda_ops.artifacts.verifications import remember, verification_of
from hackorda_ops.calendar.clocks import clock_concerns
from hackorda_ops.concerns import require_none
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.progress import OnProgress, ignore
from hackorda_ops.receipts.record import Line, recorded
from hackorda_ops.receipts.verify import Head
from hackorda_ops.safekeeping.locks import LocksReadBack, read_back
from hackorda_ops.stores.store import Store
from hackorda_ops.week.apart import require_copies, require_two_places
from hackorda_ops.words import named, size


@dataclass(frozen=True)
class Week:
    """A finished week.

    Attributes:
        manifest: the artifact that was copied.
        copy: how much was copied and read back.
        location: where the copy lies, as people would name it.
        ended_uploads: abandoned multipart uploads of earlier runs that were ended.
        repaired: a sentence for each older copy off-site that was damaged, and was repaired from the store.
        not_repaired: a sentence for each that could not be, with the reason.
        locks: of the copy's files, read back; None where the bucket isn't to lock any.
        receipt: the number and hash of its receipt; None where that waits.
    """

    manifest: Manifest
    copy: CopyResult
    location: str
    ended_uploads: tuple[str, ...]
    repaired: tuple[str, ...] = ()
    not_repaired: tuple[str, ...] = ()
    locks: LocksReadBack | None = None
    receipt: Head | None = None


def ship_week(
    protected: Protected,
    *,
    week: date,
    passing_over: Collection[str] = (),
    repairing: Iterable[Manifest] = (),
    on_progress: OnProgress = ignore,
) -> Week:
    """Copies a week's newest sound artifact from the store to the off-site bucket, and repairs damaged copies there.

    Args:
        protected: the database.
        week: the week's Monday.
        passing_over: ids of artifacts that are known not to restore, whatever their night found.
        repairing: artifacts that are damaged off-site, and sound in the store.
        on_progress: called at every stage, from more than one thread.

    Raises:
        ArtifactMissing: that week has no sound artifact.
        ConfigError: variables are missing, or off-site is the store itself: then there is nothing to copy.
        OpsError: whatever the store or the bucket says; what was copied so far is no artifact yet.
    """
    require_copies(protected)
    protected.require("store", "offsite")
    with recorded("copy", protected, subject=f"week of {week}") as line:
        listed = catalog.read(protected.store, protected.name)
        done = _ship(protected, choosing.newest_sound_of_week(listed, week, passing_over), on_progress)
        done = _repaired(protected, done, repairing, on_progress)
        _say(line, done, protected.offsite)
    return replace(done, receipt=line.receipt)


def ship(
    protected: Protected,
    artifact: Manifest,
    *,
    repairing: Iterable[Manifest] = (),
    on_progress: OnProgress = ignore,
) -> Week:
    """Copies one artifact off-site; see `ship_week`.

    Args:
        protected: the database.
        artifact: the artifact's manifest.
        repairing: artifacts that are damaged off-site, and sound in the store.
        on_progress: called at every stage, from more than one thread.
    """
    require_copies(protected)
    protected.require("store", "offsite")
    with recorded("copy", protected, subject=artifact.artifact_id) as line:
        done = _repaired(protected, _ship(protected, artifact, on_progress), repairing, on_progress)
        _say(line, done, protected.offsite)
    return replace(done, receipt=line.receipt)


def repair_store(protected: Protected, artifact: Manifest, *, on_progress: OnProgress = ignore) -> Week:
    """Copies an artifact from off-site over its twin in the store, which repairs that; see `ship_week`.

    Args:
        protected: the database.
        artifact: the artifact's manifest.
        on_progress: called at every stage, from more than one thread.
    """
    require_copies(protected)
    protected.require("store", "offsite")
    store, offsite = protected.store, protected.offsite
    require_two_places(protected.name, store, offsite)
    with recorded("copy", protected, subject=artifact.artifact_id) as line:
        copied = _copied(offsite, store, artifact, on_progress)
        done = Week(artifact, copied, f"{store.describe()}/{artifact.prefix}", ())
        _say(line, done, store)
    return replace(done, receipt=line.receipt)


def _ship(protected: Protected, artifact: Manifest, on_progress: OnProgress) -> Week:
    store, offsite = protected.store, protected.offsite
    require_two_places(protected.name, store, offsite)
    # It answers, and its clock is right enough for its locks and life-cycle rules.
    clocks = clock_concerns({"the bucket": offsite.clock_ahead()})
    require_none([each for each in clocks if each.severity == "stops the night"])
    copied = _copied(store, offsite, artifact, on_progress)
    # Housekeeping comes last: a key without the right to list uploads must not cost the week its copy.
    ended = end_abandoned_uploads(offsite, protected.name)
    return Week(
        artifact,
        copied,
        f"{offsite.describe()}/{artifact.prefix}",
        ended,
        locks=read_back(offsite, artifact, now=datetime.now(UTC)),
    )


def _copied(source: Store, destination: Store, artifact: Manifest, on_progress: OnProgress) -> CopyResult:
    """Copies an artifact, and remembers what was seen of it in both places."""
    began_at, other_bytes = datetime.now(UTC), OtherBytes()

    def saw(place: Store, damaged: Iterable[str]) -> None:
        location = f"{place.describe()}/{artifact.prefix}"
        seen = verification_of(artifact, location, by="copy", began_at=began_at, damaged_files=damaged)
        remember((source, destination), seen)

    try:
        copied = copy_artifact(
            source,
            destination,
            prefix=artifact.prefix,
            files=(*artifact.files, *keys_to_copy(source, destination, artifact)),
            # The stored bytes and not the parsed manifest: a copy must be byte for byte the same.
            manifest_bytes=source.read_small(f"{artifact.prefix}/{MANIFEST_NAME}"),
            other_bytes=other_bytes,
            on_progress=on_progress,
        )
    except OpsError:
        for place, damaged in ((source, other_bytes.in_source), (destination, other_bytes.in_destination)):
            if damaged:
                saw(place, damaged)
        raise
    # Every file was read back.
    saw(destination, ())
    return copied


def _repaired(protected: Protected, week: Week, damaged: Iterable[Manifest], on_progress: OnProgress) -> Week:
    """Copies what is damaged off-site once more; what can't be repaired must not cost the week its copy."""
    repaired: list[str] = []
    not_repaired: list[str] = []
    for artifact in damaged:
        if artifact.artifact_id == week.manifest.artifact_id:
            continue
        location = f"{protected.offsite.describe()}/{artifact.prefix}"
        try:
            copied = _copied(protected.store, protected.offsite, artifact, on_progress)
        except OpsError as error:
            not_repaired.append(f"{location} is damaged, and was not repaired: {error.what}")
        else:
            repaired.append(f"{location} was damaged, and was repaired: {named(copied.repaired)}")
    return replace(week, repaired=tuple(repaired), not_repaired=tuple(not_repaired))


def _say(line: Line, week: Week, place: Store) -> None:
    line.detail = _told(week)
    line.saw(place, week.manifest.prefix)


def _told(week: Week) -> str:
    shipped = (
        f"{week.location}: {week.copy.files} files, {size(week.copy.bytes_copied)} copied, "
        f"{size(week.copy.bytes_read_back)} read back and equal to the manifest."
    )
    locked = (week.locks.sentence,) if week.locks else ()
    return " ".join((shipped, *locked, *(f"{each}." for each in week.repaired), *week.not_repaired))
