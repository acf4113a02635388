"""What a drill, or a night's proof, says of the artifact that it restored, and what a FAIL is about. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from hackorda_ops.artifacts.ids import is_id
from hackorda_ops.drilling.declaration import FILES, PROOF_FILES, RESTORED, SELF_TEST
from hackorda_ops.drilling.for_the_source import FOR_THE_SOURCE
from hackorda_ops.drilling.night_proof import NightProof
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.finding_kinds import KINDS, UNKNOWN, Cause
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.proof.verdict import Verdict

# The worst first: the first that applies is the one that counts for the artifact.
WORST_FIRST: Final[tuple[Cause, ...]] = (
    "copy",
    "rows",
    "identity",
    "disagreement",
    "definitions",
    "source",
    "production",
    "migrations",
    "time",
)
# A FAIL about nothing else leaves the artifact as good as it was: its data came back.
BESIDE_THE_DATA: Final[frozenset[Cause]] = frozenset({"production", "migrations", "time"})
# The check of the files fails for newer, damaged artifacts as well; where this one's are at fault, nothing came back.
_OF_THE_DATA: Final = (RESTORED, SELF_TEST)


# What a night's proof doesn't look at: nothing of it is refuted by one that passed.
NOT_OF_A_PROOF: Final[frozenset[Cause]] = BESIDE_THE_DATA | {"disagreement"}
Trial = DrillResult | NightProof
"""What restores an artifact, and judges it."""


@dataclass(frozen=True)
class DrillSaid:
    """What one drill, or one night's proof, says of the artifact that it was about.

    Attributes:
        drill_id: its id.
        artifact_id: the artifact's.
        location: where it was fetched from: "<store>/<database>/<artifact id>".
        ended_at: when the drill ended, aware.
        verdict: PASS, FAIL or ERROR.
        causes: what a FAIL is about, the worst first; empty for any other verdict.
        came_back: whether every file, row, sequence and definition came back as the manifest has them, and the
            comparison was shown to notice a difference.
        damaged: what it found damaged in this copy: the subjects of those findings.
        by: what it was.
        files_sha256: which bytes the artifact must have had (`artifacts.manifest.files_digest`); "" where that was
            not written down.
    """

    drill_id: str
    artifact_id: str
    location: str
    ended_at: datetime
    verdict: Verdict
    causes: tuple[Cause, ...]
    came_back: bool
    damaged: tuple[str, ...] = ()
    by: Literal["drill", "proof"] = "drill"
    files_sha256: str = ""

    @property
    def named(self) -> str:
        """It, as people find it again."""
        return f"{self.by} {self.drill_id}"


def said(result: Trial) -> DrillSaid | None:
    """What a drill or a proof says of its artifact; None where it found none."""
    artifact = result.artifact
    if artifact is None:
        return None
    about = causes_of(result)
    outcomes = {each.name: each.outcome for each in result.checks}
    return DrillSaid(
        drill_id=result.proof_id if isinstance(result, NightProof) else result.drill_id,
        artifact_id=artifact.artifact_id,
        location=artifact.location,
        ended_at=result.finished_at,
        verdict=result.verdict,
        causes=about,
        # A PASS has every check that its engine holds to be essential; a FAIL has to show these.
        came_back=result.verdict == "PASS"
        or (
            result.verdict == "FAIL"
            and all(outcomes.get(name) == "passed" for name in _OF_THE_DATA)
            and set(about) <= BESIDE_THE_DATA
        ),
        damaged=tuple(
            each.subject
            for each in fatal(result.findings)
            if causes((each,)) == ("copy",) and not _of_another(each, result)
        ),
        by="proof" if isinstance(result, NightProof) else "drill",
        files_sha256=result.files_sha256 if isinstance(result, NightProof) else "",
    )


def causes_of(result: Trial) -> tuple[Cause, ...]:
    """What a FAIL is about, the worst first; empty for any other verdict."""
    if result.verdict != "FAIL":
        return ()
    against = fatal(result.findings)
    own = [each for each in against if not _of_another(each, result)]
    if own:
        return _seen_where(causes(own), result)
    # All that is damaged is newer artifacts; or a check failed that explains itself in no finding.
    return () if against else ("rows",)


def causes(findings: Iterable[Finding]) -> tuple[Cause, ...]:
    """What findings are about, the worst first."""
    about = {
        "source" if each.next_step in FOR_THE_SOURCE else KINDS.get(each.code, UNKNOWN).about
        for each in findings
    }
    return tuple(each for each in WORST_FIRST if each in about)


def _seen_where(about: tuple[Cause, ...], result: Trial) -> tuple[Cause, ...]:
    """Where every file was what the manifest says, what came back otherwise is no damage of this copy alone."""
    if not any(each.name in (FILES, PROOF_FILES) and each.outcome == "passed" for each in result.checks):
        return about
    found: set[Cause] = {"rows" if each == "copy" else each for each in about}
    return tuple(each for each in WORST_FIRST if each in found)


def _of_another(finding: Finding, result: Trial) -> bool:
    """Whether a finding is about a newer artifact that the drill passed over."""
    folder, _, artifact_id = finding.subject.rpartition("/")
    own = result.artifact.artifact_id if result.artifact else ""
    return (
        finding.code == "artifact damaged"
        and folder == result.database
        and is_id(artifact_id)
        and artifact_id != own
    )
