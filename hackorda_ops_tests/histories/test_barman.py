"""What Barman's history is for: the drill's second witness, missed nights, the weekly check and the exercise."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.calendar import partitions
from hackorda_ops.config.barman import BarmanSection
from hackorda_ops.errors import HistoryRefused, PointGone
from hackorda_ops.exercise.exercise import run_exercise
from hackorda_ops.exercise.history_check import check_history
from hackorda_ops.histories import registry
from hackorda_ops.histories.barman import catalog, server
from hackorda_ops.history.labels import HISTORY_CHECK
from hackorda_ops.history.points import AtLsn
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops.preflight.preflight import preflight
from hackorda_ops_tests.drill.fixtures import Night, Shipped, check
from hackorda_ops_tests.histories.barman import SERVER, segment_of
from hackorda_ops_tests.histories.own import Own, copies_of

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("histories")]


@pytest.fixture
def shipped(own: Own, ship: Callable[[Night], Shipped]) -> Shipped:
    return own.shipped(ship(own.night))


def test_a_drill_on_a_plain_server_hears_barman_as_its_second_witness(shipped: Shipped) -> None:
    result = shipped.drill()

    assert (result.verdict, result.error, result.findings) == ("PASS", None, ())
    assert check(result, "branch_equals_manifest").outcome == "passed"
    assert copies_of(shipped) == set()


def test_a_row_that_only_the_artifact_has_is_found(shipped: Shipped, tmp_path: Path) -> None:
    users = next(each for each in shipped.manifest.tables if each.name.name == "users")
    tables = tuple(
        replace(each, rows=each.rows + 1) if each == users else each for each in shipped.manifest.tables
    )
    shipped.put_manifest(tables=tables)

    checked = check_history(shipped.changed(key_tables=["users"], store=str(tmp_path / "none")))

    assert checked.long_enough.outcome == "passed"
    assert checked.holds_the_past.outcome == "failed"


def test_a_missed_night_is_taken_as_of_its_time(
    own: Own, shipped: Shipped, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with psycopg.connect(own.night.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE as_of_then (n int)")
        connection.execute("INSERT INTO as_of_then VALUES (1)")
        [(due,)] = connection.execute("SELECT clock_timestamp()").fetchall()
        connection.execute("INSERT INTO as_of_then VALUES (2)")
    own.barman.received()
    monkeypatch.setattr(partitions, "scheduled_at", lambda night, schedule: due)
    missed = shipped.changed(store=str(tmp_path / "store"), schedule={"night": "0 0 * * *"})

    manifest = take_night(missed, night=due.date() - timedelta(days=1)).manifest

    assert manifest.as_of == due
    rows = {str(each.name): each.rows for each in manifest.tables}
    assert rows["public.as_of_then"] == 1
    assert copies_of(shipped) == set()


def test_a_position_that_was_not_received_yet_is_refused_as_that(shipped: Shipped) -> None:
    source = parse(shipped.environ["DATABASE_URL"], origin="test")
    with (
        registry.history_of(shipped, source) as history,
        pytest.raises(PointGone, match="doesn't lead to that point"),
        history.opened(
            purpose=HISTORY_CHECK,
            run="20260101T000000Z-abcdef",
            point=AtLsn("7F/0"),
            expires_at=datetime.now(UTC) + timedelta(hours=1),
        ),
    ):
        pass
    assert copies_of(shipped) == set()


def test_damaged_wal_measures_nothing_and_never_passes(own: Own, shipped: Shipped, tmp_path: Path) -> None:
    home, config = tmp_path / "damaged", tmp_path / "barman.conf"
    shutil.copytree(own.barman.home, home)
    config.write_text(own.barman.config.read_text().replace(str(own.barman.home), str(home)))
    end = catalog.shown(own.barman.run("-f", "json", "show-backup", SERVER, "oldest"), SERVER)
    for segment in (*home.glob(f"{SERVER}/streaming/*"), *home.glob(f"{SERVER}/wals/*/*")):
        if len(segment.stem) == 24 and segment.stem >= segment_of(end.end_lsn):
            segment.write_bytes(bytes(segment.stat().st_size))
    damaged = shipped.changed(history={"barman": own.barman.section | {"config": str(config)}})

    result = damaged.drill()

    assert result.verdict == "PASS"
    assert check(result, "branch_equals_manifest").outcome == "not measured"


def test_the_yearly_exercise_brings_back_what_was_destroyed_on_a_recovered_copy(shipped: Shipped) -> None:
    result = run_exercise(shipped)

    assert (result.verdict, result.error) == ("PASS", None)
    assert copies_of(shipped) == set()


def test_a_preflight_shows_what_barman_keeps_and_a_slot_without_a_bound(shipped: Shipped) -> None:
    [history] = [part for part in preflight(shipped) if part.part == "history"]

    assert SERVER in history.seen
    assert any("max_slot_wal_keep_size is -1" in each.what for each in history.concerns)


@pytest.mark.parametrize("name", ["all", "-x", "../x", "a b", ""])
def test_a_server_name_is_never_an_option_or_a_path(name: str) -> None:
    with pytest.raises(ValueError, match="needs the name"):
        BarmanSection(server=name)


@pytest.mark.parametrize("text", ["", "[]", '{"own": 3}', '{"own": [{"status": "DONE"}]}', "{"])
def test_what_is_not_barmans_output_is_refused(text: str) -> None:
    with pytest.raises(HistoryRefused, match="not understood"):
        catalog.finished(text, "own")


@pytest.mark.parametrize("text", ['{"own": {}}', '{"own": 3}', '{"own": {"x": {}}}'])
def test_a_check_that_checked_nothing_is_not_well(text: str) -> None:
    with pytest.raises(HistoryRefused, match="not understood"):
        catalog.failed_checks(text, "own")


def test_a_check_that_gave_up_is_not_well() -> None:
    text = '{"_EXCEPTION": ["no rights\\nSee log"], "own": {"wal_level": {"status": "OK", "hint": ""}}}'

    assert catalog.failed_checks(text, "own") == ("no rights See log",)


@pytest.mark.parametrize(
    ("said", "refuses"),
    [
        ("connection refused", False),
        ("FATAL:  the database system is starting up", False),
        ("FATAL:  the database system is not yet accepting connections", False),
        ("fe_sendauth: no password supplied", True),
        ('FATAL:  password authentication failed for user "x"', True),
        ('FATAL:  database "x" does not exist', True),
    ],
)
def test_only_a_server_that_still_recovers_is_waited_for(said: str, refuses: bool) -> None:
    assert server._refuses(said) == refuses


def test_a_retention_by_number_or_none_is_read() -> None:
    def of(policy: str | None) -> catalog.BarmanRetention:
        return catalog.retention(
            '{"own": {"retention_policy": %s}}' % (f'"{policy}"' if policy else "null"), "own"
        )

    assert of(None) == catalog.BarmanRetention(None, removes=False)
    assert of("REDUNDANCY 3") == catalog.BarmanRetention(None, removes=True)
    assert of("RECOVERY WINDOW OF 2 WEEKS") == catalog.BarmanRetention(14 * 86_400, removes=True)
