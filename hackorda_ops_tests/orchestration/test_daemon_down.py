"""A daemon that was down and comes back: Dagster's own scheduler and sensors, with the clock in a test's hand."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hackorda_ops.local.dagster import storage_variables
from hackorda_ops_tests.orchestration.simulated import Simulated, simulated

# Dagster reads its own deprecated property when it loads definitions.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning"
)

ALMATY = ZoneInfo("Asia/Almaty")
# Night 02:00, week Sunday 04:00, drill the quarter's first Sunday 06:00: on 1 October itself in 2028.
SETTINGS = {"schedule": {"timezone": "Asia/Almaty", "since": "2026-01-01"}, "scratch": {"server": {}}}
WENT_DOWN = datetime(2028, 9, 29, 12, tzinfo=ALMATY)
# A Monday. The nights of 30 September to 2 October, a Sunday and a quarter's end have gone by.
CAME_BACK = datetime(2028, 10, 2, 9, tzinfo=ALMATY)
LOOK = timedelta(minutes=20)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Simulated]:
    with simulated(tmp_path / "home", SETTINGS, sensor="start_missed_work") as made:
        yield made


def _lived_until_it_went_down(daemon: Simulated, *, dumped_from: str = "the source") -> None:
    # An instance that is new owes nothing, however long ago the first night would have been.
    assert daemon.look(WENT_DOWN) == []
    daemon.materialize("night 2028-09-29", WENT_DOWN, metadata={"dumped from": dumped_from})


def test_three_nights_a_sunday_and_a_quarters_end_are_made_up_for_in_order_and_once(
    daemon: Simulated,
) -> None:
    _lived_until_it_went_down(daemon)

    # Past nights can't be had back from this source, and the copy waits for the one that can.
    assert daemon.look(CAME_BACK) == ["night 2028-10-02"]
    assert daemon.look(CAME_BACK + LOOK) == []
    daemon.end("night 2028-10-02", CAME_BACK + LOOK)
    assert daemon.look(CAME_BACK + 2 * LOOK) == ["week 2028-09-25"]
    daemon.end("week 2028-09-25", CAME_BACK + 3 * LOOK)
    assert daemon.look(CAME_BACK + 4 * LOOK) == ["quarter 2028-10-01"]
    daemon.end("quarter 2028-10-01", CAME_BACK + 5 * LOOK)
    # From then on the schedules start everything themselves.
    assert daemon.look(datetime(2028, 10, 3, 2, 1, tzinfo=ALMATY)) == ["night 2028-10-03"]
    daemon.end("night 2028-10-03", datetime(2028, 10, 3, 3, tzinfo=ALMATY))
    assert daemon.look(datetime(2028, 10, 3, 6, tzinfo=ALMATY)) == []


def test_a_dagster_on_postgres_makes_up_for_a_night_as_well(new_database: str, tmp_path: Path) -> None:
    storage = storage_variables(new_database)
    with simulated(tmp_path / "home", SETTINGS, sensor="start_missed_work", storage=storage) as daemon:
        _lived_until_it_went_down(daemon)

        assert daemon.look(CAME_BACK) == ["night 2028-10-02"]


def test_past_nights_are_made_up_for_where_nights_come_from_branches(daemon: Simulated) -> None:
    _lived_until_it_went_down(daemon, dumped_from="a branch at 0/1A2B3C8")

    assert daemon.look(CAME_BACK) == ["night 2028-10-02", "night 2028-10-01", "night 2028-09-30"]
    daemon.end("night 2028-10-02", CAME_BACK)
    daemon.end("night 2028-10-01", CAME_BACK)
    # Tonight's was read from the source, because no branch could be had. The copy waits all the same.
    assert daemon.look(CAME_BACK + LOOK) == []
    # It is out of the provider's reach: a person was told, and it holds nothing up.
    daemon.fail("night 2028-09-30", CAME_BACK + LOOK)
    assert daemon.look(CAME_BACK + 2 * LOOK) == ["week 2028-09-25"]


def test_what_a_person_has_started_meanwhile_is_not_started_beside_it_and_what_failed_not_again(
    daemon: Simulated,
) -> None:
    _lived_until_it_went_down(daemon)
    daemon.start_by_hand("night 2028-10-02", CAME_BACK)

    assert daemon.look(CAME_BACK) == []
    daemon.fail("night 2028-10-02", CAME_BACK)
    assert daemon.look(CAME_BACK + LOOK) == ["week 2028-09-25"]
    daemon.fail("week 2028-09-25", CAME_BACK + LOOK)
    assert daemon.look(CAME_BACK + 2 * LOOK) == ["quarter 2028-10-01"]
    daemon.fail("quarter 2028-10-01", CAME_BACK + 2 * LOOK)
    assert daemon.look(CAME_BACK + 3 * LOOK) == []


def test_a_daemon_that_is_restarted_over_a_tick_takes_the_night_by_its_schedule_and_once(
    daemon: Simulated,
) -> None:
    _lived_until_it_went_down(daemon)
    due = datetime(2028, 9, 30, 2, tzinfo=ALMATY)

    assert daemon.look(due + LOOK) == ["night 2028-09-30"]
    for hours in (1, 3):
        assert daemon.look(due + timedelta(hours=hours)) == []


def test_the_weeks_copy_and_the_drill_do_not_overtake_a_night_that_is_to_be_made_up_for(
    daemon: Simulated,
) -> None:
    _lived_until_it_went_down(daemon)
    daemon.materialize("night 2028-09-30", WENT_DOWN + timedelta(hours=15))
    sunday = datetime(2028, 10, 1, tzinfo=ALMATY)

    def at(hour: int, minute: int) -> list[str]:
        return daemon.look(sunday + timedelta(hours=hour, minutes=minute))

    # Down over 02:00, and back ten minutes after the night's tick would still have started it.
    assert at(3, 10) == []
    assert at(4, 0) == []
    assert at(4, 20) == ["night 2028-10-01"]
    assert at(6, 0) == []
    daemon.end("night 2028-10-01", sunday + timedelta(hours=6, minutes=10))
    assert at(6, 20) == ["week 2028-09-25"]
    daemon.end("week 2028-09-25", sunday + timedelta(hours=7))
    assert at(8, 20) == ["quarter 2028-10-01"]
    daemon.end("quarter 2028-10-01", sunday + timedelta(hours=9))
    assert at(12, 0) == []


def test_a_night_that_has_failed_or_still_runs_does_not_hold_the_weeks_tick_up(daemon: Simulated) -> None:
    _lived_until_it_went_down(daemon)
    sunday = datetime(2028, 10, 1, tzinfo=ALMATY)
    assert daemon.look(sunday + timedelta(hours=2)) == ["night 2028-10-01"]
    daemon.fail("night 2028-10-01", sunday + timedelta(hours=3))

    assert daemon.look(sunday + timedelta(hours=4)) == ["week 2028-09-25"]
    # Which still runs.
    assert daemon.look(sunday + timedelta(hours=6)) == ["quarter 2028-10-01"]


@pytest.mark.parametrize("switched_off", ["shop_dump_every_night", "start_missed_work"])
def test_a_night_that_nobody_would_start_does_not_hold_the_weeks_tick_up(
    daemon: Simulated, switched_off: str
) -> None:
    _lived_until_it_went_down(daemon)
    daemon.switch_off(switched_off, WENT_DOWN)
    sunday = datetime(2028, 10, 1, tzinfo=ALMATY)

    assert daemon.look(sunday + timedelta(hours=3, minutes=10)) == []
    assert daemon.look(sunday + timedelta(hours=4)) == ["week 2028-09-25"]


def test_a_schedule_that_somebody_has_switched_off_misses_nothing(daemon: Simulated) -> None:
    _lived_until_it_went_down(daemon)
    daemon.switch_off("shop_dump_every_night", WENT_DOWN)

    assert daemon.look(CAME_BACK) == ["week 2028-09-25"]


def test_an_upgrade_that_renames_the_schedules_loses_no_night_that_was_due_meanwhile(
    daemon: Simulated,
) -> None:
    # Under another name Dagster knows of no switch. What was made is there.
    daemon.materialize("night 2028-09-29", WENT_DOWN)

    assert daemon.look(CAME_BACK) == ["night 2028-10-02"]


def test_a_schedule_that_a_person_switches_on_again_owes_nothing_from_before(daemon: Simulated) -> None:
    _lived_until_it_went_down(daemon)
    daemon.switch_off("shop_dump_every_night", WENT_DOWN)
    daemon.switch_on("shop_dump_every_night", CAME_BACK)

    assert daemon.look(CAME_BACK) == ["week 2028-09-25"]
    assert daemon.look(datetime(2028, 10, 3, 2, 1, tzinfo=ALMATY)) == ["night 2028-10-03"]
