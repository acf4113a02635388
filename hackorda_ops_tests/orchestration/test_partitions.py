"""Which nights, weeks, quarters and years Dagster knows."""

from datetime import UTC, date, datetime, timedelta

import pytest

from hackorda_ops.config.models import Schedule
from hackorda_ops.orchestration.partitions import nights, quarters, weeks, years

ALMATY = Schedule(timezone="Asia/Almaty", since=date(2026, 10, 1))


def test_tonight_exists_from_local_midnight_on() -> None:
    before = datetime(2026, 11, 7, 18, 59, tzinfo=UTC)
    after = datetime(2026, 11, 7, 19, 0, tzinfo=UTC)

    assert nights(ALMATY).get_partition_keys(current_time=before)[-1] == "2026-11-07"
    assert nights(ALMATY).get_partition_keys(current_time=after)[-1] == "2026-11-08"


def test_nights_begin_with_the_first_day_that_the_configuration_names() -> None:
    assert nights(ALMATY).get_first_partition_key() == "2026-10-01"


def test_weeks_are_named_by_their_monday_and_the_present_one_exists() -> None:
    wednesday = datetime(2026, 11, 11, tzinfo=UTC)

    keys = weeks(ALMATY).get_partition_keys(current_time=wednesday)

    assert keys[-2:] == ["2026-11-02", "2026-11-09"]
    assert {date.fromisoformat(key).weekday() for key in keys} == {0}


def test_a_week_that_begins_before_the_first_night_exists_as_well() -> None:
    # 1 October 2026 is a Thursday: that week's Sunday has a tick.
    assert weeks(ALMATY).get_first_partition_key() == "2026-09-28"


def test_quarters_are_named_by_their_first_day_and_the_present_one_exists() -> None:
    before = datetime(2026, 12, 31, 18, 59, tzinfo=UTC)
    after = datetime(2026, 12, 31, 19, 0, tzinfo=UTC)

    assert quarters(ALMATY).get_partition_keys(current_time=before) == ["2026-10-01"]
    assert quarters(ALMATY).get_partition_keys(current_time=after) == ["2026-10-01", "2027-01-01"]


def test_a_quarter_that_begins_before_the_first_night_exists_as_well() -> None:
    in_mid_quarter = Schedule(timezone="Asia/Almaty", since=date(2026, 5, 20))

    assert quarters(in_mid_quarter).get_first_partition_key() == "2026-04-01"


@pytest.mark.parametrize(
    ("timezone", "new_year"),
    [
        ("Asia/Almaty", datetime(2026, 12, 31, 19, tzinfo=UTC)),
        ("America/New_York", datetime(2027, 1, 1, 5, tzinfo=UTC)),
    ],
)
def test_years_are_named_by_their_first_day_and_the_present_one_begins_at_local_midnight(
    timezone: str, new_year: datetime
) -> None:
    of_years = years(Schedule(timezone=timezone, since=date(2025, 5, 20)))

    before = of_years.get_partition_keys(current_time=new_year - timedelta(minutes=1))
    after = of_years.get_partition_keys(current_time=new_year)

    # The year that the configuration begins in is whole: its exercise may be made up for.
    assert before == ["2025-01-01", "2026-01-01"]
    assert after == [*before, "2027-01-01"]


def test_days_are_whole_across_a_change_of_daylight_saving_time() -> None:
    berlin = Schedule(timezone="Europe/Berlin", since=date(2026, 3, 1))

    keys = nights(berlin).get_partition_keys(current_time=datetime(2026, 3, 31, 12, tzinfo=UTC))

    assert keys == [f"2026-03-{day:02d}" for day in range(1, 32)]
