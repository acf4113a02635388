"""What deletions and killed runs leave behind in a place: half an artifact, and versions of what is gone. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from hackorda_ops.artifacts.ids import moment_of
from hackorda_ops.artifacts.manifest import MANIFEST_NAME
from hackorda_ops.artifacts.operations_log import PAGE_NAME
from hackorda_ops.calendar.partitions import night_of
from hackorda_ops.config.models import Schedule
from hackorda_ops.retention.plan import StoredArtifact
from hackorda_ops.stores.store import ABANDONED_AFTER, READINESS_PAGE, PlaceName, StoredVersion

_FILES: Final = "files without a manifest, which are no artifact"
_GONE: Final = "versions and delete markers of an artifact that was deleted"
_LOGS_PAGE: Final = "earlier versions of the operations log's page"
_READINESS_PAGE: Final = "earlier versions of the readiness page"


@dataclass(frozen=True)
class Leftover:
    """Something of ours that no artifact needs.

    Attributes:
        place: where it is.
        subject: "<database>/<artifact id>", or a page's key.
        versions: all that is left of it.
        remove: False: it stays for now.
        reason: why, in words.
        missed: a whole one would be kept, and nobody seems to be making one: retention didn't do this.
    """

    place: PlaceName
    subject: str
    versions: tuple[StoredVersion, ...]
    remove: bool
    reason: str
    missed: bool = False

    @property
    def of_files(self) -> bool:
        """Whether these are files, and not versions of what is gone."""
        return any(version.is_file for version in self.versions)

    @property
    def size_bytes(self) -> int:
        """What it takes up."""
        return sum(version.size_bytes for version in self.versions)


def remains(
    place: PlaceName, versions: Iterable[StoredVersion], schedule: Schedule
) -> tuple[StoredArtifact, ...]:
    """What is left of artifacts that have no manifest, as the artifacts that they may have been.

    The plan must not keep them either: if somebody deletes manifests, or artifacts in a bucket that keeps
    versions, retention must not delete the rest.

    Args:
        place: where.
        versions: every version below the database's folder there.
        schedule: of the database; its time zone says to which night an artifact belonged.
    """
    found = []
    for artifact_id, of_one in _by_artifact(versions):
        captured_at = moment_of(artifact_id)
        if captured_at is not None and not _has_manifest(of_one):
            found.append(
                StoredArtifact(
                    place=place,
                    artifact_id=artifact_id,
                    night=night_of(captured_at, schedule),
                    captured_at=captured_at,
                    sound=True,
                    size_bytes=sum(version.size_bytes for version in of_one),
                    written_at=max(version.modified_at for version in of_one),
                )
            )
    return tuple(found)


def leftovers(
    database: str,
    place: PlaceName,
    versions: Iterable[StoredVersion],
    *,
    wanted: Mapping[str, str],
    may_come: Collection[str],
    now: datetime,
) -> tuple[Leftover, ...]:
    """Finds what is left behind.

    Args:
        database: whose.
        place: where.
        versions: every version below the database's folder there, and of the readiness page beside it.
        wanted: why the plan would keep some of what is left, by artifact id.
        may_come: ids of artifacts that somebody may be copying there, or may resume copying at any time.
        now: the present, aware.
    """
    listed = tuple(versions)
    found = [
        _of_artifact(
            place,
            f"{database}/{artifact_id}",
            of_one,
            wanted=wanted.get(artifact_id),
            may_come=artifact_id in may_come,
            now=now,
        )
        for artifact_id, of_one in _by_artifact(listed)
        if not _has_manifest(of_one)
    ]
    for page, reason in ((f"{database}/{PAGE_NAME}", _LOGS_PAGE), (READINESS_PAGE, _READINESS_PAGE)):
        earlier = tuple(
            version
            for version in listed
            if version.key == page and not version.current and _left_alone((version,), now)
        )
        if earlier:
            found.append(Leftover(place, page, earlier, True, reason))
    return tuple(found)


def _of_artifact(
    place: PlaceName,
    subject: str,
    versions: tuple[StoredVersion, ...],
    *,
    wanted: str | None,
    may_come: bool,
    now: datetime,
) -> Leftover:
    files = tuple(version for version in versions if version.is_file)
    what, left = (_FILES, files) if files else (_GONE, versions)
    if not _left_alone(left, now):
        return Leftover(place, subject, left, False, f"{what}; written or deleted within the last day")
    if files and may_come:
        return Leftover(
            place, subject, left, False, f"{what}; the next attempt of a copy may continue with them"
        )
    if wanted is not None:
        return Leftover(
            place, subject, left, False, f"{what}; a whole one would be kept: {wanted}", missed=True
        )
    return Leftover(place, subject, left, True, what)


def _by_artifact(versions: Iterable[StoredVersion]) -> Iterator[tuple[str, tuple[StoredVersion, ...]]]:
    """What there is of each artifact, recognized by the form of its key, which nobody else's files have."""

    def artifact_id(version: StoredVersion) -> str:
        parts = version.key.split("/")
        return parts[1] if len(parts) > 2 else ""

    for found, of_one in groupby(sorted(versions, key=artifact_id), key=artifact_id):
        if moment_of(found) is not None:
            yield found, tuple(of_one)


def _has_manifest(versions: Iterable[StoredVersion]) -> bool:
    return any(each.is_file and each.key.split("/")[2:] == [MANIFEST_NAME] for each in versions)


def _left_alone(versions: Iterable[StoredVersion], now: datetime) -> bool:
    return all(now - version.modified_at > ABANDONED_AFTER for version in versions)
