"""Which artifact a restore takes, and what it says of those that it doesn't take. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from hackorda_ops.errors import ArtifactMissing
from hackorda_ops.judgement.artifact import LAST_RESORT
from hackorda_ops.judgement.reading import Held, Judged

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


def choose(judged: Judged, artifact_id: str | None) -> ToRestore:
    """Picks the artifact to restore: the requested one, wherever it lies, or else the newest of the best.

    An artifact counts by what is known of it (`judgement.artifact`). Where several are as good, the newest is taken,
    and of one artifact in two places the off-site copy, which is the one that drills have restored.

    Args:
        judged: what there is.
        artifact_id: the requested one; None for the best.

    Raises:
        ArtifactMissing: there's no such artifact, or none that a restore may take without being asked for it by id.
    """
    if artifact_id is not None:
        return _requested(judged, artifact_id)
    there = sorted((each for each in judged.held if not each.ahead), key=_newness, reverse=True)
    candidates = [each for each in there if each.judgement.usable]
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
    return ToRestore(tuple(candidates), f"{first.location}: {first.judgement.sentence}.", newer)


def _newness(held: Held) -> tuple[object, ...]:
    return held.manifest.captured_at, held.manifest.artifact_id, held.place == "offsite"


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
    found.sort(key=lambda each: (each.judgement.state == "damaged", each.place != "offsite"))
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
        next_step="List what there is with `hackorda-ops backups`, or try the other location. To restore one of "
        "these all the same, name it: `--artifact ID`.",
    )
