"""What follows where one of several copies is missing; the others are there."""

from collections.abc import Sequence
from typing import Final

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.errors import OpsError, PermanentError, Problem, RetryableError
from hackorda_ops.week.week import NotShipped

# In the words that check, alarm, page and command share.
MISSING_COPY: Final = Problem(
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
        f"{MISSING_COPY.what.capitalize()}: "
        + " ".join(f"{each.place} has no {artifact.artifact_id}: {each.error.what}" for each in missing),
        meaning=MISSING_COPY.meaning,
        next_step=" ".join((MISSING_COPY.next_step, *dict.fromkeys(each.next_step for each in errors))),
    )
