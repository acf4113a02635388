"""What readiness says of an artifact, a drill and a proven restore point."""

from dataclasses import dataclass
from datetime import date, datetime

from hackorda_ops.proof.verdict import Verdict


@dataclass(frozen=True)
class ArtifactSeen:
    """An artifact in the nightly store or off-site.

    Attributes:
        artifact_id: its id.
        night: its partition.
        captured_at: the moment that it holds, in UTC.
        sound: whether it counts as a sound backup (`judgement.artifact`).
        size_bytes: of all its files.
        judgement: what is known of it where it lies, as people read it.
    """

    artifact_id: str
    night: date
    captured_at: datetime
    sound: bool
    size_bytes: int
    judgement: str = ""


@dataclass(frozen=True)
class DrillSeen:
    """A drill, whatever its verdict.

    Attributes:
        beside_the_data: what it failed about although the data came back, as a clause; "" where it didn't, or passed.
        headline: what a FAIL is about, as a clause; "" for any other verdict.
        colour: of that FAIL, as "#rrggbb".
        next_step: what to do about it; "" after a PASS.
    """

    drill_id: str
    quarter: date
    verdict: Verdict
    drilled_at: datetime
    beside_the_data: str = ""
    next_step: str = ""
    headline: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Proof:
    """A restore point that a drill, or the proof of its night, has proven.

    Attributes:
        drill_id: the id of the drill or the proof.
        quarter: the drill's partition; None of a proof.
        artifact_id: what it restored.
        captured_at: the moment that the artifact holds, in UTC.
        drilled_at: when the drill or the proof began.
        recovery_seconds: what the recovery took; None where it wasn't measured.
        kept: False where neither the store nor off-site has a manifest of it that can be read.
    """

    drill_id: str
    quarter: date | None
    artifact_id: str
    captured_at: datetime
    drilled_at: datetime
    recovery_seconds: float | None
    kept: bool


@dataclass(frozen=True)
class ProofSeen:
    """The newest proof of a night, whatever its verdict.

    Attributes:
        proof_id: its id.
        night: the partition of what it restored.
        verdict: PASS, FAIL or ERROR.
        proven_at: when it began.
        about: what a FAIL is about, as a clause, or why it could not judge; "" after a PASS.
        next_step: what to do about it; "" after a PASS.
        demanded: whether somebody has asked for proofs, so that its absence counts.
    """

    proof_id: str
    night: date
    verdict: Verdict
    proven_at: datetime
    about: str = ""
    next_step: str = ""
    demanded: bool = True
