"""What a message about a failed run says, in words that need no screen beside them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """Why something failed, without the wrappers of whatever ran it. Holds no secret.

    Attributes:
        what: what happened.
        meaning: what follows from it for the backups.
        next_step: what the reader should do now.
    """

    what: str
    meaning: str
    next_step: str


@dataclass(frozen=True)
class FailedRun:
    """A run that ended without its result.

    Attributes:
        subject: what it was to make ("hackorda/nightly_dump").
        partition: of which night or week ("2026-11-08"); None for a run without one.
        run_id: as Dagster shows it.
        cause: why.
    """

    subject: str
    partition: str | None
    run_id: str
    cause: Cause


def text(failed: FailedRun) -> str:
    """The message, as plain lines: the subject first, because a phone shows no more than that."""
    of = f" of {failed.partition}" if failed.partition else ""
    return "\n".join(
        (
            f"FAILED: {failed.subject}{of}",
            failed.cause.what,
            f"What it means: {failed.cause.meaning}",
            f"Next step: {failed.cause.next_step}",
            f"Run: {failed.run_id}",
        )
    )
