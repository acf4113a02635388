"""A bound on what has none."""

import threading

import pytest

from hackorda_ops.errors import Stalled
from hackorda_ops.in_time import within


def test_what_ends_in_time_gives_its_result() -> None:
    assert within(10, "It", lambda: 7) == 7


def test_what_raises_in_time_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        within(10, "It", lambda: 1 // 0)


def test_what_takes_longer_is_left_behind() -> None:
    never = threading.Event()

    with pytest.raises(Stalled, match="It took longer than"):
        within(0.01, "It", never.wait)

    never.set()
