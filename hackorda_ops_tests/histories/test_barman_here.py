"""A history that is kept here: received, backed up, watched, and honest about what was lost. On Postgres 18."""

import json
import os
import re
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import HistoryRefused, PointGone
from hackorda_ops.exercise.history_check import check_history
from hackorda_ops.histories import registry
from hackorda_ops.history.base import RecoveredSource
from hackorda_ops.history.labels import HISTORY_CHECK
from hackorda_ops.history.points import AtLsn, AtTime, HistoryPoint
from hackorda_ops.local.hackorda import seed
from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server, running_postgres
from hackorda_ops_tests.drill.fixtures import Night, Shipped, check, night_of
from hackorda_ops_tests.e2e.processes import descendants, is_alive, until
from hackorda_ops_tests.histories.barman import installed, segment_of
from hackorda_ops_tests.histories.here import SLOT, KeptHere
from hackorda_ops_tests.zoo.servers import programs_of

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("histories")]

_SETTINGS = {"fsync": "off", "min_wal_size": "32MB", "max_wal_size": "64MB", "archive_mode": "off"}


@pytest.fixture(scope="module")
def scratch(server_folder: Path) -> Iterator[PostgresServer]:
    """Where its artifacts can be restored: no older server takes a dump of 18."""
    folder = server_folder / "here-scratch"
    with running_postgres(folder, bin_dir=programs_of(18), settings={"fsync": "off"}) as server:
        yield server
    delete_server(folder)


@pytest.fixture(scope="module")
def here(
    server_folder: Path, scratch: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KeptHere]:
    """A Postgres 18 as somebody finds it: its slots have no bound."""
    folder = server_folder / "here"
    with running_postgres(folder, bin_dir=programs_of(18), settings=_SETTINGS) as source:
        url = create_database(source, "kept here")
        seed(url, scale=0.005)
        made = tmp_path_factory.mktemp("here")
        (made / "barman").mkdir()
        environ = {"SCRATCH_ADMIN_URL": scratch.url()}
        yield KeptHere.made(source, url, made / "team", installed(made / "barman"), environ)
    delete_server(folder)


@pytest.fixture(scope="module")
def begun(here: KeptHere) -> tuple[KeptHere, Night]:
    """The same, with a bound; received, its first base backup taken by Dagster, and a night right after that."""
    here.do("ALTER SYSTEM SET max_slot_wal_keep_size = '48MB'", "SELECT pg_reload_conf()")
    with here.receiving():
        asked, cursor = here.watched()
        assert asked == ["hackorda_base_backup"]
        assert here.run("hackorda_base_backup").success
        assert here.watched(cursor)[0] == []
        night = night_of(here.url, here.folder / "nights")
        here.received()
    return here, night


@pytest.fixture
def kept(begun: tuple[KeptHere, Night]) -> KeptHere:
    return begun[0]


@pytest.fixture
def shipped(
    begun: tuple[KeptHere, Night], scratch: PostgresServer, ship: Callable[[Night], Shipped]
) -> Shipped:
    """The night's artifact off-site, in a database with the history that is kept here."""
    kept, night = begun
    return ship(night).changed(environ={"SCRATCH_ADMIN_URL": scratch.url()}, **kept.history)


def problems(kept: KeptHere) -> str:
    """What is wrong with the history now, as the weekly check, the preflight and the alarm say it."""
    with registry.history_of(kept.protected, kept.target) as history:
        return " ".join(history.problems())


def opened(kept: KeptHere, point: HistoryPoint) -> AbstractContextManager[RecoveredSource]:
    stack = ExitStack()
    history = stack.enter_context(registry.history_of(kept.protected, kept.target))
    return history.opened(
        purpose=HISTORY_CHECK,
        run="20260101T000000Z-abcdef",
        point=point,
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )


def test_no_slot_is_made_that_could_fill_the_sources_disk(here: KeptHere) -> None:
    refused = here.type("history", "receive")

    assert refused.returncode == 3
    assert "max_slot_wal_keep_size is -1" in refused.stderr
    assert here.asked("SELECT count(*) FROM pg_replication_slots") == 0


def test_before_anything_is_received_it_is_said_what_to_start(here: KeptHere) -> None:
    with pytest.raises(HistoryRefused, match="Nothing has received the WAL") as caught:
        problems(here)

    assert "hackorda-ops history receive" in caught.value.next_step


