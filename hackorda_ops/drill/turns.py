"""Whose turn it is: each quarter drills another of the copies off-site. Pure."""

from collections.abc import Iterable
from datetime import date

from hackorda_ops.calendar.partitions import quarter_of


def in_turn(quarter: date, copies: Iterable[str]) -> tuple[str, ...]:
    """The copies in the order in which a quarter's drill tries them; whose turn it is comes first.

    It depends on nothing but the quarter and the names, in whatever order databases.yaml has them: a quarter that is
    drilled again, or later, drills the same copy.

    Args:
        quarter: a day of it.
        copies: their names.
    """
    names = sorted(copies)
    if not names:
        return ()
    first_day = quarter_of(quarter)
    number = first_day.year * 4 + (first_day.month - 1) // 3
    at = number % len(names)
    return (*names[at:], *names[:at])
