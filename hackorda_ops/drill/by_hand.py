"""The commands of a report: they restore what was drilled, and after a FAIL of its data never that. Pure."""

from typing import Final

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.drill.causes import BESIDE_THE_DATA, causes_of
from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.drilling.result import DrillResult

_TARGET: Final = "export RESTORE_URL='postgresql://…'  # a new, empty database\n"


def restore_commands(offsite: str, manifest: Manifest) -> str:
    """How to restore an artifact from off-site.

    Args:
        offsite: the bucket, as people would name it.
        manifest: the artifact's.
    """
    return (
        f"{_TARGET}"
        "export OFFSITE_ACCESS_KEY_ID=… OFFSITE_SECRET_ACCESS_KEY=…\n"
        f"hackorda-ops restore {manifest.database} --artifact {manifest.artifact_id} --offsite {offsite} "
        "--to-env RESTORE_URL"
    )


def must_not_be_restored(result: DrillResult) -> bool:
    """Whether a drill failed about the data of its artifact, so that nobody should restore it from there."""
    return any(each not in BESIDE_THE_DATA for each in causes_of(result))


def needs_another(result: DrillResult) -> bool:
    """Whether a restore needs another artifact: the drilled one is bad, or all that was found off-site is damaged."""
    return must_not_be_restored(result) or (result.verdict == "FAIL" and result.artifact is None)


def instead_commands(result: DrillResult, place: str | None = None) -> str:
    """How to restore another artifact than the one that failed.

    Args:
        result: the drill, with what to use instead, if anything.
        place: where that lies, as `restore --from` calls it; None for whichever is the best when somebody needs it.
    """
    bad = (
        f"# Do not restore {result.artifact.artifact_id} from off-site: {consequence_of(result).headline}.\n"
        if result.artifact
        else f"# Nothing was restored: {consequence_of(result).headline}.\n"
    )
    if result.instead is None or place is None:
        which = "# Without --artifact the best of the others is taken, and restore says which one and why.\n"
        argument = ""
    else:
        which = f"# {result.instead.location}: {result.instead.known}.\n"
        argument = f" --artifact {result.instead.artifact_id} --from {place}"
    return f"{bad}{which}{_TARGET}hackorda-ops restore {result.database}{argument} --to-env RESTORE_URL"
