"""One artifact, wherever it lies, and what has been found out about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.operations_log import Event, read_log
from hackorda_ops.artifacts.verifications import Verification, read_verifications, verification_keys
from hackorda_ops.drill.causes import DrillSaid
from hackorda_ops.drill.report.history import read_history
from hackorda_ops.errors import OpsError
from hackorda_ops.judgement.reading import Held, drills_said
from hackorda_ops.stores.store import PlaceName, Store


@dataclass(frozen=True)
class Proofs:
    """What has been found out about an artifact.

    Attributes:
        manifest: the artifact's.
        held: each place that has it, with what is known of it there.
        drills: what drills said of it, oldest first.
        verifications: what reading its bytes found, in any place, oldest first.
        events: its lines in the operations log, oldest first: restores, for example.
        notes: what couldn't be read, a sentence each.
    """

    manifest: Manifest
    held: tuple[Held, ...]
    drills: tuple[DrillSaid, ...]
    verifications: tuple[Verification, ...]
    events: tuple[Event, ...]
    notes: tuple[str, ...]


def read_proofs(places: Mapping[PlaceName, Store], held: Iterable[Held]) -> Proofs:
    """Reads what drills, verifications and the operations log say of an artifact.

    Args:
        places: the stores to look into.
        held: the artifact in each place that has it; at least one.
    """
    found = tuple(held)
    manifest = found[0].manifest
    notes: list[str] = []
    histories = []
    events: dict[Event, None] = {}
    verifications: dict[str, Verification] = {}
    for store in places.values():
        try:
            histories.append(read_history(store, manifest.database))
            events |= dict.fromkeys(read_log(store, manifest.database))
            keys = verification_keys(store, manifest.database)
            read, unread = read_verifications(store, manifest.database, keys, (manifest.artifact_id,))
            verifications |= {each.verification_id: each for each in read}
            notes += unread
        except OpsError as error:
            notes.append(f"{store.describe()} can't be read completely: {error.what}")
    about = (each for each in drills_said(histories) if each.artifact_id == manifest.artifact_id)
    return Proofs(
        manifest,
        found,
        tuple(sorted(about, key=lambda each: (each.ended_at, each.drill_id))),
        tuple(
            sorted(
                # One of other bytes is about another artifact, whatever its id.
                (each for each in verifications.values() if each.files_sha256 == manifest.files_sha256),
                key=lambda each: (each.ended_at, each.verification_id),
            )
        ),
        tuple(
            sorted(
                (each for each in events if manifest.artifact_id in f"{each.subject} {each.detail}"),
                key=lambda each: each.at,
            )
        ),
        tuple(notes),
    )
