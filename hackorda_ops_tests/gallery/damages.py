"""What a damage is, and what came of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.findings import Finding

if TYPE_CHECKING:
    from hackorda_ops_tests.gallery.gallery import Gallery


@dataclass(frozen=True)
class Outcome:
    """What the product said.

    Attributes:
        verdict: a drill's; "NO ARTIFACT" of a night that refused to make one, "NOT SOUND" of a night whose
            artifact no weekly copy takes, "REFUSED" of a restore that did not begin.
        findings: why.
        reason: what it said beside the findings; "" where nothing.
    """

    verdict: str
    findings: tuple[Finding, ...]
    reason: str = ""


class Way(Protocol):
    """How a damage is made."""

    place: ClassVar[str]
    """Where in a backup's life it is made, for docs/proof.md."""

    def inflicted(self, gallery: "Gallery") -> Outcome:
        """Makes the damage, and lets the product judge."""
        ...


@dataclass(frozen=True)
class Damage:
    """One thing that can go wrong with a backup.

    Attributes:
        name: what is wrong, in a few words.
        cause: what leaves it so in real life.
        way: how it is made here.
        code: of the finding that has to notice it; "" where there is none, but an error that says so.
        subject: what has to be named.
        verdict: what the product has to say.
    """

    name: str
    cause: str
    way: Way
    code: str
    subject: str
    verdict: str = "FAIL"

    def noticed(self, outcome: Outcome) -> bool:
        """Whether the outcome names what is damaged."""
        if not self.code:
            return self.subject in outcome.reason
        return any(
            each.code == self.code and self.subject in f"{each.subject} {each.observed}"
            for each in outcome.findings
        )


@dataclass(frozen=True)
class Harmless:
    """Something that differs and does not matter.

    Attributes:
        name: what differs.
        way: how it is made here; a PASS has to come of it.
    """

    name: str
    way: Way


def outcome_of(result: DrillResult) -> Outcome:
    """A drill's result, as an outcome."""
    return Outcome(result.verdict, result.findings, result.error.what if result.error else "")
