"""Who hears of what, and how often: real runs on a real instance, real sinks, and ticks at any time."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun
from dagster._core.definitions.sensor_definition import SensorExecutionData

from hackorda_ops.alerts import channels
from hackorda_ops.config.alerts import Alerts
from hackorda_ops.config.models import Config, Policy, Source
from hackorda_ops.drill.report.history import REPORT_NAME, drill_prefix
from hackorda_ops.environment import Protected
from hackorda_ops.errors import RetryableError, Stalled
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.night.night import take_night
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops.orchestration.sensors import alarms, side_by_side
from hackorda_ops.orchestration.sensors.run_ends import subject_of
from hackorda_ops.readiness.standing import Standing
from hackorda_ops_tests.alerts.sink import (
    MailSink,
    Sink,
    port_of,
    running_mail_sink,
    running_sink,
)
from hackorda_ops_tests.orchestration.protected import CodeLocation, fill, protected_shop

pytestmark = pytest.mark.server

At = Callable[[datetime], None]
_PARTS = ("What it means", "At risk", "Next step", "When", "Run")


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """Sets the clock by which sensors go."""
    return lambda moment: monkeypatch.setattr(clock, "now", lambda: moment)


@pytest.fixture(scope="module")
def dumped(
    postgres_server: PostgresServer, s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> CodeLocation:
    """A database with tonight's night, so that nothing is overdue. No test here changes it."""
    url = create_database(postgres_server, "shop with alarms")
    with psycopg.connect(url) as connection:
        fill(connection)
    create_bucket(s3_server, "alarms")
    made = protected_shop(url, s3_server, "alarms", tmp_path_factory.mktemp("alarms") / "backups")
    take_night(made.shop)
    return made


def tick(protected: CodeLocation, instance: DagsterInstance, **environ: str) -> SensorExecutionData:
    # Fresh definitions each time: what is remembered is remembered by the instance.
    definitions = protected.definitions(**environ)
    context = dg.build_sensor_context(
        instance=instance, definitions=definitions, resources={ENVIRON: {**protected.environ, **environ}}
    )
    return definitions.resolve_sensor_def("raise_alarms").evaluate_tick(context)


def told(sink: Sink) -> list[str]:
    """The first lines of what arrived."""
    return [text.splitlines()[0] for text in sink.texts]


def fail_a_night(protected: CodeLocation, instance: DagsterInstance) -> DagsterRun:
    """A night that can't be taken any more."""
    result = protected.run("shop_night", protected.tonight - timedelta(days=2), instance)
    assert not result.success
    return result.dagster_run


def kill_a_night(protected: CodeLocation, instance: DagsterInstance, **tags: str) -> DagsterRun:
    """Tonight's, as it's left by a worker that was killed."""
    run = instance.create_run_for_job(
        protected.definitions().resolve_job_def("shop_night"),
        tags={"dagster/partition": protected.tonight.isoformat(), **tags},
    )
    instance.report_run_failed(run, "Run worker process exited with code -9")
    return run


def finish_a_night(protected: CodeLocation, instance: DagsterInstance) -> None:
    """A run of tonight's that succeeds; what it does is another test's."""

    @dg.job(name="shop_night")
    def night() -> None:
        """Does nothing."""

    tags = {"dagster/partition": protected.tonight.isoformat()}
    assert night.execute_in_process(instance=instance, tags=tags).success


def test_it_tells_unless_somebody_switches_it_off(protected: CodeLocation) -> None:
    sensor = protected.definitions().resolve_sensor_def("raise_alarms")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


def test_a_failed_run_is_told_once_on_every_channel_with_all_that_one_needs_to_know(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink
) -> None:
    run = fail_a_night(dumped, instance)
    with running_sink() as service, running_mail_sink() as mail:
        for _ in range(3):
            tick(
                dumped,
                instance,
                ALERT_WEBHOOK_URL=sink.url,
                ALERT_URLS=f"{service.apprise_url} {mail.url}",
                DAGSTER_UI_URL="https://ops.example/",
            )

    [text] = sink.texts
    lines = text.splitlines()
    assert lines[0] == f"FAILED: shop, night of {dumped.tonight - timedelta(days=2)}"
    assert lines[1].startswith(f"The night of {dumped.tonight - timedelta(days=2)} ")
    parts = [line.split(": ")[0] for line in lines if line.startswith(_PARTS)]
    assert parts == list(_PARTS)
    assert "\nAt risk: No restore point has ever been proven. The newest sound backup is from " in text
    assert lines[-1] == f"Run: https://ops.example/runs/{run.run_id}"
    assert service.texts == [text]
    assert _subjects(mail) == [lines[0]]


