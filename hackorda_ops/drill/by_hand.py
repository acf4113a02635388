"""The commands of a report: they restore what was drilled, and after a FAIL of its data never that. Pure."""

from typing import Final

from hackorda_ops.artifacts.by_hand import Offsite
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.drill.causes import BESIDE_THE_DATA, causes_of
from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.drilling.result import DrillResult

_TARGET: Final = "export RESTORE_URL='postgresql://…'  # a new, empty database\n"


def restore_commands(offsite: Offsite, manifest: Manifest) -> str:
    """How to restore an artifact from off-site, on a machine that has nothing else.

    Args:
        offsite: the bucket.
        manifest: the artifact's.
    """
    return f"{_TARGET}{offsite.exports}\n{offsite.restore(manifest.database, manifest.artifact_id)}"


def must_not_be_restored(result: DrillResult) -> bool:
    """Whether a drill failed about the data of its artifact, so that nobody should restore it from there."""
    return any(each not in BESIDE_THE_DATA for each in causes_of(result))


def needs_another(result: DrillResult) -> bool:
    """Whether a restore needs another artifact: the drilled one is bad, or all that was found off-site is damaged."""
    return must_not_be_restored(result) or (result.verdict == "FAIL" and result.artifact is None)


def instead_commands(result: DrillResult, offsite: Offsite | None = None) -> str:
    """How to restore another artifact than the one that failed.

    Args:
        result: the drill, with what to use instead, if anything.
        offsite: the bucket, if that is where it lies; None for the nightly store.
    """
    bad = (
        f"# Do not restore {result.artifact.artifact_id} from off-site: {consequence_of(result).headline}.\n"
        if result.artifact
        else f"# Nothing was restored: {consequence_of(result).headline}.\n"
    )
    instead = result.instead
    if instead is None:
        which = "# Without --artifact the best of the others is taken, and restore says which one and why.\n"
        command = f"hackorda-ops restore {result.database} --to-env RESTORE_URL"
    else:
        which = f"# {instead.location}: {instead.known}.\n"
        command = (
            f"hackorda-ops restore {result.database} --artifact {instead.artifact_id} --from store --to-env RESTORE_URL"
            if offsite is None
            else f"{offsite.exports}\n{offsite.restore(result.database, instead.artifact_id)}"
        )
    return f"{bad}{which}{_TARGET}{command}"
