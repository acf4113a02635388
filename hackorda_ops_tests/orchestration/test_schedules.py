"""Which run each tick requests."""

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster import DagsterInstance

from hackorda_ops.calendar.catching_up import LATEST_TICK
from hackorda_ops.calendar.due import DueKind, due_between
from hackorda_ops.config.models import Config, Policy, Schedule, Source
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops.orchestration.schedules import schedule_name

BERLIN = ZoneInfo("Europe/Berlin")


def _definitions(**schedule: object) -> dg.Definitions:
    return build_defs(Config(databases={"shop": Policy(schedule=Schedule(**schedule))}))


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterInstance]:
    """A Dagster that knows of no run, and of no schedule that was switched on."""
    with DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as made:
        yield made


def _answer(
    dagster: DagsterInstance,
    definitions: dg.Definitions,
    name: str,
    tick: datetime,
    *,
    late: timedelta = timedelta(),
) -> dg.RunRequest | str | None:
    """What a tick requests; or why it requests nothing."""
    context = dg.build_schedule_context(
        dagster,
        scheduled_execution_time=tick,
        repository_def=definitions.get_repository_def(),
        resources={ENVIRON: {}},
    )
    # Else each context opens the instance anew, and a year of ticks takes minutes.
    context._instance = dagster
    with mock.patch.object(clock, "now", return_value=tick.astimezone(UTC) + late):
        data = definitions.resolve_schedule_def(name).evaluate_tick(context)
    [*requests] = data.run_requests or []
    assert len(requests) <= 1
    return requests[0] if requests else data.skip_message


def _requested(
    dagster: DagsterInstance, definitions: dg.Definitions, name: str, tick: datetime
) -> str | None:
    answer = _answer(dagster, definitions, name, tick)
    return answer.partition_key if isinstance(answer, dg.RunRequest) else None


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
def test_a_tick_requests_the_night_of_its_own_local_date(
    dagster: DagsterInstance, tick: datetime, night: str
) -> None:
    assert _requested(dagster, _definitions(timezone="Europe/Berlin"), "shop_dump_every_night", tick) == night


@pytest.mark.parametrize(("day", "week"), [(2, "2026-11-02"), (8, "2026-11-02"), (9, "2026-11-09")])
def test_a_tick_requests_the_week_that_it_lies_in(dagster: DagsterInstance, day: int, week: str) -> None:
    tick = datetime(2026, 11, day, 4, tzinfo=ZoneInfo("Asia/Almaty"))

    assert _requested(dagster, _definitions(timezone="Asia/Almaty"), "shop_copy_every_week", tick) == week


def test_a_tick_before_the_first_night_requests_nothing(dagster: DagsterInstance) -> None:
    definitions = _definitions(since=date(2026, 11, 1))
    tick = datetime(2026, 10, 31, 2, tzinfo=ZoneInfo("UTC"))

    assert _requested(dagster, definitions, "shop_dump_every_night", tick) is None


# Where clocks change in the night, at midnight, by half an hour, in a month of the moon's, and not at all; at
# times that exist twice, or not at all, on the days when they do.
_ZONES = [
    ("Asia/Almaty", "0 2 * * *", "0 4 * * 0", "0 6 * * 0"),
    ("Pacific/Kiritimati", "0 0 * * *", "0 0 * * 0", "0 0 * * *"),
    ("Europe/Berlin", "30 2 * * *", "30 2 * * 0", "30 2 * * 0"),
    ("America/New_York", "30 1 * * *", "30 1 * * 0", "30 23 * * *"),
    ("America/Havana", "0 0 * * *", "30 0 * * 0", "30 0 * * 0"),
    ("Asia/Beirut", "30 0 * * *", "0 0 * * 0", "0 0 * * 0"),
    ("Africa/Cairo", "0 0 * * *", "30 0 * * 5", "0 0 * * 5"),
    # The clocks of these two go forward on the first Sunday of a quarter.
    ("Australia/Sydney", "30 2 * * *", "30 2 * * 0", "30 2 * * 0"),
    ("Australia/Lord_Howe", "15 2 * * *", "45 1 * * 0", "15 2 * * 0"),
    ("Africa/Casablanca", "30 2 * * *", "0 2 * * 0", "0 3 * * 0"),
]