def _subjects(mail: MailSink) -> list[str]:
    return [each["Subject"] for each in mail.mails]


def test_a_run_that_was_killed_left_no_step_failure_and_is_told(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink
) -> None:
    run = kill_a_night(dumped, instance)

    tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)

    [text] = sink.texts
    assert f"FAILED: shop, night of {dumped.tonight}" in text
    assert "exited with code -9" in text
    assert "materialize the same partition again" in text
    assert text.endswith(f"Run: {run.run_id}")


def test_later_attempts_of_a_run_are_not_told_and_the_success_of_one_is(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink
) -> None:
    kill_a_night(dumped, instance)
    kill_a_night(dumped, instance, **{"dagster/retry_number": "1"})
    tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)
    finish_a_night(dumped, instance)
    tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)
    tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)

    assert told(sink) == [
        f"FAILED: shop, night of {dumped.tonight}",
        f"RECOVERED: shop, night of {dumped.tonight}",
    ]


def test_an_unsound_night_is_one_message_and_not_one_more_for_its_check(
    protected: CodeLocation, instance: DagsterInstance, sink: Sink
) -> None:
    assert protected.run("shop_night", protected.tonight, instance).success
    protected.execute("TRUNCATE orders")
    assert not protected.run("shop_night", protected.tonight, instance).success

    tick(protected, instance, ALERT_WEBHOOK_URL=sink.url)
    tick(protected, instance, ALERT_WEBHOOK_URL=sink.url)

    [text] = sink.texts
    assert text.startswith(f"FAILED: shop, night of {protected.tonight}\n")
    assert "orders" in text


def test_a_failed_check_of_a_run_that_succeeded_is_told_once_and_called_off(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink
) -> None:
    for passed in (False, False, True):
        assert _quarter(passed, dg.AssetCheckSeverity.ERROR).execute_in_process(instance=instance).success
    for _ in range(2):
        tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)

    assert told(sink) == [
        "CHECK FAILED: shop, quarter",
        "CHECK FAILED: shop, quarter",
        "RECOVERED: shop, quarter",
    ]
    assert "- newest_row_recent: The newest row is old." in sink.texts[0]
    assert "At risk: " in sink.texts[0]


def test_what_could_not_be_measured_alarms_nobody_and_keeps_nothing_from_being_called_off(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink
) -> None:
    for severity in (dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN):
        assert _quarter(False, severity).execute_in_process(instance=instance).success
        tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)

    assert told(sink) == ["CHECK FAILED: shop, quarter", "RECOVERED: shop, quarter"]


def test_what_readiness_finds_overdue_is_not_reported_a_second_time(
    protected: CodeLocation, instance: DagsterInstance, sink: Sink
) -> None:
    assert protected.run("all_readiness", None, instance).success
    tick(protected, instance, ALERT_WEBHOOK_URL=sink.url)

    # Its check is an error: there is no backup. The alarm about that is the one that looked itself.
    assert [line.split(":")[0] for line in told(sink)] == ["OVERDUE"]


def test_reading_a_report_again_reports_nothing_and_calls_nothing_off(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink
) -> None:
    assert _quarter(False, dg.AssetCheckSeverity.ERROR).execute_in_process(instance=instance).success
    tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)
    verdict = dg.AssetCheckKey(dg.AssetKey(["shop", "drill_report"]), "verdict")
    run = instance.add_run(
        DagsterRun("__ASSET_JOB", asset_selection=frozenset(), asset_check_selection=frozenset({verdict}))
    )
    instance.report_dagster_event(DagsterEvent(DagsterEventType.RUN_SUCCESS.value, run.job_name), run.run_id)
    tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)

    assert told(sink) == ["CHECK FAILED: shop, quarter"]


