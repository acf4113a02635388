"""Reads everything that the readiness page shows of a database: every manifest, every drill, every byte kept."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.summaries import Summary
from hackorda_ops.drill.report.history import read_history
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.progress import OnProgress, ignore
from hackorda_ops.proof.verdict import Verdict
from hackorda_ops.readiness.standing import ArtifactSeen, Standing, read_standing, seen, unforeseen
from hackorda_ops.readiness.undrilled import undrilled
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import PlaceName, Store, StoredVersion, versions_or_files


@dataclass(frozen=True)
class DrillHeld:
    """What the trend needs of a drill; None where it wasn't measured, or had no artifact."""

    drill_id: str
    quarter: date
    started_at: datetime
    verdict: Verdict
    recovery_seconds: float | None
    rows: int | None
    size_bytes: int | None


@dataclass(frozen=True)
class Stored:
    """What a place keeps of a database.

    Attributes:
        place: which.
        location: the place, as people would name it.
        artifacts: how many can be read.
        damaged: how many can't.
        bytes_by_class: by storage class; "" where the place has none. Artifacts, reports and logs, and the
            old versions of them as well, because they are paid for; as far as the key has the right to list them.
        superseded_bytes: those old versions alone.
    """

    place: PlaceName
    location: str
    artifacts: int
    damaged: int
    bytes_by_class: Mapping[str, int]
    superseded_bytes: int

    @property
    def total_bytes(self) -> int:
        """Everything."""
        return sum(self.bytes_by_class.values())


@dataclass(frozen=True)
class Survey:
    """Everything that was read of a database.

    Attributes:
        standing: how it stands.
        artifacts: of the store and off-site, each once, oldest first.
        drills: oldest first, as `artifacts` without those that are dated in the future (`clocks.is_ahead`).
        stored: what each place keeps, as far as it could be read.
    """

    standing: Standing
    artifacts: tuple[ArtifactSeen, ...]
    drills: tuple[DrillHeld, ...]
    stored: tuple[Stored, ...]


def read_survey(
    protected: Protected, *, now: datetime, also: Iterable[str] = (), on_progress: OnProgress = ignore
) -> Survey:
    """Reads it all; a place that can't be read is left out, and `standing.problems` says so.

    Args:
        protected: the database.
        now: aware.
        also: what else is odd, a sentence each.
        on_progress: called for the manifests that this machine hasn't read before, from several threads.
    """
    name, standing = protected.name, read_standing(protected, now=now, counting=True)
    artifacts: dict[str, ArtifactSeen] = {}
    results: dict[str, DrillResult] = {}
    oldest: dict[PlaceName, datetime] = {}
    stored: list[Stored] = []
    problems = [*standing.problems, *also]
    for place in protected.place_names:
        try:
            store = protected.place(place)
            if protected.several_offsite:
                # One that doesn't answer must not keep the others waiting for minutes.
                store.with_patience(SOON).check()
            versions, _ = versions_or_files(store, f"{name}/")
            found = catalog.summarise(store, name, now=now, listed=versions, on_progress=on_progress)
            results |= {each.drill_id: each for each in read_history(store, name).until(now)}
            if found.artifacts:
                oldest[place] = found.artifacts[0].captured_at
            stored.append(_stored(place, store, versions, found))
        except Exception as error:  # noqa: BLE001  # one database must not cost the others their page
            why = error.what if isinstance(error, OpsError) else unforeseen(name, error)
            if not any(why in problem for problem in problems):
                problems.append(why)
            continue
        artifacts |= {each.artifact_id: seen(each) for each in found.artifacts}
    drills = {drill_id: _held(each) for drill_id, each in results.items()}
    places = {
        place: protected.place(place).describe() for place in protected.policy.offsites if place in oldest
    }
    problems += undrilled(places, oldest, results.values(), now)
    return Survey(
        standing=replace(standing, problems=tuple(problems)),
        artifacts=tuple(sorted(artifacts.values(), key=lambda each: (each.captured_at, each.artifact_id))),
        drills=tuple(sorted(drills.values(), key=lambda each: (each.started_at, each.drill_id))),
        stored=tuple(stored),
    )


def _stored(
    place: PlaceName, store: Store, versions: Iterable[StoredVersion], found: catalog.CatalogOf[Summary]
) -> Stored:
    by_class: Counter[str] = Counter()
    superseded_bytes = 0
    for version in versions:
        by_class[version.storage_class or ""] += version.size_bytes
        superseded_bytes += 0 if version.current else version.size_bytes
    return Stored(
        place,
        store.describe(),
        len(found.artifacts) + len(found.ahead),
        len(found.damaged),
        dict(by_class),
        superseded_bytes,
    )


def _held(drill: DrillResult) -> DrillHeld:
    return DrillHeld(
        drill_id=drill.drill_id,
        quarter=drill.quarter,
        started_at=drill.started_at,
        verdict=drill.verdict,
        recovery_seconds=drill.recovery_seconds,
        rows=drill.artifact.rows if drill.artifact else None,
        size_bytes=drill.artifact.size_bytes if drill.artifact else None,
    )
