"""Whose turn it is to be drilled."""

from datetime import date
from itertools import pairwise

from hackorda_ops.drill.turns import in_turn

QUARTERS = [date(year, month, 1) for year in (2026, 2027, 2028) for month in (1, 4, 7, 10)]


def test_each_quarter_drills_another_copy_and_every_copy_has_its_turn() -> None:
    first = [in_turn(quarter, ["b2", "aws", "minio"])[0] for quarter in QUARTERS]

    assert all(one != other for one, other in pairwise(first))
    assert {each: first.count(each) for each in first} == {"aws": 4, "b2": 4, "minio": 4}


def test_the_order_in_the_file_and_the_day_of_the_quarter_make_no_difference() -> None:
    assert in_turn(date(2026, 11, 8), ["a", "b", "c"]) == in_turn(date(2026, 10, 1), ["c", "a", "b"])


def test_the_others_follow_in_turn_and_one_alone_is_always_drilled() -> None:
    turns = in_turn(date(2026, 10, 1), ["a", "b", "c"])

    assert sorted(turns) == ["a", "b", "c"]
    assert in_turn(date(2027, 1, 1), ["a", "b", "c"]) == (*turns[1:], turns[0])
    assert in_turn(date(2026, 10, 1), ["offsite"]) == ("offsite",)