@pytest.mark.parametrize(("timezone", "night", "week", "quarter"), _ZONES)
def test_a_year_of_ticks_requests_every_night_week_quarter_and_year_once(
    dagster: DagsterInstance, timezone: str, night: str, week: str, quarter: str
) -> None:
    schedule = Schedule(timezone=timezone, night=night, week=week, quarter=quarter, since=date(2025, 1, 1))
    definitions = build_defs(Config(databases={"shop": Policy(schedule=schedule)}))
    begin, end = (datetime(year, 1, 1, tzinfo=ZoneInfo(timezone)) for year in (2026, 2027))

    kinds: tuple[DueKind, ...] = ("night", "week", "quarter", "year")
    requested = {
        kind: [
            partition
            for tick in _ticks(definitions, schedule_name(kind, "shop"), begin, end)
            if (partition := _requested(dagster, definitions, schedule_name(kind, "shop"), tick))
        ]
        for kind in kinds
    }

    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    assert requested["night"] == [str(day) for day in days]
    # The year's Sundays, or Fridays, each in a week of its own.
    weekday = int(week[-1]) or 7
    assert requested["week"] == [
        str(day - timedelta(days=weekday - 1)) for day in days if day.isoweekday() == weekday
    ]
    assert requested["quarter"] == ["2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01"]
    assert requested["year"] == ["2026-01-01"]
    for kind in kinds:
        due = due_between(
            kind, schedule, after=begin - timedelta(seconds=1), until=end - timedelta(seconds=1)
        )
        assert [str(each.partition) for each in due] == requested[kind]


@pytest.mark.parametrize(("timezone", "night", "week", "quarter"), _ZONES)
def test_no_tick_comes_more_than_an_hour_after_it_was_due(
    timezone: str, night: str, week: str, quarter: str
) -> None:
    schedule = Schedule(timezone=timezone, night=night)
    definitions = build_defs(Config(databases={"shop": Policy(schedule=schedule)}))
    begin, end = (datetime(year, 1, 1, tzinfo=ZoneInfo(timezone)) for year in (2026, 2027))

    ticks = _ticks(definitions, "shop_dump_every_night", begin, end)
    due = due_between("night", schedule, after=begin - timedelta(seconds=1), until=end - timedelta(seconds=1))

    # As absolute times: two of one zone would be compared by the clock on its walls.
    late = [tick.timestamp() - each.at.timestamp() for tick, each in zip(ticks, due, strict=True)]
    assert max(late) <= 3600


def test_a_quarter_is_requested_after_its_first_weekly_copy(dagster: DagsterInstance) -> None:
    definitions = _definitions(timezone="Asia/Almaty")
    almaty = ZoneInfo("Asia/Almaty")

    def of(day: int) -> str | None:
        return _requested(
            dagster, definitions, "shop_drill_every_quarter", datetime(2026, 10, day, 6, tzinfo=almaty)
        )

    assert of(4) == "2026-10-01"
    assert of(11) is None


def test_an_exercise_is_run_a_week_before_the_first_quarter_ends(dagster: DagsterInstance) -> None:
    definitions = _definitions(timezone="America/New_York")
    new_york = ZoneInfo("America/New_York")

    def of(year: int) -> str | None:
        return _requested(
            dagster, definitions, "shop_exercise_every_year", datetime(year, 3, 25, 9, tzinfo=new_york)
        )

    assert of(2026) == "2026-01-01"
    assert of(2027) == "2027-01-01"


