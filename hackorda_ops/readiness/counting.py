"""Reads what `counted` counts: of one artifact, in which places it is, proven, and locked."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, files_digest
from hackorda_ops.artifacts.verifications import Verification
from hackorda_ops.config.offsite import STORE
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.judgement.artifact import ArtifactJudgement
from hackorda_ops.readiness.counted import CopySeen, Counted
from hackorda_ops.readiness.reading import Listed
from hackorda_ops.stores.store import PlaceName, Store


def count_copies(
    protected: Protected,
    listed: Mapping[PlaceName, Listed],
    artifact: Manifest,
    *,
    judged: Callable[[Listed, Manifest], ArtifactJudgement],
    verifications: Sequence[Verification],
    errors: Sequence[str],
    now: datetime,
) -> Counted:
    """Counts the copies of an artifact.

    Args:
        protected: the database.
        listed: the places that could be read.
        artifact: the artifact.
        judged: what is known of it in a place.
        verifications: what was seen of its bytes anywhere.
        errors: what proofs found against any copy.
        now: the present, aware.
    """
    seen, found = [], list(errors)
    for name, place in protected.places.items():
        if name not in listed:
            seen.append(CopySeen(name, place.location(), off_site=name != STORE, read=False))
            continue
        store = listed[name].store
        there = artifact.artifact_id in listed[name].artifact_ids and _has(store, artifact)
        judgement = judged(listed[name], artifact) if there else None
        if judgement is not None and judgement.state == "damaged":
            found.append(f"{artifact.artifact_id} in {name}: {judgement.sentence}.")
        seen.append(
            CopySeen(
                name,
                place.location(),
                off_site=name != STORE,
                there=there,
                proven=judgement is not None
                and judgement.state != "damaged"
                and (name == protected.nights_in or _was_read_back(store, artifact, verifications)),
                locked_until=_locked_until(store, artifact) if there else None,
            )
        )
    return Counted(protected.name, artifact.artifact_id, now, tuple(seen), tuple(dict.fromkeys(found)))


def _has(store: Store, artifact: Manifest) -> bool:
    try:
        return next(catalog.read_each(store, artifact.database, [artifact.artifact_id]), None) == artifact
    except OpsError:
        return False


def _was_read_back(store: Store, artifact: Manifest, verifications: Sequence[Verification]) -> bool:
    location, digest = f"{store.describe()}/{artifact.prefix}", files_digest(artifact.files)
    return any(
        each.sound and each.location == location and each.files_sha256 == digest for each in verifications
    )


def _locked_until(store: Store, artifact: Manifest) -> datetime | None:
    """Until when the manifest is held: it is written last, and without it there is no artifact."""
    key = f"{artifact.prefix}/{MANIFEST_NAME}"
    try:
        version = next((each for each in store.files(f"{artifact.prefix}/") if each.key == key), None)
        return store.locked_until(version) if version is not None else None
    except OpsError:
        return None
