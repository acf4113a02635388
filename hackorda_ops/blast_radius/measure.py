"""Measures what whoever owns this machine could destroy, with exactly the credentials that are here."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest
from hackorda_ops.blast_radius.radius import CopyAtRisk, PlaceRadius, Reach, of_place, reach_of
from hackorda_ops.blast_radius.remedies import BUCKET, FOLDER, role_remedies
from hackorda_ops.blast_radius.secrecy import Secrecy, secrecy_of
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.engines.rights import RoleRights, TellsRights
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.own_folders import private_folder
from hackorda_ops.stores.canary import CanaryAnswers, TriesCanaries
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.locks import FileLock, LocksFiles, locks_of
from hackorda_ops.stores.settings import TellsSettings
from hackorda_ops.stores.store import PlaceName, Store


@dataclass(frozen=True)
class BlastRadius:
    """What could be destroyed with the credentials of this machine.

    Attributes:
        database: its name in databases.yaml.
        at: when it was measured, aware.
        places: each place that there is.
        canaries: what the canaries showed, for each place that is a bucket.
        role: of the source; None where it couldn't be asked.
        role_remedies: what to change about it, a statement or a sentence each.
        secrecy: what could be read of encrypted artifacts.
        not_measured: a sentence for whatever couldn't be.
        unreached: the places that could not be looked at.
    """

    database: str
    at: datetime
    places: tuple[PlaceRadius, ...]
    canaries: dict[PlaceName, CanaryAnswers]
    role: RoleRights | None
    role_remedies: tuple[str, ...]
    not_measured: tuple[str, ...]
    secrecy: Secrecy
    unreached: tuple[PlaceName, ...] = ()

    @property
    def survivors(self) -> tuple[PlaceRadius, ...]:
        """The places that would still hold an artifact for long enough."""
        return tuple(each for each in self.places if each.holds(self.at))

    @property
    def sentence(self) -> str:
        """The answer in a sentence, without a full stop."""
        if not any(each.lost or each.survives for each in self.places):
            return "No copy was found that could survive the theft of this machine"
        if not self.survivors and (self.unreached or any(each.reach == "unknown" for each in self.places)):
            return (
                "No copy is known to survive the theft of this machine, but not everything could be measured"
            )
        if not self.survivors:
            return "Whoever owns this machine could destroy every copy"
        newest = max(each.newest_survivor for each in self.survivors if each.newest_survivor)
        days = (self.at - newest).days
        where = ", ".join(each.place for each in self.survivors)
        return f"A copy that is {days} days old would survive the theft of this machine ({where})"


def measure(protected: Protected, *, now: datetime | None = None) -> BlastRadius:
    """Measures: tries rights on canaries in each bucket, and asks the source. Nothing else is touched.

    Args:
        protected: the database.
        now: the present, aware; None for this machine's.
    """
    now = now or datetime.now(UTC)
    radii: list[PlaceRadius] = []
    canaries: dict[PlaceName, CanaryAnswers] = {}
    not_measured: list[str] = []
    unreached: list[PlaceName] = []
    for place, store in protected.places.items():
        try:
            radius, answers = _of_place(protected, place, store, now)
        except OpsError as error:
            not_measured.append(f"{place}: {error.what}")
            unreached.append(place)
            continue
        radii.append(radius)
        if answers is not None:
            canaries[place] = answers
            if answers.left:
                not_measured.append(
                    f"{place}: {len(answers.left)} canaries stay until a later run can remove them."
                )
    if protected.policy.keeps_history:
        not_measured.append(
            "history: a key that makes branches at the provider is taken to be able to delete them, and the history "
            "with the project; give it to this project alone."
        )
    role = _role(protected, not_measured)
    return BlastRadius(
        protected.name,
        now,
        tuple(radii),
        canaries,
        role,
        role_remedies(role) if role else (),
        tuple(not_measured),
        secrecy_of(protected),
        tuple(unreached),
    )


def _of_place(
    protected: Protected, place: PlaceName, store: Store, now: datetime
) -> tuple[PlaceRadius, CanaryAnswers | None]:
    answers: CanaryAnswers | None = None
    remedies: tuple[str, ...] = FOLDER
    manifests = catalog.read(store, protected.name, now=now).artifacts
    if isinstance(store, TriesCanaries):
        locks = isinstance(store, TellsSettings) and store.settings().lock is not False
        answers = store.try_canaries(now, locks=locks)
        copies = _copies(store, manifests, locked=locks)
        modes = {each.lock.mode for each in copies if each.lock.mode}
        asked = "governance" if "governance" in modes else next(iter(modes), None)
        reach = reach_of(answers, asked=asked)
        remedies = BUCKET
    else:
        reach = _of_folder(store)
        copies = _copies(store, manifests, locked=False)
    return of_place(place, store.describe(), reach, copies, remedies=remedies, now=now), answers


def _copies(store: Store, manifests: Sequence[Manifest], *, locked: bool) -> list[CopyAtRisk]:
    keys = {each.artifact_id: f"{each.prefix}/{MANIFEST_NAME}" for each in manifests}
    found: dict[str, FileLock] = {}
    if locked and isinstance(store, LocksFiles):
        found = locks_of(store, keys.values())
    return [
        CopyAtRisk(each.artifact_id, each.captured_at, found.get(keys[each.artifact_id], FileLock()))
        for each in manifests
    ]


def _of_folder(store: Store) -> tuple[Reach, str]:
    if not isinstance(store, FolderStore):
        return "unknown", "nothing tells what may be deleted there"
    if os.access(store.root, os.W_OK | os.X_OK):
        return "everything", "this user may delete what lies there"
    return "nothing", "this user may only read there"


def _role(protected: Protected, not_measured: list[str]) -> RoleRights | None:
    engine = engine_of(protected.policy)
    if not isinstance(engine, TellsRights):
        not_measured.append(f"source: {engine.name} can't be asked what a user may do.")
        return None
    try:
        with private_folder() as private:
            return engine.role_rights(protected, private_folder=private)
    except OpsError as error:
        not_measured.append(f"source: {error.what}")
        return None