def _quarter(passed: bool, severity: dg.AssetCheckSeverity) -> dg.JobDefinition:
    key = dg.AssetKey(["shop", "restore_drill"])

    @dg.asset(key=key, check_specs=[dg.AssetCheckSpec("newest_row_recent", asset=key)])
    def drill() -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        yield dg.AssetCheckResult(
            passed=passed,
            check_name="newest_row_recent",
            severity=severity,
            description="The newest row is old.",
        )
        yield dg.MaterializeResult()

    job = dg.define_asset_job("shop_quarter", selection=[drill])
    return dg.Definitions(assets=[drill], jobs=[job]).resolve_job_def("shop_quarter")


def test_with_a_sink_down_for_a_day_the_alarms_arrive_later_in_order_and_once(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink, at: At
) -> None:
    began = datetime.now(UTC)
    with running_sink() as service:
        port = port_of(service.url)
    environ = {"ALERT_WEBHOOK_URL": sink.url, "ALERT_URLS": service.apprise_url}
    kill_a_night(dumped, instance)

    with pytest.raises(RetryableError, match="ALERT_URLS 1, tried 1 time"):
        tick(dumped, instance, **environ)
    # Meanwhile it's left alone, and that is said.
    assert "1 message(s) wait for ALERT_URLS 1" in str(tick(dumped, instance, **environ).skip_message)
    finish_a_night(dumped, instance)
    at(began + timedelta(hours=5))
    with pytest.raises(RetryableError, match="2 message"):
        tick(dumped, instance, **environ)
    at(began + timedelta(hours=24))
    with pytest.raises(RetryableError):
        tick(dumped, instance, **environ)
    with running_sink(port) as service:
        at(began + timedelta(hours=24, minutes=20))
        tick(dumped, instance, **environ)
        tick(dumped, instance, **environ)

    assert service.texts == sink.texts
    assert told(service)[:2] == [
        f"FAILED: shop, night of {dumped.tonight}",
        f"RECOVERED: shop, night of {dumped.tonight}",
    ]


def test_a_message_that_is_refused_for_good_silences_nobody_and_is_given_up_and_shown(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink, at: At, capsys: pytest.CaptureFixture[str]
) -> None:
    began = datetime.now(UTC)
    environ = {"ALERT_WEBHOOK_URL": sink.url}
    kill_a_night(dumped, instance)
    sink.refuses = "exited with code -9"

    with pytest.raises(
        RetryableError, match=r"did not accept a message, tried 1 time.*FAILED: shop.*status 400"
    ):
        tick(dumped, instance, **environ)
    finish_a_night(dumped, instance)
    said = str(tick(dumped, instance, **environ).skip_message)
    assert f"Reported: RECOVERED: shop, night of {dumped.tonight}" in said
    assert "ALERT_WEBHOOK_URL did not accept a message, tried 1 time" in said
    for hours in (1, 2):
        at(began + timedelta(hours=hours))
        with pytest.raises(RetryableError, match="did not accept a message"):
            tick(dumped, instance, **environ)
    capsys.readouterr()
    at(began + timedelta(hours=30))
    with pytest.raises(RetryableError, match="ALERT_WEBHOOK_URL gave up on: FAILED: shop, night of"):
        tick(dumped, instance, **environ)
    assert "ALERT_WEBHOOK_URL gave up on: FAILED: shop, night of" in capsys.readouterr().err
    at(began + timedelta(hours=31))
    tick(dumped, instance, **environ)

    assert len([title for title in told(sink) if title.startswith("FAILED")]) == 4
    assert sink.taken[0].body.startswith('{"text":"RECOVERED')


def test_a_url_of_several_targets_one_of_them_bad_does_not_tell_the_others_for_a_week(
    dumped: CodeLocation, instance: DagsterInstance, at: At
) -> None:
    began = datetime.now(UTC)
    kill_a_night(dumped, instance)
    with running_mail_sink() as mail:
        environ = {"ALERT_URLS": mail.url.replace("to=", "to=nobody@example.com,")}
        for hours in (0, 1, 3, 30, 31, 80):
            at(began + timedelta(hours=hours))
            with suppress(RetryableError):
                tick(dumped, instance, **environ)

    assert [each for each in _subjects(mail) if each.startswith("FAILED")] == [
        f"FAILED: shop, night of {dumped.tonight}"
    ] * 4


