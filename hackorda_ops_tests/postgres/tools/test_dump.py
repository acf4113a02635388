"""Real dumps of real servers: what they hold, how they fail, and what they leave behind."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.errors import (
    ClientMissing,
    ConnectionLost,
    LockLost,
    LoginRefused,
    RightsMissing,
    Stalled,
    UsageError,
)
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.archives.table_digest import digest_tables
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.snapshot import Snapshot, exported
from hackorda_ops.postgres.tools.dump import DumpResult, _environment, dump
from hackorda_ops.progress import OnProgress, Progress, ignore
from hackorda_ops_tests.postgres.awkward import new_role, target_of
from hackorda_ops_tests.postgres.dumping import clients_of, execute, hard_database, take_dump
from hackorda_ops_tests.processes.process_watch import all_gone, python, until

# COPY of this table stops in its middle: an extension's table is dumped with the WHERE that it was registered with.
STUCK = """
CREATE TABLE plenty AS SELECT n AS id, repeat('x', 500) AS filler FROM generate_series(1, 20000) n;
CREATE TABLE stuck AS SELECT n AS id, repeat('y', 500) AS filler FROM generate_series(1, 5000) n;
ALTER EXTENSION plpgsql ADD TABLE stuck;
UPDATE pg_extension SET extconfig = ARRAY['stuck'::regclass::oid],
    extcondition = ARRAY['WHERE CASE WHEN id > 4000 THEN pg_sleep(120) IS NOT NULL ELSE true END']
 WHERE extname = 'plpgsql';
