"""What readiness says of the proofs of nights. Pure."""

from collections.abc import Callable, Iterable, Sequence

from hackorda_ops.config.models import Policy
from hackorda_ops.drill.causes import DrillSaid, said
from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.drilling.night_proof import NightProof
from hackorda_ops.judgement.artifact import last_word
from hackorda_ops.readiness.seen import Proof, ProofSeen


def newest_proven(
    proofs: Sequence[NightProof], drills: Sequence[DrillSaid], kept: Callable[[str], bool]
) -> Proof | None:
    """The restore point that the newest proof of a night has proven, and that nothing has taken back since.

    Args:
        proofs: newest first.
        drills: what drills said.
        kept: whether an artifact, by its id, is still there.
    """
    others = (*said_by(proofs), *drills)
    for each in proofs:
        word = said(each)
        if word is not None and word.came_back and stands(word, others):
            return Proof(
                drill_id=each.proof_id,
                quarter=None,
                artifact_id=each.artifact.artifact_id,
                captured_at=each.artifact.captured_at,
                drilled_at=each.started_at,
                recovery_seconds=each.recovery_seconds,
                kept=kept(each.artifact.artifact_id),
            )
    return None


def stands(word: DrillSaid, others: Sequence[DrillSaid]) -> bool:
    """Whether nothing later that was said of the same artifact takes it back.

    Args:
        word: that its data came back.
        others: what else was said, of any artifact.
    """
    about = [each for each in (word, *others) if each.artifact_id == word.artifact_id]
    judged = [each for each in about if each.verdict != "ERROR"]
    last = last_word(sorted(judged, key=lambda each: each.drill_id, reverse=True))
    return last is not None and last.came_back


def said_by(proofs: Iterable[NightProof]) -> tuple[DrillSaid, ...]:
    """What proofs say of their artifacts."""
    return tuple(each for each in map(said, proofs) if each is not None)


def seen(proof: NightProof, policy: Policy) -> ProofSeen:
    """A proof, as it's shown.

    Args:
        proof: it.
        policy: the database's.
    """
    follows = consequence_of(proof) if proof.verdict == "FAIL" else None
    about = follows.headline if follows else proof.error.what if proof.error else ""
    step = follows.next_step if follows else proof.error.next_step if proof.error else ""
    return ProofSeen(
        proof.proof_id, proof.night, proof.verdict, proof.started_at, about, step, policy.proof.demanded
    )
