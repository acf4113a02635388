"""Which run each tick requests."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from hackorda_ops.config import Config, Database, Schedule
from hackorda_ops.orchestration.build import build_defs

BERLIN = ZoneInfo("Europe/Berlin")


def _definitions(**schedule: object) -> dg.Definitions:
    return build_defs(Config(databases={"shop": Database(schedule=Schedule(**schedule))}))


def _requested(definitions: dg.Definitions, name: str, tick: datetime) -> str | None:
    data = definitions.resolve_schedule_def(name).evaluate_tick(
        dg.build_schedule_context(
            scheduled_execution_time=tick, repository_def=definitions.get_repository_def()
        )
    )
    [*requests] = data.run_requests or []
    assert len(requests) <= 1
    return requests[0].partition_key if requests else None


@pytest.mark.parametrize(
    ("tick", "night"),
    [
        (datetime(2026, 11, 8, 0, 30, tzinfo=BERLIN), "2026-11-08"),
        (datetime(2026, 11, 8, 23, 30, tzinfo=BERLIN), "2026-11-08"),
        # The hour that comes twice, and the one after the hour that is skipped.
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=0), "2026-10-25"),
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1), "2026-10-25"),
        (datetime(2026, 3, 29, 3, 0, tzinfo=BERLIN), "2026-03-29"),
    ],
)
def test_a_tick_requests_the_night_of_its_own_local_date(tick: datetime, night: str) -> None:
    assert _requested(_definitions(timezone="Europe/Berlin"), "shop_every_night", tick) == night


@pytest.mark.parametrize(("day", "week"), [(2, "2026-11-02"), (8, "2026-11-02"), (9, "2026-11-09")])
def test_a_tick_requests_the_week_that_it_lies_in(day: int, week: str) -> None:
    tick = datetime(2026, 11, day, 4, tzinfo=ZoneInfo("Asia/Almaty"))

    assert _requested(_definitions(timezone="Asia/Almaty"), "shop_every_week", tick) == week


def test_a_tick_before_the_first_night_requests_nothing() -> None:
    definitions = _definitions(since=date(2026, 11, 1))
    tick = datetime(2026, 10, 31, 2, tzinfo=ZoneInfo("UTC"))

    assert _requested(definitions, "shop_every_night", tick) is None


def test_a_year_of_ticks_requests_every_night_and_every_week_once() -> None:
    definitions = _definitions(timezone="America/New_York", night="30 2 * * *")
    requested: dict[str, list[str | None]] = {}
    for name in ("shop_every_night", "shop_every_week"):
        schedule = definitions.resolve_schedule_def(name)
        ticks = _ticks(schedule, datetime(2026, 1, 1, tzinfo=ZoneInfo("America/New_York")))
        requested[name] = [_requested(definitions, name, tick) for tick in ticks if tick.year == 2026]

    nights, weeks = requested["shop_every_night"], requested["shop_every_week"]
    assert len(nights) == len(set(nights)) == 365
    assert len(weeks) == len(set(weeks)) == 52


@pytest.mark.parametrize(
    ("timezone", "cron"),
    [
        ("America/New_York", "0 6 * * 0"),
        ("Asia/Almaty", "0 6 * * 0"),
        # The first second of a quarter, east of where UTC has the day before, and the last hour of a quarter.
        ("Pacific/Kiritimati", "0 0 * * *"),
        ("America/New_York", "30 23 * * *"),
    ],
)
def test_a_year_of_ticks_requests_every_quarter_once(timezone: str, cron: str) -> None:
    definitions = _definitions(timezone=timezone, quarter=cron)
    schedule = definitions.resolve_schedule_def("shop_every_quarter")
    ticks = _ticks(schedule, datetime(2026, 1, 1, tzinfo=ZoneInfo(timezone)))

    requested = [_requested(definitions, "shop_every_quarter", tick) for tick in ticks]

    assert [quarter for quarter in requested if quarter] == [
        "2026-01-01",
        "2026-04-01",
        "2026-07-01",
        "2026-10-01",
    ]


def test_a_quarter_is_requested_after_its_first_weekly_copy() -> None:
    definitions = _definitions(timezone="Asia/Almaty")
    almaty = ZoneInfo("Asia/Almaty")

    def of(day: int) -> str | None:
        return _requested(definitions, "shop_every_quarter", datetime(2026, 10, day, 6, tzinfo=almaty))

    assert of(4) == "2026-10-01"
    assert of(11) is None


@pytest.mark.parametrize(
    ("timezone", "cron", "first"),
    [
        # The first Sunday of February 2026.
        ("Asia/Almaty", None, "2026-02-01 09:00"),
        ("America/New_York", None, "2026-02-01 09:00"),
        # The first second of a year, east of where UTC has the day before.
        ("Pacific/Kiritimati", "0 0 * * *", "2026-01-01 00:00"),
    ],
)
def test_a_year_of_ticks_requests_one_exercise(timezone: str, cron: str | None, first: str) -> None:
    definitions = _definitions(timezone=timezone, **({"exercise": cron} if cron else {}))
    schedule = definitions.resolve_schedule_def("shop_every_year")
    ticks = _ticks(schedule, datetime(2026, 1, 1, tzinfo=ZoneInfo(timezone)))

    requested = {
        f"{tick:%Y-%m-%d %H:%M}": partition
        for tick in ticks
        if (partition := _requested(definitions, "shop_every_year", tick))
    }

    assert len(ticks) > 1
    assert requested == {first: "2026-01-01"}


def test_the_history_is_checked_at_the_ticks_of_the_week() -> None:
    definitions = _definitions(timezone="Asia/Almaty", week="30 5 * * 0")
    schedule = definitions.resolve_schedule_def("shop_history_every_week")

    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 5 * * 0", "Asia/Almaty")


def _ticks(schedule: dg.ScheduleDefinition, start: datetime) -> list[datetime]:
    """A year of a schedule's ticks, as Dagster's own scheduler computes them."""
    from dagster._utils.schedules import schedule_execution_time_iterator

    ticks = []
    for tick in schedule_execution_time_iterator(
        start.timestamp(), schedule.cron_schedule, schedule.execution_timezone
    ):
        if tick.year > start.year:
            break
        ticks.append(tick)
    return ticks


def test_schedules_run_unless_somebody_switches_them_off() -> None:
    schedules = _definitions(timezone="Asia/Almaty").get_repository_def().schedule_defs

    assert {schedule.default_status for schedule in schedules} == {dg.DefaultScheduleStatus.RUNNING}
    assert {schedule.execution_timezone for schedule in schedules} == {"Asia/Almaty"}


def test_scheduled_runs_carry_the_tags_that_keep_them_from_being_run_again() -> None:
    definitions = _definitions()
    for name in ("shop_every_night", "shop_every_week", "shop_every_quarter"):
        data = definitions.resolve_schedule_def(name).evaluate_tick(
            dg.build_schedule_context(
                scheduled_execution_time=datetime(2026, 10, 4, 6, tzinfo=ZoneInfo("UTC")),
                repository_def=definitions.get_repository_def(),
            )
        )
        [request] = data.run_requests or []
        job = definitions.resolve_job_def(name.replace("every_", ""))
        tags = {**job.run_tags, **request.tags}
        assert tags["dagster/max_retries"] == "0"
        assert tags["dagster/retry_on_asset_or_op_failure"] == "false"
