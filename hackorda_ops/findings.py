"""A finding: one thing that was seen, with what was expected, what was there and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that a night or a drill saw.

    Attributes:
        code: a short stable name of the kind ("table vanished"), for machines and headings.
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

    def __str__(self) -> str:
        return f"{self.code}: {self.subject}: expected {self.expected}, observed {self.observed}. {self.next_step}"