def test_a_service_that_is_too_slow_may_have_got_the_alarm_so_it_gets_it_only_a_few_times(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "_LONGEST_DELIVERY_SECONDS", 0.5)
    began = datetime.now(UTC)
    kill_a_night(dumped, instance)
    sink.silent.set()
    for hours in (0, 1, 3, 30, 31, 80):
        at(began + timedelta(hours=hours))
        with suppress(RetryableError):
            tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)

    assert len([title for title in told(sink) if title.startswith("FAILED")]) == 4


def test_a_tick_that_is_cut_off_after_a_delivery_does_not_repeat_it(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_a_night(dumped, instance)
    with running_sink() as second, monkeypatch.context() as patched:
        patched.setattr("hackorda_ops.alerts.apprise_channel.send", _ended)
        with pytest.raises(KeyboardInterrupt):
            tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url, ALERT_URLS=second.apprise_url)
    with running_sink() as second:
        tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url, ALERT_URLS=second.apprise_url)

    assert len(sink.texts) == len(second.texts) == 1


def _ended(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_tick_that_hangs_is_seen(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_a_night(dumped, instance)
    environ = {"ALERT_WEBHOOK_URL": sink.url}
    definitions = dumped.definitions(**environ)
    sensor = definitions.resolve_sensor_def("raise_alarms")

    def tell() -> SensorExecutionData:
        context = dg.build_sensor_context(
            instance=instance, definitions=definitions, resources={ENVIRON: {**dumped.environ, **environ}}
        )
        return sensor.evaluate_tick(context)

    sink.silent.set()
    hanging = threading.Thread(target=tell)
    hanging.start()
    assert sink.called.wait(60)
    assert "is still running" in str(tell().skip_message)
    with monkeypatch.context() as patched:
        patched.setattr(side_by_side, "_HANGS_AFTER_SECONDS", 0.0)
        with pytest.raises(Stalled, match="A look at shop has been running for"):
            tell()
    sink.silent.clear()
    hanging.join(60)

    assert told(sink) == [f"FAILED: shop, night of {dumped.tonight}"]
    assert "There is nothing to report" in str(tell().skip_message)


def test_a_night_that_is_overdue_by_the_clock_is_told_once_a_night_and_called_off_once(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink, at: At
) -> None:
    began = datetime.now(UTC)
    for hours in range(0, 40, 8):
        at(began + timedelta(days=2, hours=hours))
        tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)
        tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)
    overdue = [title for title in told(sink) if "night" in title]
    assert 2 <= len(overdue) == len(set(overdue)) <= 3
    assert all(title.startswith("OVERDUE: shop, night of ") for title in overdue)
    assert "was not taken." in sink.texts[0]
    assert "At risk: No restore point has ever been proven." in sink.texts[0]

    # As if it had been taken in the meantime, by hand: the clock goes back to when the newest one was in time.
    for minutes in (10, 20):
        at(began + timedelta(minutes=minutes))
        tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)

    assert [title for title in told(sink) if "night" in title][len(overdue) :] == [
        overdue[-1].replace("OVERDUE", "RECOVERED")
    ]


def test_a_database_that_was_never_dumped_is_overdue(
    protected: CodeLocation, instance: DagsterInstance, sink: Sink
) -> None:
    tick(protected, instance, ALERT_WEBHOOK_URL=sink.url)

    [text] = sink.texts
    assert text.startswith("OVERDUE: shop, night of ")
    assert "No night has ever been taken" in text


def test_what_is_odd_in_a_store_hides_nothing_and_what_can_not_be_read_does(
    protected: CodeLocation, instance: DagsterInstance, sink: Sink, at: At
) -> None:
    take_night(protected.shop)
    report = protected.store / drill_prefix("shop", "20260101T000000Z-4c5d6e") / REPORT_NAME
    report.parent.mkdir(parents=True)
    report.write_text("no report", encoding="utf-8")
    began = datetime.now(UTC)

    def look(minutes: int, **environ: str) -> list[str]:
        at(began + timedelta(minutes=minutes))
        tick(protected, instance, ALERT_WEBHOOK_URL=sink.url, **environ)
        return [title for title in told(sink) if "what is overdue" in title]

    away = {"OFFSITE_ENDPOINT_URL": "http://127.0.0.1:1"}
    assert [look(minutes) for minutes in (0, 400)] == [[], []]
    assert look(410, **away) == []
    assert look(800, **away) == ["NOT SEEN: shop, what is overdue"]
    assert look(810)[1:] == ["RECOVERED: shop, what is overdue"]


