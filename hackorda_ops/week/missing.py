"""What follows where one of several copies is missing; the others are there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.errors import OpsError, PermanentError, RetryableError
from hackorda_ops.week.week import NotShipped


@dataclass(frozen=True)
class MissingCopy:
    """What follows, in the words that check, alarm, page and command share.

    Attributes:
        headline: what is wrong, as a clause.
        meaning: what it says of the backup, in a sentence.
        next_step: what to do.
    """

    headline: str
    meaning: str
    next_step: str


MISSING_COPY: Final = MissingCopy(
    "one of the copies is missing",
    "The other copies are there and proven: the backup can be relied on, with one copy less.",
    "Nothing, if that place is only down for a while: the copy is made up for once it answers. Otherwise:",
)


def copies_missing(artifact: Manifest, missing: Sequence[NotShipped]) -> OpsError:
    """The error of an artifact that not all places have: what is missing, what that means, and what to do.

    Args:
        artifact: its manifest.
        missing: the places that lack it; at least one.
    """
    errors = [each.error for each in missing]
    kind = RetryableError if all(each.retryable for each in errors) else PermanentError
    return kind(
        f"{MISSING_COPY.headline.capitalize()}: "
        + " ".join(f"{each.place} has no {artifact.artifact_id}: {each.error.what}" for each in missing),
        meaning=MISSING_COPY.meaning,
        next_step=" ".join((MISSING_COPY.next_step, *dict.fromkeys(each.next_step for each in errors))),
    )
