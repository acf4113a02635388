"""What to use in place of an artifact that a drill found to be bad: the best of the others, by name."""

from dataclasses import replace

from hackorda_ops.artifacts.by_hand import copies_of
from hackorda_ops.artifacts.sealed import is_sealed
from hackorda_ops.drill.by_hand import instead_commands, needs_another
from hackorda_ops.drill.causes import causes_of, said
from hackorda_ops.drilling.result import DrillResult, Instead
from hackorda_ops.engines.registry import engine_that_wrote
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactMissing, OpsError
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import Held, read_judged
from hackorda_ops.unforeseen import described


def with_instead(result: DrillResult, protected: Protected) -> DrillResult:
    """The same drill with the artifact to use instead, where its own must not be restored.

    Nobody shall find the commands that restore a bad artifact in the report that says that it is bad.

    Args:
        result: the drill.
        protected: its database.
    """
    if not needs_another(result) or causes_of(result)[:1] in (("source",), ("identity",)):
        # Where the source itself is at fault, or the identity is another one, no other artifact is better.
        return result
    try:
        found, notes = _best_of_the_others(result, protected)
    except Exception as error:  # noqa: BLE001  # the verdict must not be lost with it
        why = error.what if isinstance(error, OpsError) else f"Unexpected error: {described(error)}."
        return replace(result, warnings=(*result.warnings, f"What to restore instead is not known: {why}"))
    warnings = (*result.warnings, *notes)
    if found is None:
        return replace(result, warnings=warnings)
    manifest = found.manifest
    result = replace(
        result,
        instead=Instead(manifest.artifact_id, found.location, found.judgement.sentence),
        by_hand=() if is_sealed(manifest) else engine_that_wrote(manifest).by_hand(manifest),
        warnings=warnings,
    )
    buckets = protected.policy.offsites
    bucket = copies_of(buckets, protected.environ, first=found.place) if found.place in buckets else None
    return replace(result, how_to_repeat=instead_commands(result, bucket))


def _best_of_the_others(result: DrillResult, protected: Protected) -> tuple[Held | None, tuple[str, ...]]:
    """The best artifact that counts as sound, with notes on what could not be read.

    Raises:
        OpsError: no place could be read.
    """
    own = said(result)
    judged = read_judged(protected.places, protected.name, tolerant=True, beside=(own,) if own else ())
    try:
        candidates = choose(judged, None).candidates
    except ArtifactMissing:
        return None, judged.notes
    return next((each for each in candidates if each.judgement.usable), None), judged.notes
