"""Which tables' values a night reads from the source: every table has its turn, and no budget is overdrawn."""

from datetime import UTC, datetime, timedelta
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from hackorda_ops.evidence.source_values import (
    SMALLEST_BUDGET_SECONDS,
    Read,
    ReadingPlan,
    SourceComparison,
    SourceValues,
    after,
    budget_seconds,
    everything,
    plan,
    standing,
)
from hackorda_ops.postgres.catalogs.inventory import TableName

FIRST = datetime(2026, 11, 1, 2, tzinfo=UTC)


def name(table: str) -> TableName:
    return TableName("public", table)


def waiting(table: str, *, days_ago: int, seconds: float, compared: bool = True) -> SourceComparison:
    since = FIRST - timedelta(days=days_ago)
    return SourceComparison(name(table), since if compared else None, since, seconds)


def named(tables: tuple[TableName, ...]) -> list[str]:
    return [each.name for each in tables]


def test_all_that_fits_is_read_and_what_has_waited_longest_comes_first() -> None:
    tables = [
        waiting("new", days_ago=0, seconds=1, compared=False),
        waiting("old", days_ago=5, seconds=2),
        waiting("older", days_ago=6, seconds=1),
    ]
    chosen = plan(tables, tonight_seconds=4, saved_seconds=0)
    assert named(chosen.tables) == ["older", "old", "new"]
    assert chosen.limit_seconds == 4


def test_what_doesnt_fit_is_saved_for_while_smaller_tables_share_the_other_half() -> None:
    tables = [
        waiting("huge", days_ago=9, seconds=50),
        *(waiting(f"small {n}", days_ago=1, seconds=2) for n in range(5)),
    ]
    chosen = plan(tables, tonight_seconds=10, saved_seconds=30)
    assert named(chosen.tables) == ["small 0", "small 1"]
    assert chosen.limit_seconds == 5
    assert named(plan(tables, tonight_seconds=10, saved_seconds=40).tables) == ["huge"]


def test_a_branch_is_read_as_a_whole() -> None:
    tables = [waiting("huge", days_ago=0, seconds=5000), waiting("small", days_ago=2, seconds=1)]
    chosen = everything(tables, limit_seconds=43_200)
    assert named(chosen.tables) == ["small", "huge"]
    assert chosen.limit_seconds == 43_200


def test_a_quick_dump_has_the_smallest_budget_and_zero_turns_it_off() -> None:
    assert budget_seconds(3, 10) == SMALLEST_BUDGET_SECONDS
    assert budget_seconds(3600, 10) == 360
    assert budget_seconds(3600, 0) == 0
    tables = [waiting("small", days_ago=2, seconds=0.002)]
    assert plan(tables, tonight_seconds=0, saved_seconds=0).tables == ()


def test_what_ran_out_of_time_is_tried_again_with_twice_the_time() -> None:
    tables = [waiting("grown", days_ago=2, seconds=0.1), waiting("other", days_ago=1, seconds=0.1)]
    left = after(tables, Read({}, {name("grown"): 6.0}, 6.0), FIRST, tonight_seconds=5, saved_seconds=0.5)
    assert left.tables[0] == SourceComparison(
        name("grown"), tables[0].compared_at, tables[0].waiting_since, 12.0
    )
    assert left.saved_seconds == 0.0  # what was spent over the budget isn't owed by the nights to come
    assert plan(left.tables, tonight_seconds=5, saved_seconds=0).tables == (name("other"),)


def test_nothing_is_saved_where_nobody_waits() -> None:
    tables = [waiting("small", days_ago=1, seconds=0.1)]
    left = after(tables, Read({name("small"): 0.2}, {}, 0.2), FIRST, tonight_seconds=5, saved_seconds=7)
    assert left == SourceValues((SourceComparison(name("small"), FIRST, FIRST, 0.2),), 0.2, 0.0)
    assert left.compared_in(FIRST) == (name("small"),)
    assert left.never_compared == ()


def test_a_table_keeps_what_earlier_nights_know_of_it_and_a_new_one_waits_from_now_on() -> None:
    known = waiting("known", days_ago=3, seconds=2)
    of_the_future = waiting("of the future", days_ago=-3, seconds=2)
    tables = [(name("known"), 10**9), (name("of the future"), 0), (name("new"), 40_000_000)]
    assert standing(tables, [known, of_the_future], FIRST) == (
        known,
        SourceComparison(name("new"), None, FIRST, 2.002),
        SourceComparison(name("of the future"), None, FIRST, 0.002),
    )


@settings(max_examples=60, deadline=None)
@given(
    costs=st.lists(st.floats(0.002, 60), min_size=1, max_size=8),
    tonight=st.floats(1, 60),
    partitions=st.booleans(),
    guessed=st.floats(0.3, 3),
)
def test_every_table_has_its_turn_within_a_number_of_nights_and_the_budget_is_never_exceeded(
    costs: list[float], tonight: float, partitions: bool, guessed: float
) -> None:
    lasting = {name(f"t{number}"): cost for number, cost in enumerate(costs)}
    # What a table costs is a guess until it was read whole; what was tried in vain is paid for as well.
    known = tuple(SourceComparison(each, None, FIRST, cost * guessed) for each, cost in lasting.items())
    most_of_a_turn = sum(6 * (2 + ceil(4 * max(1.0, guessed) * cost / tonight)) for cost in costs)
    last_read = dict.fromkeys(lasting, 0)
    saved = spent = 0.0
    for night in range(1, 2 * most_of_a_turn + 1):
        now = FIRST + timedelta(days=night)
        # Where a job makes a partition each night, that one is new as well.
        made = {name(f"made in night {night}"): 0.01} if partitions else {}
        known = (*known[: len(lasting)], *(SourceComparison(each, None, now, 0.01) for each in made))
        read = read_within(plan(known, tonight_seconds=tonight, saved_seconds=saved), {**lasting, **made})
        left = after(known, read, now, tonight_seconds=tonight, saved_seconds=saved)
        known, saved, spent = left.tables, left.saved_seconds, spent + read.spent_seconds
        last_read.update(dict.fromkeys(read.equal.keys() & lasting.keys(), night))

        assert spent <= night * (tonight + 0.001)  # what is written down is rounded
        assert night - min(last_read.values()) <= most_of_a_turn


def read_within(planned: ReadingPlan, costs: dict[TableName, float]) -> Read:
    """What comes of a plan where reading the tables takes so long."""
    assert planned.limit_seconds is not None
    left = planned.limit_seconds
    equal: dict[TableName, float] = {}
    for each in planned.tables:
        if costs[each] > left:
            return Read(equal, {each: left}, planned.limit_seconds)
        equal[each] = costs[each]
        left -= costs[each]
    return Read(equal, {}, planned.limit_seconds - left)
