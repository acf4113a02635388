import subprocess
import sys
import threading
from collections.abc import Callable

import psycopg
import pytest

from hackorda_ops.errors import LockHeld, LockLost, SnapshotUnavailable
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops.postgres.sessions.lock import dump_lock
from hackorda_ops_tests.postgres import awkward
from hackorda_ops_tests.postgres.sessions import relays

pytestmark = pytest.mark.server


def test_a_second_dump_is_refused_and_told_who_holds_the_lock(each_url: str) -> None:
    target = awkward.target_of(each_url)
    with (
        dump_lock(target, application_name="hackorda_ops night on host-7") as lock,
        pytest.raises(LockHeld) as refusal,
        dump_lock(target, application_name="the second"),
    ):
        pass
    assert "hackorda_ops night on host-7 from 127.0.0.1" in refusal.value.what
    assert "UTC, process " in refusal.value.what
    assert target.password is not None
    assert target.password not in str(refusal.value)
    assert refusal.value.retryable
    assert target.password not in repr(lock)


def test_the_lock_is_free_again_right_after_the_block_even_when_it_fails(each_url: str) -> None:
    target = awkward.target_of(each_url)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), dump_lock(target, application_name="test"):
            raise ZeroDivisionError
    with dump_lock(target, application_name="test") as lock:
        lock.probe()


def test_databases_of_one_server_do_not_lock_each_other(
    postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str]
) -> None:
    one, other = (awkward.target_of(database_on(postgres_server)) for _ in range(2))
    with (
        dump_lock(one, application_name="one") as first,
        dump_lock(other, application_name="other") as second,
    ):
        first.probe()
        second.probe()


def test_another_role_is_told_the_holders_name_too(each_url: str) -> None:
    with (
        awkward.new_role(each_url, "somebody_else") as role_url,
        dump_lock(awkward.target_of(each_url), application_name="the holder"),
        pytest.raises(
            LockHeld, match="the holder from a local socket or hidden, connected since an unknown time"
        ),
        dump_lock(awkward.target_of(role_url), application_name="the second"),
    ):
        pass


def test_a_lock_whose_session_was_ended_is_reported_lost(each_url: str) -> None:
    with dump_lock(awkward.target_of(each_url), application_name="to be ended") as lock:
        lock.probe()
        with psycopg.connect(each_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE application_name = 'to be ended'"
            )
        with pytest.raises(LockLost, match="its connection broke"):
            lock.probe()
        with dump_lock(awkward.target_of(each_url), application_name="the next"), pytest.raises(LockLost):
            lock.probe()


def end_session(url: str, application_name: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = %s",
            (application_name,),
        )


def test_a_lost_lock_is_retaken_if_nobody_has_it(each_url: str) -> None:
    target = awkward.target_of(each_url)
    with dump_lock(target, application_name="to be ended") as lock:
        lock.retake()
        end_session(each_url, "to be ended")
        lock.retake()
        lock.probe()
        with pytest.raises(LockHeld, match="to be ended"), dump_lock(target, application_name="the second"):
            pass
        end_session(each_url, "to be ended")
        with dump_lock(target, application_name="the next"), pytest.raises(LockLost):
            lock.retake()


def test_the_session_of_a_lock_never_idles_for_long_enough_to_be_suspended(
    each_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hackorda_ops.postgres.sessions.beside.PING_SECONDS", 0.05)
    query = "SELECT query_start FROM pg_stat_activity WHERE application_name = 'the holder'"
    with (
        dump_lock(awkward.target_of(each_url), application_name="the holder") as lock,
        psycopg.connect(each_url, autocommit=True) as watcher,
    ):
        lock.probe()
        [(began,)] = watcher.execute(query).fetchall()
        pause = threading.Event()
        for attempt in range(600):
            [(asked,)] = watcher.execute(query).fetchall()
            if asked > began:
                break
            assert attempt < 599, "the session asks nothing"
            pause.wait(0.05)
        lock.probe()


def test_a_killed_holder_leaves_no_lock_behind(each_url: str) -> None:
    program = (
        "import sys\n"
        "from hackorda_ops.postgres.sessions.connection import parse\n"
        "from hackorda_ops.postgres.sessions.lock import dump_lock\n"
        "with dump_lock(parse(sys.stdin.readline(), origin='stdin'), application_name='doomed'):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write(each_url + "\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(LockHeld, match="doomed"),
            dump_lock(awkward.target_of(each_url), application_name="next"),
        ):
            pass
        holder.kill()
    pause = threading.Event()
    for attempt in range(200):
        try:
            with dump_lock(awkward.target_of(each_url), application_name="next"):
                return
        except LockHeld:
            assert attempt < 199, "the server did not free the lock of a dead client"
            pause.wait(0.05)


def test_a_pooler_in_transaction_mode_is_refused_and_no_lock_is_left_in_it(each_url: str) -> None:
    with relays.transaction_pooler(each_url) as port:
        target = parse(f"postgresql://postgres:x@127.0.0.1:{port}/any?sslmode=disable", origin="the test")
        with (
            pytest.raises(SnapshotUnavailable, match="pooler in transaction mode"),
            dump_lock(target, application_name="test"),
        ):
            pass
        with dump_lock(awkward.target_of(each_url), application_name="direct") as lock:
            lock.probe()
