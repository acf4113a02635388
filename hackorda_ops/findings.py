"""A finding: one thing that was seen, with what was expected, what was there and what to do."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from hackorda_ops.finding_kinds import KINDS, UNKNOWN, Severity


@dataclass(frozen=True)
class Finding:
    """One thing that a night or a drill saw.

    Attributes:
        code: a short stable name of the kind ("table vanished"), one of `finding_kinds.KINDS`.
        subject: what it concerns ("public.users").
        expected: what should have been there.
        observed: what was there.
        next_step: what the reader should do.
    """

    code: str
    subject: str
    expected: str
    observed: str
    next_step: str

    @property
    def severity(self) -> Severity:
        """Whether it decides the verdict ("fatal") or is worth knowing ("warning")."""
        return KINDS.get(self.code, UNKNOWN).severity

    @property
    def meaning(self) -> str:
        """What findings of this kind say about the backup."""
        return KINDS.get(self.code, UNKNOWN).meaning

    @property
    def described(self) -> dict[str, str]:
        """Its fields with its severity and meaning, for JSON."""
        return {**asdict(self), "severity": self.severity, "meaning": self.meaning}

    def __str__(self) -> str:
        return (
            f"{self.code} ({self.severity}): {self.subject}: expected {self.expected}, observed {self.observed}. "
            f"{self.meaning} {self.next_step}"
        )


def fatal(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that decide a verdict."""
    return tuple(finding for finding in findings if finding.severity == "fatal")
