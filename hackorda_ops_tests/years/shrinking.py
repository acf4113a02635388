"""The smallest story that still breaks the same rule: fewer happenings, and no day after the one that broke it."""

from dataclasses import replace

from hackorda_ops_tests.years.run import Told, tell


def shrunk(told: Told, *, most: int = 60) -> Told:
    """Leaves out what a broken rule doesn't need.

    Args:
        told: a story that broke a rule.
        most: how often a smaller story is tried.
    """
    best = told
    if told.at + 1 < told.story.days - told.story.quiet:
        # What a quiet end breaks needs all of it.
        short = tell(replace(told.story, days=told.at + 2, quiet=0))
        best = short if short.rule == told.rule else told
    size = max(1, len(best.story.happenings) // 2)
    while size and most:
        number = len(best.story.happenings)
        for begin in range(0, number, size):
            smaller = tell(best.story.without(frozenset(range(begin, min(begin + size, number)))))
            most -= 1
            if smaller.rule == told.rule:
                best = smaller
                break
            if not most:
                break
        else:
            size //= 2
    return best
