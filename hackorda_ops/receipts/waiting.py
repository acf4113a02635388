"""Receipts that wait although their work is over: they couldn't be signed, or their store didn't take them."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from hackorda_ops.artifacts.ids import moment_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import Problem
from hackorda_ops.receipts.record import outbox_of

# A store that is down for a while is nobody's alarm: the next night sends what waits.
_ON_ITS_WAY_SECONDS: Final = 3_600.0


# In the words that check, alarm, page and command share.
RECEIPTS_WAIT: Final = Problem(
    "receipts wait on this machine",
    "The backups are not affected: what is missing is the evidence of them, which nobody else can check yet.",
    "Look whether the store answers, and whether the key under receipts is the chain's own (`hackorda-ops receipts "
    "verify`); the next night, copy or drill then sends them.",
)


def waiting_sentence(protected: Protected) -> str | None:
    """Says that receipts wait for longer than an hour after their work has ended; None where none does.

    The same at every look, so that an alarm can be told from a new one.

    Args:
        protected: the database; those that wait on this machine count.
    """
    try:
        waiting = outbox_of(protected).left_over(before=time.time() - _ON_ITS_WAY_SECONDS)
    except OSError as error:
        return f"Whether receipts of {protected.name} wait on this machine can't be seen: {error.strerror}."
    since = _oldest(waiting)
    if since is None:
        return None
    return (
        f"{RECEIPTS_WAIT.what.capitalize()}: what was done of {protected.name} since {since:%Y-%m-%d %H:%M} UTC is "
        f"in no chain yet. {RECEIPTS_WAIT.next_step}"
    )


def _oldest(receipt_ids: Sequence[str]) -> datetime | None:
    return min((moment for each in receipt_ids if (moment := moment_of(each)) is not None), default=None)
