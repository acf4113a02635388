"""Which artifacts of a database are hidden in a place, by the listing of its versions. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from hackorda_ops.artifacts.ids import is_id
from hackorda_ops.artifacts.manifest import MANIFEST_NAME
from hackorda_ops.artifacts.verifications import VERIFICATIONS_FOLDER
from hackorda_ops.stores.store import PlaceName, StoredVersion
from hackorda_ops.stores.versions import newest_first
from hackorda_ops.words import counted, moment

# What nothing of ours ever deletes.
_EVIDENCE = frozenset({"drills", "exercises", "operations", "receipts", VERIFICATIONS_FOLDER})


@dataclass(frozen=True)
class HiddenArtifact:
    """An artifact with files that were there and aren't shown any more, while their versions are still kept.

    Attributes:
        artifact_id: its id.
        versions: every version and delete marker of all its files.
        hidden: the keys that have versions and show none.
        whole: whether its manifest is hidden too, and so the artifact; otherwise files are missing from it.
        deleted_at: when the last of the delete markers was put there, by the bucket's clock, aware.
    """

    artifact_id: str
    versions: tuple[StoredVersion, ...]
    hidden: tuple[str, ...]
    whole: bool
    deleted_at: datetime

    @property
    def size_bytes(self) -> int:
        """Of the newest version of each hidden file."""
        return sum(newest_first(self.versions, key)[0].size_bytes for key in self.hidden)

    @property
    def sentence(self) -> str:
        """As people read it, without a full stop."""
        what = "hidden" if self.whole else f"{counted(len(self.hidden), 'file')} of it hidden"
        return f"{self.artifact_id}: {what} behind delete markers since {moment(self.deleted_at)}"


def hidden_in(database: str, versions: Iterable[StoredVersion]) -> tuple[HiddenArtifact, ...]:
    """The artifacts of a database that are hidden, as a whole or in part, newest first.

    Args:
        database: its name in databases.yaml.
        versions: every version below its folder.
    """

    def artifact_id(version: StoredVersion) -> str:
        parts = version.key.split("/")
        return parts[1] if parts[0] == database and len(parts) > 2 and is_id(parts[1]) else ""

    found = []
    for each, of_one in groupby(sorted(versions, key=artifact_id, reverse=True), key=artifact_id):
        of_artifact = tuple(of_one)
        hidden = _hidden_keys(of_artifact)
        if each and hidden:
            found.append(
                HiddenArtifact(
                    each,
                    of_artifact,
                    hidden,
                    whole=f"{database}/{each}/{MANIFEST_NAME}" in hidden,
                    deleted_at=max(one.modified_at for one in of_artifact if one.marker),
                )
            )
    return tuple(found)


def hidden_evidence(database: str, versions: Iterable[StoredVersion]) -> tuple[StoredVersion, ...]:
    """The newest version of each hidden report, verification and event of a database, which nothing of ours deletes."""
    evidence = [each for each in versions if each.key.removeprefix(f"{database}/").split("/")[0] in _EVIDENCE]
    return tuple(newest_first(evidence, key)[0] for key in _hidden_keys(evidence))


def undelete_command(database: str, place: PlaceName, artifact_id: str | None = None) -> str:
    """The command that brings back what should be there, or one artifact.

    Args:
        database: its name in databases.yaml.
        place: where it's hidden.
        artifact_id: the artifact's; None for all that should be there.
    """
    only = f" --artifact {artifact_id}" if artifact_id else ""
    return f"hackorda-ops undelete {database}{only} --from {place}"


def _hidden_keys(versions: Iterable[StoredVersion]) -> tuple[str, ...]:
    """The keys whose current version is a delete marker, with something beneath it."""
    listed = tuple(versions)
    beneath = {each.key for each in listed if not each.marker and each.version_id is not None}
    return tuple(sorted(each.key for each in listed if each.marker and each.current and each.key in beneath))
