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


def instead_commands(result: DrillResult) -> str:
    """How to restore another artifact than the one that failed: whichever is the best when somebody needs it."""
    bad = result.artifact.artifact_id if result.artifact else ""
    return (
        f"# Do not restore {bad} from off-site: {consequence_of(result).headline}.\n"
        "# Without --artifact the best of the others is taken, and restore says which one and why.\n"
        f"{_TARGET}hackorda-ops restore {result.database} --to-env RESTORE_URL"
    )