def test_stores_that_can_not_be_read_cost_no_alarm(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink
) -> None:
    kill_a_night(dumped, instance)

    tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url, OFFSITE_ENDPOINT_URL="http://127.0.0.1:1")

    assert told(sink) == [f"FAILED: shop, night of {dumped.tonight}"]
    assert "\nAt risk: " in sink.texts[0]


def test_a_store_that_never_answers_costs_no_alarm(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_a_night(dumped, instance)
    monkeypatch.setattr(alarms, "_READING_SECONDS", 0.0)

    tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)

    [text] = sink.texts
    assert text.startswith("FAILED: shop, night of ")
    assert "At risk: It could not be read just now." in text


def test_each_database_has_its_own_alarms_and_what_is_of_none_has_others(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink
) -> None:
    kill_a_night(dumped, instance)
    other = Policy(source=Source(url_env="OTHER_URL"), store=dumped.config.databases["shop"].store)
    two = replace(dumped, config=Config(databases={**dumped.config.databases, "shop_2": other}))
    house = instance.create_run_for_job(two.definitions().resolve_job_def("housekeeping"))
    instance.report_run_failed(house, "Run worker process exited with code 1")

    said = str(tick(two, instance, ALERT_WEBHOOK_URL=sink.url).skip_message)

    failed = {text.splitlines()[0]: text for text in sink.texts if text.startswith("FAILED")}
    assert set(failed) == {"FAILED: housekeeping", f"FAILED: shop, night of {dumped.tonight}"}
    assert "At risk" not in failed["FAILED: housekeeping"]
    assert "At risk" in failed[f"FAILED: shop, night of {dumped.tonight}"]
    assert f"shop: Reported: FAILED: shop, night of {dumped.tonight}" in said
    tick(two, instance, ALERT_WEBHOOK_URL=sink.url)
    assert len([text for text in sink.texts if text.startswith("FAILED")]) == 2


