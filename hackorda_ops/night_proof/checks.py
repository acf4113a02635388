"""What the proof of a night proves: the checks of a drill that need the artifact and its restored copy alone."""

from collections.abc import Sequence
from typing import Final

from hackorda_ops.drill.checks import scratch_gone
from hackorda_ops.drill.checks.offsite_equals_manifest import fetched_findings
from hackorda_ops.drilling.declaration import PROOF_FILES, DrillCheck, Drilling
from hackorda_ops.engines.registry import ENGINES
from hackorda_ops.stores.store import Store

FILES_CHECK: Final = DrillCheck(
    name=PROOF_FILES,
    title="The artifact is what its manifest says",
    description="Every file of the artifact, where a restore would take it from, is what the manifest says.",
    essential=True,
)


def checks_of_proof(engine: str) -> tuple[DrillCheck, ...]:
    """Every check of the proof of a night.

    Args:
        engine: the database's, by its key.
    """
    of_engine = (each for each in ENGINES[engine].checks if each.each_night)
    return (FILES_CHECK, *of_engine, scratch_gone.CHECK)


def fetched(stores: Sequence[Store], drilling: Drilling) -> bool:
    """Fetches the artifact and reads every file of it; whether it is what its manifest says.

    Args:
        stores: where it lies; see `fetched_findings`.
        drilling: the proof.

    Raises:
        OpsError: it can't be read.
    """
    manifest, findings = drilling.manifest, fetched_findings(stores, drilling)
    drilling.record.check(
        FILES_CHECK.name,
        findings,
        passed=f"All {len(manifest.files)} files have the manifest's bytes, and all {manifest.contents} in them are "
        "what it says.",
        failed="The artifact is not what its manifest says, so nothing was restored from it",
    )
    return not findings
