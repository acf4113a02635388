"""What the proof of a night found out: remembered beside the artifact that was restored for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from pydantic import TypeAdapter

from hackorda_ops.artifacts.beside import Beside
from hackorda_ops.artifacts.documents import Advice, Document
from hackorda_ops.drilling.result import ArtifactFacts, Stage
from hackorda_ops.errors import Problem
from hackorda_ops.findings import Finding
from hackorda_ops.proof.check import Check
from hackorda_ops.proof.verdict import Verdict
from hackorda_ops.stores.store import LOOK_WHO_WRITES

PROOFS_FOLDER: Final = "proofs"
PROOF_VERSION: Final = 1


@dataclass(frozen=True)
class NightProof:
    """A night's artifact, restored and compared.

    Attributes:
        proof_id: "YYYYMMDDTHHMMSSZ-xxxxxx", when it began.
        database: the database's name in databases.yaml.
        artifact: what was restored, and from where: the place that an emergency would restore it from first.
        files_sha256: which bytes it must have had (`artifacts.manifest.files_digest`).
        started_at, finished_at: aware, UTC.
        verdict: PASS, FAIL (the backup is not what it must be) or ERROR (could not judge).
        error: set with the verdict ERROR.
        findings: what makes it a FAIL, and what else was found.
        checks: what was to be proven, and what came of it.
        place: what it was restored on, in words, without secrets; None where nothing was.
        stages: how long each step took.
        recovery_seconds: from the first byte fetched to the last row in its place; None if it did not get there.
        warnings: what a reader should know beside the checks.
        run: the link to the run that proved it, or its id; None where no run did.
        product_version: of the release that did.
    """

    proof_id: str
    database: str
    artifact: ArtifactFacts
    files_sha256: str
    started_at: datetime
    finished_at: datetime
    verdict: Verdict
    error: Problem | None
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    place: str | None
    stages: tuple[Stage, ...]
    recovery_seconds: float | None
    warnings: tuple[str, ...] = ()
    run: str | None = None
    product_version: str = ""
    proof_version: Literal[1] = PROOF_VERSION

    @property
    def night(self) -> date:
        """The partition of what was restored."""
        return self.artifact.night

    @property
    def seconds(self) -> float:
        """How long all of it took."""
        return (self.finished_at - self.started_at).total_seconds()


_DOCUMENT: Final = Document(
    name="proof",
    adapter=TypeAdapter(NightProof),
    version_field="proof_version",
    version=PROOF_VERSION,
    unreadable=Advice("What it found is unknown.", LOOK_WHO_WRITES),
)
PROOFS: Final = Beside(
    PROOFS_FOLDER, _DOCUMENT, lambda proof: (proof.database, proof.artifact.artifact_id, proof.proof_id)
)
"""The proofs of a database's nights in a store."""


def each_once(found: Iterable[Iterable[NightProof]]) -> tuple[NightProof, ...]:
    """The proofs in several stores, oldest first; one that is readable in any of them counts once."""
    proofs = {each.proof_id: each for of_one in found for each in of_one}
    return tuple(proofs[each] for each in sorted(proofs))
