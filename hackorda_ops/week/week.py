"""A week: the newest sound nightly of that week, copied off-site and proven by reading it back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from hackorda_ops.artifacts import catalog, choosing
from hackorda_ops.artifacts.copying import CopyResult, copy_artifact, end_abandoned_uploads
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest
from hackorda_ops.artifacts.operations_log import logged
from hackorda_ops.calendar.clocks import clock_concerns
from hackorda_ops.concerns import require_none
from hackorda_ops.environment import Protected
from hackorda_ops.progress import OnProgress, ignore
from hackorda_ops.week.apart import require_copies, require_two_places
from hackorda_ops.words import size


@dataclass(frozen=True)
class Week:
    """A finished week.

    Attributes:
        manifest: the artifact that was copied.
        copy: how much was copied and read back.
        location: where the copy lies, as people would name it.
        ended_uploads: abandoned multipart uploads of earlier runs that were ended.
    """

    manifest: Manifest
    copy: CopyResult
    location: str
    ended_uploads: tuple[str, ...]


def ship_week(
    protected: Protected,
    *,
    week: date,
    passing_over: Collection[str] = (),
    on_progress: OnProgress = ignore,
) -> Week:
    """Copies a week's newest sound artifact from the store to the off-site bucket.

    Args:
        protected: the database.
        week: the week's Monday.
        passing_over: ids of artifacts that are known not to restore, whatever their night found.
        on_progress: called at every stage, from more than one thread.

    Raises:
        ArtifactMissing: that week has no sound artifact.
        ConfigError: variables are missing, or off-site is the store itself: then there is nothing to copy.
        OpsError: whatever the store or the bucket says; what was copied so far is no artifact yet.
    """
    require_copies(protected)
    protected.require("store", "offsite")
    with logged("copy", protected.known_stores, protected.name, subject=f"week of {week}") as line:
        listed = catalog.read(protected.store, protected.name)
        done = _ship(protected, choosing.newest_sound_of_week(listed, week, passing_over), on_progress)
        line.detail = _told(done)
    return done


def ship(protected: Protected, artifact: Manifest, *, on_progress: OnProgress = ignore) -> Week:
    """Copies one artifact off-site; see `ship_week`.

    Args:
        protected: the database.
        artifact: the artifact's manifest.
        on_progress: called at every stage, from more than one thread.
    """
    require_copies(protected)
    protected.require("store", "offsite")
    with logged("copy", protected.known_stores, protected.name, subject=artifact.artifact_id) as line:
        done = _ship(protected, artifact, on_progress)
        line.detail = _told(done)
    return done


def _ship(protected: Protected, artifact: Manifest, on_progress: OnProgress) -> Week:
    store, offsite = protected.store, protected.offsite
    require_two_places(protected.name, store, offsite)
    # It answers, and its clock is right enough for its locks and life-cycle rules.
    clocks = clock_concerns({"the bucket": offsite.clock_ahead()})
    require_none([each for each in clocks if each.severity == "stops the night"])
    copied = copy_artifact(
        store,
        offsite,
        prefix=artifact.prefix,
        files=artifact.files,
        # The stored bytes and not the parsed manifest: a copy must be byte for byte the same.
        manifest_bytes=store.read_small(f"{artifact.prefix}/{MANIFEST_NAME}"),
        on_progress=on_progress,
    )
    # Housekeeping comes last: a key without the right to list uploads must not cost the week its copy.
    ended = end_abandoned_uploads(offsite, protected.name)
    return Week(artifact, copied, f"{offsite.describe()}/{artifact.prefix}", ended)


def _told(week: Week) -> str:
    return (
        f"{week.location}: {week.copy.files} files, {size(week.copy.bytes_copied)} copied, "
        f"{size(week.copy.bytes_read_back)} read back and equal to the manifest."
    )
