"""Which artifact a restore takes, and what it says of those that it doesn't take. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hackorda_ops.artifacts.twins import Twin, Twins
from hackorda_ops.config.offsite import STORE
from hackorda_ops.errors import ArtifactMissing
from hackorda_ops.judgement.artifact import LAST_RESORT, USABLE, State
from hackorda_ops.judgement.reading import Held, Judged
from hackorda_ops.stores.store import PlaceName, Store

_SHOWN = 5


@dataclass(frozen=True)
class ToRestore:
    """What a restore takes.

    Attributes:
        candidates: what to try, in order: the next one only where the bytes of the one before are damaged.
        why: a sentence on the first.
        passed_over: newer ones that it doesn't take, newest first.
    """

    candidates: tuple[Held, ...]
    why: str
    passed_over: tuple[Held, ...]


def choose(judged: Judged, artifact_id: str | None, *, also: frozenset[State] = frozenset()) -> ToRestore:
    """Picks the artifact to restore: the requested one, wherever it lies, or else the newest of the best.

    An artifact counts by what is known of it (`judgement.artifact`). Where several are as good, the newest is taken,
    and of one artifact in two places the off-site copy, which is the one that drills have restored. A damaged copy
    counts where each of its damaged files can be taken from elsewhere.

    Args:
        judged: what there is.
        artifact_id: the requested one; None for the best.
        also: states that count as well: to verify the newest, whatever was seen of it before.

    Raises:
        ArtifactMissing: there's no such artifact, or none that a restore may take without being asked for it by id.
    """
    if artifact_id is not None:
        return _requested(judged, artifact_id)
    there = sorted((each for each in judged.held if not each.ahead), key=_newness, reverse=True)
    candidates = [
        each for each in there if each.judgement.state in USABLE | also or _can_be_mended(each, judged)
    ]
    candidates += [each for each in there if each.judgement.state in LAST_RESORT]
    if not candidates:
        raise _none(judged, there)
    first = candidates[0]
    # The same artifact in another place is no loss.
    newer = tuple(
        each
        for each in there
        if each not in candidates[:1]
        and not each.judgement.usable
        and each.manifest.captured_at >= first.manifest.captured_at
    )
    return ToRestore(
        tuple(candidates), f"{first.location}: {first.judgement.sentence}{_mended(first)}.", newer
    )


def command_for(held: Held) -> str:
    """The command that restores this artifact from this place, whatever is known of it."""
    manifest = held.manifest
    return f"hackorda-ops restore {manifest.database} --artifact {manifest.artifact_id} --from {held.place}"


def twins_for(held: Held, judged: Judged, places: Mapping[PlaceName, Store]) -> Twins:
    """Where each file of an artifact may be taken from, should it be damaged or missing where the artifact lies.

    Args:
        held: the artifact in the place that it is restored from.
        judged: everything that there is.
        places: the stores.
    """
    wanted = {entry.sha256 for entry in held.manifest.files}
    found: dict[str, list[Twin]] = {}
    # The artifact's own twin first, then what is nearest to it in time.
    others = sorted(
        _others(held, judged),
        key=lambda each: abs(each.manifest.captured_at - held.manifest.captured_at),
    )
    for other in others:
        for entry in other.manifest.files:
            if entry.sha256 in wanted and not _known_damaged(other, entry.path):
                twin = Twin(places[other.place], f"{other.manifest.prefix}/{entry.path}")
                found.setdefault(entry.sha256, []).append(twin)
    return found


def _others(held: Held, judged: Judged) -> list[Held]:
    return [each for each in judged.held if each.location != held.location]


def _known_damaged(held: Held, path: str) -> bool:
    damaged = held.judgement.damaged_files
    return damaged is not None and path in damaged


def _can_be_mended(held: Held, judged: Judged) -> bool:
    """Whether a damaged copy is as good as a usable one, because others have its damaged files."""
    judgement = held.judgement
    if judgement.state != "damaged" or judgement.if_whole not in USABLE or not judgement.damaged_files:
        return False
    wanted = {each.sha256 for each in held.manifest.files if each.path in judgement.damaged_files}
    elsewhere = {
        entry.sha256
        for other in _others(held, judged)
        # Where it isn't known which files are damaged, none is counted on.
        if other.judgement.damaged_files is not None
        for entry in other.manifest.files
        if not _known_damaged(other, entry.path)
    }
    return wanted <= elsewhere


def _mended(held: Held) -> str:
    return "; its damaged files can be taken from other copies" if held.judgement.state == "damaged" else ""


def _newness(held: Held) -> tuple[object, ...]:
    manifest = held.manifest
    return (
        manifest.captured_at,
        manifest.artifact_id,
        held.judgement.state != "damaged",
        held.place != STORE,
    )


def _requested(judged: Judged, artifact_id: str) -> ToRestore:
    found = [each for each in judged.held if each.manifest.artifact_id == artifact_id]
    if not found:
        where = " or ".join(each.location for each in judged.catalogs.values())
        raise ArtifactMissing(
            f"{where} has no artifact {artifact_id}.",
            meaning="There's nothing to restore from here.",
            next_step="List what there is with `hackorda-ops backups`, or try the other location.",
        )
    # A copy that is known to be damaged comes last: the other place has the same artifact.
    found.sort(key=lambda each: (each.judgement.state == "damaged", each.place == STORE))
    return ToRestore(
        tuple(found), f"{found[0].location}: {found[0].judgement.sentence}, and asked for by its id.", ()
    )


def _none(judged: Judged, there: Sequence[Held]) -> ArtifactMissing:
    where = " and ".join(each.location for each in judged.catalogs.values())
    problem = f"{where}: no sound artifact among {len(there)}."
    if there:
        shown = "; ".join(
            f"{each.manifest.artifact_id} ({each.place}): {each.judgement.sentence}"
            for each in there[:_SHOWN]
        )
        problem += f" {shown}{' …' if len(there) > _SHOWN else ''}."
    ahead = [each.manifest.artifact_id for each in judged.held if each.ahead]
    if ahead:
        problem += (
            f" Dated after now, and only taken when asked for by id: {', '.join(dict.fromkeys(ahead))}."
        )
    return ArtifactMissing(
        problem,
        meaning="There's nothing to restore from here.",
        next_step="List what there is with `hackorda-ops backups`, or try the other location."
        + (
            " To restore one of these all the same: "
            + "; ".join(f"`{command_for(each)}`" for each in there[:_SHOWN])
            + "."
            if there
            else ""
        ),
    )
