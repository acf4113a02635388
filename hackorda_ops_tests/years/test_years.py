"""Simulated years in their short form; `make years` has the long one."""

from dataclasses import replace

import pytest

from hackorda_ops_tests.forms import also_long
from hackorda_ops_tests.years.run import tell
from hackorda_ops_tests.years.shrinking import shrunk
from hackorda_ops_tests.years.story import Happening, Story, told

SEEDS = range(100)


@pytest.mark.parametrize("seed", also_long(SEEDS, short=SEEDS[:8]))
def test_no_story_breaks_a_rule(seed: int) -> None:
    found = tell(told(seed))
    if found.broken is not None:
        smallest = shrunk(found)
        pytest.fail(f"{smallest.broken}\n{smallest.story}")


def test_a_seed_tells_the_same_story_again() -> None:
    story = replace(told(3), days=100, quiet=0)
    one, other = tell(story), tell(story)
    assert (one.at, one.looks, one.nights, one.alarms) == (other.at, other.looks, other.nights, other.alarms)
    assert str(one.broken) == str(other.broken)


def test_a_rule_that_is_broken_ends_in_the_smallest_story_that_breaks_it() -> None:
    # A story that ends the day on which the source went down: its quiet end can't be well.
    down = Happening(day=30, hour=1, kind="source down", days=30, which=0)
    others = tuple(Happening(day=10 + at, hour=3, kind="operator dumps", days=1, which=at) for at in range(4))
    found = tell(Story(0, 42, 0, (*others, down)))
    assert found.rule == "a quiet quarter ends well"
    assert shrunk(found).story.happenings == (down,)