"""
COPIES = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%' AND wait_event = 'PgSleep'"


def plain_dump(
    target: ConnectionTarget,
    server: PostgresServer,
    folder: Path,
    *,
    snapshot: Snapshot | None = None,
    on_progress: OnProgress = ignore,
    poll: Callable[[], None] = lambda: None,
    deadline_seconds: float | None = 60,
) -> DumpResult:
    return dump(
        target,
        clients=clients_of(server),
        snapshot=snapshot,
        folder=folder,
        on_progress=on_progress,
        poll=poll,
        deadline_seconds=deadline_seconds,
    )


def number_of_copies(url: str) -> int:
    with psycopg.connect(url) as connection:
        [(count,)] = connection.execute(f"SELECT count(*) {COPIES}".encode()).fetchall()
    return int(count)


def processes_naming(text: Path) -> list[int]:
    """The processes that have a text in their arguments."""
    listed = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True, check=True
    ).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if str(text) in line]


def test_every_row_of_the_snapshot_is_in_the_archive(
    each_server: PostgresServer, database_on: Callable[[PostgresServer], str], tmp_path: Path
) -> None:
    url = database_on(each_server)
    hard_database(url)
    dumped = take_dump(
        target_of(url),
        clients_of(each_server),
        tmp_path / "dump",
        # Committed after the snapshot, so neither counted nor dumped.
        on_snapshot=lambda: execute(
            url, "INSERT INTO hard (id) VALUES (99)", "DELETE FROM widths WHERE id = 1"
        ),
    )
    assert {table.name: dumped.by_oid[table.oid].rows for table in dumped.tables} == {
        table.name: table.rows for table in dumped.tables
    }
    rows = {table.name.name: table.rows for table in dumped.tables}
    assert (rows["hard"], rows["widths"], rows["only_generated"], rows["empty Table"]) == (5, 3000, 1, 0)


def test_the_archive_digest_is_that_of_the_live_tables(
    each_server: PostgresServer, database_on: Callable[[PostgresServer], str], tmp_path: Path
) -> None:
    url = database_on(each_server)
    hard_database(url)
    # What a database says of itself must not show in the text that is compared.
    execute(url, f"ALTER DATABASE \"{target_of(url).database}\" SET bytea_output = 'escape'")
    dumped = take_dump(target_of(url), clients_of(each_server), tmp_path / "dump")
    live = digest_tables(target_of(url), dumped.tables, jobs=2, on_progress=ignore)
    by_psql = digest_tables(
        target_of(url), dumped.tables, jobs=2, on_progress=ignore, psql=clients_of(each_server).psql
    )
    assert by_psql == live
    assert {name: (digest.rows, digest.digest) for name, digest in live.items()} == {
        table.name: (dumped.by_oid[table.oid].rows, dumped.by_oid[table.oid].digest)
        for table in dumped.tables
    }


def test_a_dump_is_private_and_says_how_it_was_made(
    each_server: PostgresServer, database_on: Callable[[PostgresServer], str], tmp_path: Path
) -> None:
    url = database_on(each_server)
    hard_database(url)
    told: list[Progress] = []
    result = plain_dump(target_of(url), each_server, tmp_path / "dump", on_progress=told.append)
    assert result.compression == ("zstd" if clients_of(each_server).major >= 17 else "gzip")
    assert "--no-owner" in result.options
    assert not any(target_of(url).database in option for option in result.options)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in result.folder.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(result.folder.stat().st_mode) == 0o700
    assert told[-1].done == sum(path.stat().st_size for path in result.folder.iterdir())


def test_a_database_without_any_table_can_be_dumped(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    dumped = take_dump(target_of(new_database), clients_of(postgres_server), tmp_path / "dump")
    assert (dumped.tables, dumped.by_oid) == ([], {})
    assert [file.path for file in dumped.files] == ["toc.dat"]


def test_a_table_that_may_not_be_read_ends_in_one_clear_error(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    execute(new_database, "CREATE TABLE open (id int)", "CREATE TABLE secret (id int)")
    with new_role(new_database, "half blind") as url:
        execute(new_database, 'GRANT SELECT ON open TO "half blind"')
        with pytest.raises(RightsMissing, match="permission denied for table secret") as caught:
            plain_dump(target_of(url), postgres_server, tmp_path / "dump")
    assert "GRANT" in caught.value.next_step
    assert list(tmp_path.iterdir()) == []


def test_a_policy_that_hides_rows_ends_in_one_clear_error(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    execute(new_database, "CREATE TABLE mine (id int)", "ALTER TABLE mine ENABLE ROW LEVEL SECURITY")
    with new_role(new_database, "policed") as url:
        execute(new_database, "GRANT SELECT ON mine TO policed")
        with pytest.raises(RightsMissing, match="row-level security"):
            plain_dump(target_of(url), postgres_server, tmp_path / "dump")


def test_a_wrong_password_ends_in_one_clear_error_without_it(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    target = replace(target_of(new_database), password="hunter2-is-wrong")
    with pytest.raises(LoginRefused) as caught:
        plain_dump(target, postgres_server, tmp_path / "dump")
    assert "hunter2" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_clients_of_another_version_end_in_one_clear_error(
    new_database: str, debian_postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with pytest.raises(ClientMissing, match="server version mismatch"):
        plain_dump(target_of(new_database), debian_postgres_server, tmp_path / "dump")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_alone(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    (tmp_path / "precious").write_text("keep me")
    with pytest.raises(UsageError, match="already exists"):
        plain_dump(target_of(new_database), postgres_server, tmp_path)
    assert (tmp_path / "precious").read_text() == "keep me"


def test_a_snapshot_whose_session_is_gone_is_worth_another_try(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with exported(target_of(new_database), application_name="test") as (_, snapshot):
        pass
    with pytest.raises(ConnectionLost, match="snapshot"):
        plain_dump(target_of(new_database), postgres_server, tmp_path / "dump", snapshot=snapshot)


def test_a_connection_cut_in_the_middle_is_worth_another_try(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    execute(new_database, STUCK)

    def cut(_progress: Progress) -> None:
        execute(new_database, f"SELECT pg_terminate_backend(pid) {COPIES}")

    with pytest.raises(ConnectionLost, match="terminating connection"):
        plain_dump(target_of(new_database), postgres_server, tmp_path / "dump", on_progress=cut)
    assert list(tmp_path.iterdir()) == []
    assert processes_naming(tmp_path) == []


def test_what_the_probe_raises_ends_the_dump(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    execute(new_database, STUCK)

    def probe() -> None:
        until(lambda: number_of_copies(new_database) > 0, "pg_dump is in the middle of a table")
        assert processes_naming(tmp_path)
        raise LockLost("gone", meaning="-", next_step="-")

    with pytest.raises(LockLost):
        plain_dump(target_of(new_database), postgres_server, tmp_path / "dump", poll=probe)
    assert list(tmp_path.iterdir()) == []
    assert processes_naming(tmp_path) == []


def test_a_dump_that_takes_too_long_is_stopped(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    execute(new_database, STUCK)
    with pytest.raises(Stalled):
        plain_dump(target_of(new_database), postgres_server, tmp_path / "dump", deadline_seconds=1.5)
    assert list(tmp_path.iterdir()) == []
    assert processes_naming(tmp_path) == []


RUN_A_DUMP = """
import json, os, sys
from pathlib import Path
from hackorda_ops.errors import OpsError
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.postgres.tools import clients, dump
from hackorda_ops.progress import ignore
folder, bin_dir, major = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
try:
    dump.dump(
        connection.parse(os.environ["SOURCE_URL"], origin="SOURCE_URL"),
        clients=clients.find(major, folders=[bin_dir], environ=os.environ),
        snapshot=None, folder=folder, on_progress=ignore, poll=lambda: None, deadline_seconds=60)