def test_a_database_whose_store_hangs_keeps_no_other_one_from_its_alarms(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_a_night(dumped, instance)
    slow = Policy(source=Source(url_env="OTHER_URL"), store=dumped.config.databases["shop"].store)
    two = replace(dumped, config=Config(databases={"slow": slow, **dumped.config.databases}))
    release, read = threading.Event(), alarms.read_standing

    def hangs(protected: Protected, *, now: datetime) -> Standing:
        if protected.name == "slow":
            release.wait(120)
        return read(protected, now=now)

    monkeypatch.setattr(alarms, "read_standing", hangs)
    monkeypatch.setattr(alarms, "within", lambda _seconds, _what, work: work())
    definitions = two.definitions(ALERT_WEBHOOK_URL=sink.url)
    environ = {**two.environ, "ALERT_WEBHOOK_URL": sink.url}

    def ticked() -> SensorExecutionData:
        context = dg.build_sensor_context(
            instance=instance, definitions=definitions, resources={ENVIRON: environ}
        )
        return definitions.resolve_sensor_def("raise_alarms").evaluate_tick(context)

    try:
        with monkeypatch.context() as patched:
            # As if the tick's time were over once all but the first have ended.
            patched.setattr(side_by_side, "wait", lambda looks, timeout: wait(list(looks)[1:]))
            with pytest.raises(Stalled, match="A look at slow"):
                ticked()
        # Until it ends it has no second look beside it; the others have theirs.
        assert "slow: The previous look is still running." in str(ticked().skip_message)
    finally:
        release.set()

    assert [title for title in told(sink) if title.startswith("FAILED")] == [
        f"FAILED: shop, night of {dumped.tonight}"
    ]


@pytest.mark.parametrize(
    ("job", "assets", "words"),
    [
        ("shop_night", (), "shop, night of 2026-11-08"),
        ("shop_2_night", (), "shop_2, night of 2026-11-08"),
        ("__ASSET_JOB", ("shop/nightly_dump",), "shop, night of 2026-11-08"),
        ("__ASSET_JOB", ("shop/restore_drill", "shop/drill_report"), "shop, quarter of 2026-11-08"),
        ("__ASSET_JOB", ("shop/offsite_copy", "shop/nightly_dump"), "shop, night and week of 2026-11-08"),
        (
            "__ASSET_JOB",
            ("shop_2/nightly_dump", "shop/nightly_dump"),
            "shop/nightly_dump, shop_2/nightly_dump of 2026-11-08",
        ),
        ("housekeeping", (), "housekeeping of 2026-11-08"),
    ],
)
def test_a_run_has_the_same_subject_whoever_started_it(job: str, assets: tuple[str, ...], words: str) -> None:
    run = DagsterRun(
        job_name=job,
        asset_selection={dg.AssetKey(asset.split("/")) for asset in assets} or None,
        tags={"dagster/partition": "2026-11-08"},
    )

    subject = subject_of(run, ("shop", "shop_2"))

    assert str(subject).replace("drill of 2026-Q4", "quarter of 2026-11-08") == words


@pytest.mark.parametrize(
    ("job", "tags", "words"),
    [
        ("sweep", {"hackorda_ops/database": "shop", "hackorda_ops/kind": "sweep"}, "shop, sweep"),
        ("sweep", {"hackorda_ops/database": "gone", "hackorda_ops/kind": "sweep"}, "sweep"),
        ("sweep", {}, "sweep"),
        # As an earlier release named it.
        ("shop_sweep", {}, "shop, sweep"),
    ],
)
def test_a_run_of_a_job_for_all_databases_is_about_the_one_in_its_label(
    job: str, tags: dict[str, str], words: str
) -> None:
    assert str(subject_of(DagsterRun(job_name=job, tags=tags), ("shop", "shop_2"))) == words


def test_without_a_channel_the_failure_is_logged(
    dumped: CodeLocation, instance: DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    kill_a_night(dumped, instance)

    said = tick(dumped, instance).skip_message

    assert "Reported: FAILED: shop, night" in str(said)
    assert "FAILED: shop, night" in capsys.readouterr().err


def test_the_urls_of_channels_are_nowhere(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    kill_a_night(dumped, instance)
    sink.status = 500
    urls = f"{sink.apprise_url} slack://hunter2 mailto://user:hunter2@127.0.0.1:1?to=a@b.example"

    with pytest.raises(RetryableError) as caught:
        tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url, ALERT_URLS=urls)

    assert all(f"ALERT_URLS {number}" in str(caught.value) for number in (1, 2, 3))
    kept = instance.daemon_cursor_storage.get_cursor_values({"hackorda_ops/alarms/shop"})
    assert "FAILED: shop" in str(kept)
    events = [str(entry) for run in instance.get_runs() for entry in instance.all_logs(run.run_id)]
    captured = capsys.readouterr()
    assert "hunter2" not in "".join((str(caught.value), str(kept), *events, captured.out, captured.err))


def test_what_another_release_has_left_in_the_storage_stops_nothing_and_is_told_in_the_log(
    dumped: CodeLocation, instance: DagsterInstance, sink: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    kill_a_night(dumped, instance)
    instance.daemon_cursor_storage.set_cursor_values({"hackorda_ops/alarms/shop": '{"unknown": 1}'})

    tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)

    assert len(told(sink)) == 1
    assert "Waiting messages are lost" in capsys.readouterr().err
    tick(dumped, instance, ALERT_WEBHOOK_URL=sink.url)
    assert "are lost" not in capsys.readouterr().err


def test_the_link_is_the_configured_one(dumped: CodeLocation, instance: DagsterInstance, sink: Sink) -> None:
    run = kill_a_night(dumped, instance)
    config = dumped.config.model_copy(update={"alerts": Alerts(ui_url="https://dagster.example")})

    tick(
        replace(dumped, config=config),
        instance,
        ALERT_WEBHOOK_URL=sink.url,
        DAGSTER_UI_URL="https://another.example",
    )

    assert sink.texts[0].endswith(f"Run: https://dagster.example/runs/{run.run_id}")
