"""Nights of one database, wherever they run: never two at once, and none beside what is left of a killed one."""

import pytest

from hackorda_ops_tests.e2e.nights import night, until_it_says
from hackorda_ops_tests.e2e.processes import PATIENCE_SECONDS, descendants, is_alive
from hackorda_ops_tests.e2e.shop import MID_DUMP_BYTES, Shop

pytestmark = [pytest.mark.server, pytest.mark.e2e]


def test_a_second_night_is_refused_while_one_dumps(shop: Shop) -> None:
    before = len(shop.artifacts)
    shop.line.arm(after_bytes=MID_DUMP_BYTES)
    with night(shop) as first:
        assert shop.line.engaged.wait(timeout=PATIENCE_SECONDS)
        # The line carries nothing to anybody now, so the second one goes past it.
        with night(shop.past_the_line()) as second:
            until_it_says(second, "LockHeld")
        shop.line.release()
        first.communicate(timeout=PATIENCE_SECONDS)

    assert (first.returncode, second.returncode) == (0, 0)
    assert len(shop.artifacts) == before + 1


def test_the_night_after_a_killed_one_begins_when_nothing_of_that_is_left(shop: Shop) -> None:
    before = len(shop.artifacts)
    shop.line.arm(after_bytes=MID_DUMP_BYTES)
    with night(shop) as killed:
        assert shop.line.engaged.wait(timeout=PATIENCE_SECONDS)
        family = descendants(killed.pid)
        assert any("pg_dump" in arguments for arguments in family.values()), family
        killed.kill()
        # What an automatic retry would do, only sooner; and nothing holds up what is left of the first.
        shop.line.release()
        with night(shop) as retry:
            until_it_says(retry, "dump")
            beside = [pid for pid in family if is_alive(pid)]
            retry.communicate(timeout=PATIENCE_SECONDS)

    assert beside == []
    assert retry.returncode == 0
    assert len(shop.artifacts) == before + 1
    assert shop.unfinished() == []