def test_what_is_written_for_barman_is_for_its_owner_and_has_no_password_beside_the_password_file(
    kept: KeptHere,
) -> None:
    password = kept.source.password
    written = [path for path in kept.barman.iterdir() if path.is_file()]
    with_password = [path.name for path in written if password in path.read_text()]

    assert with_password == ["pgpass"]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (kept.barman, *written)} == {0}
    assert password not in kept.log


def test_somebody_elses_slot_is_not_touched(kept: KeptHere) -> None:
    kept.do("SELECT pg_create_physical_replication_slot('of_a_standby')")
    other = Policy.model_validate(
        {"scratch": {"server": {}}, "history": {"barman": {"run": {"slot": "of_a_standby"}}}}
    )
    keeper = registry.require_keeper(Protected("other", other, kept.environ))

    with pytest.raises(HistoryRefused, match="was not made here"):
        keeper.prepare()

    kept.do("SELECT pg_drop_replication_slot('of_a_standby')")


def test_a_role_with_no_more_than_the_documented_rights_is_enough(kept: KeptHere, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "barman.md").read_text()
    [made] = re.findall(r"CREATE ROLE hackorda_receive.*?;\n *```", page, re.DOTALL)
    statements = made.replace("```", "").replace("…", "a secret").strip().removesuffix(";").split(";\n")
    with psycopg.connect(kept.source.url(), autocommit=True) as connection:
        for number, statement in enumerate(statements):
            if number == len(statements) - 1:
                withheld = problems_of_the_role(kept, tmp_path / "without")
            connection.execute(statement.encode())
    failed = problems_of_the_role(kept, tmp_path / "with")

    # Nobody receives; all that depends on rights is well.
    assert "missing required privileges" in withheld
    assert "receive wal running" in failed
    assert "privileges" not in failed
    assert "access" not in failed
    assert "PostgreSQL" not in failed


def problems_of_the_role(kept: KeptHere, folder: Path) -> str:
    """What Barman finds wrong as the role of the documentation; nothing of it stays on the source."""
    url = kept.source.url("postgres", user="hackorda_receive", password="a secret")
    run = {"folder": str(folder), "url_env": "RECEIVE_URL", "slot": "of_the_role"}
    history = {"barman": {**kept.history["history"]["barman"], "run": run}}
    policy = Policy.model_validate({"scratch": {"server": {}}, "history": history})
    other = Protected("other", policy, {**kept.environ, "RECEIVE_URL": url})
    registry.require_keeper(other).prepare()
    with registry.history_of(other, kept.target) as found:
        failed = " ".join(found.problems())
    registry.require_keeper(other).end()
    return failed


def test_only_one_receives_into_a_folder(kept: KeptHere) -> None:
    with kept.receiving():
        second = kept.type("history", "receive")

        assert second.returncode == 3
        assert "Another `hackorda-ops history receive` is running" in second.stderr
        assert kept.is_received


def test_a_receiver_that_dies_is_started_again_and_one_that_is_killed_with_its_command_is_reported(
    kept: KeptHere,
) -> None:
    with kept.receiving() as process:
        assert problems(kept) == ""
        for pid, command in descendants(process.pid).items():
            if "pg_receivewal" in command.split()[0]:
                os.kill(pid, signal.SIGKILL)
        until(lambda: "WAL is not being received" in kept.log, "its end is noticed")
        until(lambda: kept.is_received, "it is started again")
        kept.received()
        all_of_it = descendants(process.pid)
        process.send_signal(signal.SIGKILL)
        until(lambda: not any(map(is_alive, all_of_it)), "nothing of it is left")
        until(lambda: not kept.is_received, "the source has noticed it")
        found = problems(kept)

    assert "receive wal running" in found


def test_the_watch_reports_that_nobody_receives_and_that_somebody_does_again(kept: KeptHere) -> None:
    asked, cursor = kept.watched()
    failed = kept.run("hackorda_history_kept")
    again, cursor = kept.watched(cursor)
    unhealthy = kept.type("history", "check", "--kept", "--json")
    with kept.receiving():
        over, cursor = kept.watched(cursor)
        passed = kept.run("hackorda_history_kept")
        healthy = kept.type("history", "check", "--kept").returncode
        well, _ = kept.watched(cursor)

    assert (asked, again, over, well) == (["hackorda_history_kept"], [], ["hackorda_history_kept"], [])
    assert (failed.success, passed.success) == (False, True)
    assert (unhealthy.returncode, healthy) == (1, 0)
    assert "receive wal running" in json.loads(unhealthy.stdout)[0]["kept_well"]["summary"]
    [event] = [each for each in failed.all_events if each.is_step_failure]
    assert "receive wal running" in str(event.event_specific_data)