def test_only_the_first_tick_of_a_year_starts_an_exercise(dagster: DagsterInstance) -> None:
    definitions = _definitions(timezone="America/New_York", exercise="0 9 * 2 0")
    new_york = ZoneInfo("America/New_York")

    def of(day: int) -> str | None:
        return _requested(
            dagster, definitions, "shop_exercise_every_year", datetime(2026, 2, day, 9, tzinfo=new_york)
        )

    assert of(1) == "2026-01-01"
    assert of(8) is None


def test_a_tick_that_comes_late_is_left_to_the_sensor_of_missed_work(dagster: DagsterInstance) -> None:
    definitions = _definitions(timezone="Asia/Almaty")
    tick = datetime(2026, 10, 4, 2, tzinfo=ZoneInfo("Asia/Almaty"))

    in_time = _answer(dagster, definitions, "shop_dump_every_night", tick, late=LATEST_TICK)
    late = _answer(
        dagster, definitions, "shop_dump_every_night", tick, late=LATEST_TICK + timedelta(seconds=1)
    )

    assert isinstance(in_time, dg.RunRequest)
    assert in_time.partition_key == "2026-10-04"
    assert isinstance(late, str)
    assert "1:00:01 late. The missed-work sensor starts 2026-10-04 in its turn." in late


def test_each_history_is_checked_every_week_in_a_run_of_its_own(dagster: DagsterInstance) -> None:
    databases = {
        "shop": Policy(),
        "crm": Policy(source=Source(url_env="CRM_URL")),
        "plain": Policy(source=Source(url_env="PLAIN_URL"), scratch={"server": {}}),
    }
    definitions = build_defs(Config(databases=databases))
    schedule = definitions.resolve_schedule_def("check_histories_every_week")
    context = dg.build_schedule_context(
        dagster, scheduled_execution_time=datetime(2026, 10, 4, 4, tzinfo=UTC)
    )

    requests = schedule.evaluate_tick(context).run_requests or []

    assert schedule.cron_schedule == "0 4 * * 0"
    assert [request.tags["hackorda_ops/database"] for request in requests] == ["shop", "crm"]
    for request in requests:
        checked = {check.asset_key.path[0] for check in request.asset_check_keys or ()}
        assert checked == {request.tags["hackorda_ops/database"]}


def _ticks(definitions: dg.Definitions, name: str, begin: datetime, end: datetime) -> list[datetime]:
    """A schedule's ticks from one moment and before another, as Dagster's own scheduler computes them."""
    from dagster._utils.schedules import schedule_execution_time_iterator

    schedule = definitions.resolve_schedule_def(name)
    ticks: Iterator[datetime] = schedule_execution_time_iterator(
        begin.timestamp(), schedule.cron_schedule, schedule.execution_timezone
    )
    return list(itertools.takewhile(lambda tick: tick < end, ticks))


def test_schedules_run_unless_somebody_switches_them_off() -> None:
    schedules = [
        schedule
        for schedule in _definitions(timezone="Asia/Almaty").get_repository_def().schedule_defs
        if schedule.name.startswith("shop_")
    ]

    assert schedules
    assert {schedule.default_status for schedule in schedules} == {dg.DefaultScheduleStatus.RUNNING}
    assert {schedule.execution_timezone for schedule in schedules} == {"Asia/Almaty"}


def test_scheduled_runs_carry_the_tags_that_keep_them_from_being_run_again(dagster: DagsterInstance) -> None:
    definitions = _definitions()
    kinds: tuple[DueKind, ...] = ("night", "week", "quarter")
    for kind in kinds:
        request = _answer(
            dagster, definitions, schedule_name(kind, "shop"), datetime(2026, 10, 4, 6, tzinfo=UTC)
        )
        assert isinstance(request, dg.RunRequest)
        job = definitions.resolve_job_def(f"shop_{kind}")
        tags = {**job.run_tags, **request.tags}
        assert (tags["hackorda_ops/database"], tags["hackorda_ops/kind"]) == ("shop", kind)
        assert tags["dagster/max_retries"] == "0"
        assert tags["dagster/retry_on_asset_or_op_failure"] == "false"