except OpsError as error:
    print(json.dumps([type(error).__name__, str(error), os.listdir(folder.parent)]))
"""


def test_a_killed_worker_leaves_no_dump_running(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(new_database, STUCK)
    monkeypatch.setenv("SOURCE_URL", new_database)
    worker = python(RUN_A_DUMP, tmp_path / "dump", postgres_server.bin_dir, "17")
    with worker:
        until(lambda: number_of_copies(new_database) > 0, "pg_dump is in the middle of a table")
        # pg_dump and its two workers, beside our own.
        dumping = [pid for pid in processes_naming(tmp_path) if pid != worker.pid]
        assert len(dumping) >= 3
        worker.send_signal(signal.SIGKILL)
        until(lambda: all_gone(dumping), "pg_dump and its workers are gone")


def test_a_full_disk_ends_in_one_clear_error_and_leaves_nothing(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    execute(
        new_database, "CREATE TABLE noise AS SELECT sha512(n::text::bytea) FROM generate_series(1, 30000) n"
    )
    # A disk of 1 MB in a mount namespace of its own, so that it is gone with the process. Other users than root
    # get one together with a user namespace.
    small_disk = 'mount -t tmpfs -o size=1m small-disk "$1" && shift && exec "$@"'
    finished = subprocess.run(
        [
            "unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]),
            "sh", "-c", small_disk, "sh", tmp_path,
            sys.executable, "-c", RUN_A_DUMP, tmp_path / "dump", postgres_server.bin_dir, "17",
        ],
        env={**os.environ, "SOURCE_URL": new_database},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    kind, text, left = json.loads(finished.stdout)
    assert kind == "DiskFull"
    assert "No space left on device" in text
    assert "Make room" in text
    assert left == []


def test_every_session_of_pg_dump_is_known_by_its_name_and_notices_a_client_that_is_gone(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    execute(new_database, STUCK)
    named = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hackorda_ops pg_dump of shop 1234abcd'"

    def end_when_seen() -> None:
        with psycopg.connect(new_database) as session:
            if session.execute(named).fetchone() == (3,):
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        dump(
            target_of(new_database),
            clients=clients_of(postgres_server),
            snapshot=None,
            folder=tmp_path / "dump",
            application_name="hackorda_ops pg_dump of shop 1234abcd",
            on_progress=ignore,
            poll=lambda: None,
            check=end_when_seen,
            deadline_seconds=60,
        )
    assert list(tmp_path.iterdir()) == []
    # A socket's own settings can be read by nobody but its session.
    options = _environment(target_of(new_database), "name")["PGOPTIONS"]
    assert "-c tcp_keepalives_idle=60 -c tcp_keepalives_interval=15 -c tcp_keepalives_count=4" in options