def test_preflight_shows_that_nobody_receives(kept: KeptHere) -> None:
    shown = " ".join(kept.type("preflight").stdout.split())

    assert "receive wal running" in shown
    assert "hackorda-ops history receive" in shown


def test_a_drill_hears_it_as_its_second_witness(kept: KeptHere, shipped: Shipped) -> None:
    result = shipped.drill()

    assert (result.verdict, result.error, result.findings) == ("PASS", None, ())
    assert check(result, "branch_equals_manifest").outcome == "passed"


def test_the_weekly_check_passes_while_somebody_receives_and_fails_while_nobody_does(
    kept: KeptHere, shipped: Shipped
) -> None:
    without = check_history(shipped)
    with kept.receiving():
        received = check_history(shipped)

    assert [each.outcome for each in received.checks] == ["passed"] * 3
    assert without.kept_well is not None
    assert without.kept_well.outcome == "failed"
    assert "receive wal running" in without.kept_well.summary


def test_a_lost_segment_is_found_by_the_weekly_check(kept: KeptHere, shipped: Shipped) -> None:
    with kept.receiving():
        kept.do("SELECT pg_switch_wal()")
        kept.received()
        held = segment_of(shipped.manifest.lsn)
        until(lambda: bool(list(kept.barman.glob(f"source/wals/*/{held}"))), "its segment is archived")
        [segment] = kept.barman.glob(f"source/wals/*/{held}")
        lost = segment.read_bytes()
        segment.unlink()
        checked = check_history(shipped)
        segment.write_bytes(lost)

    assert checked.holds_the_past.outcome == "failed"
    assert "inside its window" in checked.holds_the_past.summary


@pytest.mark.parametrize("kind", ["position", "time"])
def test_a_point_after_which_a_quiet_source_wrote_nothing_is_opened(kept: KeptHere, kind: str) -> None:
    with kept.receiving():
        kept.do(f"CREATE TABLE last_{kind} AS SELECT generate_series(1, 7)")
        end = kept.asked("SELECT pg_current_wal_insert_lsn()")
        streamed = "SELECT count(*) FROM pg_stat_replication WHERE write_lsn >= %s"
        until(lambda: kept.asked(streamed, end) == 1, "the WAL was received")
        point = AtLsn(end) if kind == "position" else AtTime(kept.asked("SELECT clock_timestamp()"))
        with (
            opened(kept, point) as copy,
            psycopg.connect(**copy.target.parameters, password=copy.target.password) as there,
        ):
            found = there.execute(f"SELECT count(*) FROM last_{kind}".encode()).fetchone()

    assert found == (7,)


@pytest.mark.parametrize("kind", ["position", "time"])
def test_a_point_that_was_written_while_nobody_received_is_refused(kept: KeptHere, kind: str) -> None:
    kept.do(f"CREATE TABLE unreceived_{kind} (n int)")
    end = kept.asked("SELECT pg_current_wal_insert_lsn()")
    point = AtLsn(end) if kind == "position" else AtTime(kept.asked("SELECT clock_timestamp()"))

    with pytest.raises(PointGone, match="doesn't lead to that point"), opened(kept, point):
        pass


def test_a_slot_that_lost_wal_is_made_anew_and_the_gap_is_reported_until_a_base_backup_is_taken(
    kept: KeptHere,
) -> None:
    for _ in range(8):
        kept.do("SELECT pg_logical_emit_message(false, 'test', 'x')", "SELECT pg_switch_wal()")
    kept.do("CHECKPOINT")
    until(
        lambda: (
            kept.asked("SELECT wal_status FROM pg_replication_slots WHERE slot_name = %s", SLOT) == "lost"
        ),
        "the slot has lost WAL",
    )
    before = problems(kept)
    with kept.receiving():
        kept.received()
        gap = problems(kept)
        done = kept.type("history", "backup")
        after = problems(kept)

    assert "lost WAL" in before
    assert "no base backup was taken since" in gap
    assert done.returncode == 0, done.stderr
    assert after == ""


def test_ending_it_leaves_nothing_on_the_source_and_keeps_what_was_received(kept: KeptHere) -> None:
    done = kept.type("history", "end")

    assert done.returncode == 0, done.stderr
    assert kept.asked("SELECT count(*) FROM pg_replication_slots") == 0
    assert list(kept.barman.glob("source/base/*"))
