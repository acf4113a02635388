"""A night on a real server: what it proves, and that each way of going wrong leaves nothing behind."""

import json
import stat
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import from_bytes
from hackorda_ops.artifacts.operations_log import Event, read_log
from hackorda_ops.config.models import Policy
from hackorda_ops.config.scratch import ScratchPlace
from hackorda_ops.environment import Protected
from hackorda_ops.errors import (
    ClientMissing,
    ConfigError,
    DiskFull,
    LockHeld,
    LockLost,
    LoginRefused,
    OpsError,
    PartitionGone,
    PermanentError,
    RightsMissing,
    ServerUnreachable,
    StoreRefused,
)
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.night.night import Night, take_night
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.postgres.sessions.lock import Lock, dump_lock
from hackorda_ops.progress import Progress

SCHEMA = """
CREATE TABLE users (id serial PRIMARY KEY, name text, created_at timestamptz DEFAULT now());
INSERT INTO users (name) SELECT 'user ' || n FROM generate_series(1, 1000) n;
CREATE TABLE issues (id bigint GENERATED ALWAYS AS IDENTITY, title text, body text);
INSERT INTO issues (title, body) SELECT 'issue ' || n, repeat(md5(n::text), 1 + n % 7) FROM generate_series(1, 5000) n;
CREATE TABLE empty_one (id int);
CREATE TABLE "Odd ""name" (v text);
INSERT INTO "Odd ""name" VALUES (E'two\\nlines\\tand a tab \\\\ backslash'), (NULL), ('');
"""


@pytest.fixture
def url(new_database: str) -> str:
    with psycopg.connect(new_database, autocommit=True) as session:
        session.execute(SCHEMA)
    return new_database


@pytest.fixture
def database(tmp_path: Path) -> Policy:
    return Policy.model_validate({"store": str(tmp_path / "store")})


def night_of(database: Policy, url: str, **changes: Any) -> Night:
    return take_night(
        Protected("hackorda", database, {"DATABASE_URL": url, "PATH": "/usr/bin:/bin"}), **changes
    )


def left_behind(database: Policy) -> list[str]:
    """Files below the store, but for those of finished artifacts, the operations log and the receipts."""
    root = Path(Protected("hackorda", database, {}).store.describe())
    finished = [path.parent for path in root.rglob("manifest.json")]
    finished += [root / "hackorda" / name for name in ("operations", "operations-log.md", "receipts")]
    return [
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and not any(path.is_relative_to(each) for each in finished)
    ]


def events_of(database: Policy) -> tuple[Event, ...]:
    """What the operations log tells."""
    return read_log(Protected("hackorda", database, {}).store, "hackorda")


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(statement)  # type: ignore[call-overload]  # a test's own constant text


@pytest.mark.quick
def test_a_night_proves_every_row_and_publishes_a_private_artifact(url: str, database: Policy) -> None:
    night = night_of(database, url)
    manifest = night.manifest
    assert {str(table.name): table.rows for table in manifest.tables} == {
        'public.Odd "name': 3,
        "public.empty_one": 0,
        "public.issues": 5000,
        "public.users": 1000,
    }
    assert manifest.sound
    assert night.compared_with is None
    assert [str(each.name) for each in manifest.inventory.sequences] == [
        "public.issues_id_seq",
        "public.users_id_seq",
    ]
    folder = Path(night.location)
    assert from_bytes((folder / "manifest.json").read_bytes(), origin="x") == manifest
    names = {"manifest.json", "SHA256SUMS", "RESTORE.md", "roles.sql", "access.sql", "dump"}
    assert {path.name for path in folder.iterdir()} == names
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert left_behind(database) == []
    [event] = events_of(database)
    assert (event.kind, event.outcome, event.subject) == ("night", "success", str(manifest.night))
    assert event.detail.startswith(f"{manifest.artifact_id} (night): 6,003 rows in 4 tables, ")


def test_no_file_beside_the_dump_holds_the_password(url: str, database: Policy) -> None:
    password = urlsplit(url).password
    assert password
    folder = Path(night_of(database, url).location)
    for name in ("manifest.json", "RESTORE.md", "roles.sql", "access.sql"):
        assert password not in (folder / name).read_text(encoding="utf-8")


def test_the_recovery_sheet_tells_the_client_and_the_counts(url: str, database: Policy) -> None:
    sheet = (Path(night_of(database, url).location) / "RESTORE.md").read_text(encoding="utf-8")
    assert "pg_restore of Postgres 17" in sheet
    assert 'SELECT count(*) FROM ONLY "public"."issues";  -- 5000' in sheet
    assert "createdb --template=template0 --encoding=UTF8" in sheet


def test_rows_written_while_the_dump_runs_do_not_disturb_the_proof(url: str, database: Policy) -> None:
    done = threading.Event()

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as session:
            while not done.is_set():
                session.execute("INSERT INTO issues (title) VALUES ('new')")
                session.execute("DELETE FROM users WHERE id = (SELECT max(id) FROM users)")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        manifest = night_of(database, url).manifest
    finally:
        done.set()
        writer.join()
    assert manifest.rows >= 5003


def test_a_second_night_is_compared_with_the_one_before(url: str, database: Policy) -> None:
    first = night_of(database, url)
    assert night_of(database, url).compared_with == first.manifest.artifact_id
    execute(url, "DROP TABLE empty_one; DELETE FROM issues WHERE id > 100; TRUNCATE users")
    third = night_of(database, url)
    assert [(each.code, each.subject) for each in third.manifest.findings] == [
        ("table vanished", "public.empty_one"),
        ("table collapsed", "public.issues"),
        ("table emptied", "public.users"),
    ]
    assert not third.manifest.sound
    # The alarm was raised once; the night after is held against what is there now.
    assert night_of(database, url).manifest.sound


def test_a_past_night_is_refused_and_never_backdated(url: str, database: Policy) -> None:
    elsewhere = database.model_copy(update={"scratch": ScratchPlace.model_validate({"server": {}})})
    for gone in (elsewhere, database.model_copy(update={"dump_from": "source"})):
        with pytest.raises(PartitionGone, match="cannot get one"):
            night_of(gone, url, night=datetime.now(UTC).date() - timedelta(days=3))
    # Which project would have it nobody has told here.
    with pytest.raises(ConfigError, match=r"is over(.|\n)*NEON_PROJECT_ID(.|\n)*NEON_API_KEY"):
        night_of(database, url, night=datetime.now(UTC).date() - timedelta(days=3))
    with pytest.raises(PartitionGone, match="has not begun"):
        night_of(database, url, night=date(2199, 1, 1))
    assert left_behind(database) == []


def test_a_night_that_was_queued_past_midnight_keeps_its_date_and_is_marked_late(
    url: str, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    # A schedule whose next tick after yesterday's end lies ahead of now, also if this runs past midnight.
    tick = now + timedelta(days=2)
    database = Policy.model_validate(
        {"store": str(tmp_path / "store"), "schedule": {"night": f"0 2 {tick.day} * *"}}
    )
    yesterday = now.date() - timedelta(days=1)
    manifest = night_of(database, url, night=yesterday).manifest
    assert (manifest.night, manifest.late) == (yesterday, True)


def test_a_wrong_password_ends_in_one_clear_error(url: str, database: Policy) -> None:
    wrong = url.replace(str(urlsplit(url).password), "not-the-password")
    with pytest.raises(LoginRefused) as caught:
        night_of(database, wrong)
    assert "not-the-password" not in str(caught.value)
    assert caught.value.next_step
    assert left_behind(database) == []
    [event] = events_of(database)
    assert (event.outcome, event.subject, event.detail) == ("failure", "tonight", caught.value.what)


def test_an_unknown_host_ends_in_one_clear_error(url: str, database: Policy) -> None:
    parts = urlsplit(url)
    elsewhere = urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@no-such-host.invalid"))
    with pytest.raises((PermanentError, ServerUnreachable), match=r"no-such-host\.invalid") as caught:
        night_of(database, elsewhere)
    assert str(parts.password) not in str(caught.value)


def as_role(url: str, name: str) -> str:
    """The same database as a new ordinary role."""
    execute(url, f"DROP ROLE IF EXISTS {name}; CREATE ROLE {name} LOGIN PASSWORD 'ordinary'")
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{name}:ordinary@{parts.hostname}:{parts.port}"))


def test_a_table_that_may_not_be_read_is_named_with_the_grant_that_mends_it(
    url: str, database: Policy
) -> None:
    reader = as_role(url, "reader_of_some")
    try:
        execute(url, "GRANT SELECT ON users, issues, empty_one TO reader_of_some")
        execute(url, "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader_of_some")
        with pytest.raises(RightsMissing) as caught:
            night_of(database, reader)
        assert "GRANT SELECT ON" in caught.value.what
        assert '"Odd ""name"' in caught.value.what
        assert '"users"' not in caught.value.what
        assert left_behind(database) == []
        execute(url, 'GRANT SELECT ON "Odd ""name" TO reader_of_some')
        assert night_of(database, reader).manifest.rows == 6003
    finally:
        execute(url, "DROP OWNED BY reader_of_some; DROP ROLE reader_of_some")


def test_a_client_that_is_too_old_is_named_with_what_to_install(
    url: str, database: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only Debian's clients (another major than the server's) are left to be found.
    monkeypatch.setattr("hackorda_ops.postgres.tools.clients._wheel_folders", lambda: iter(()))
    with pytest.raises(ClientMissing) as caught:
        night_of(database, url)
    assert "17" in caught.value.what
    assert "install" in caught.value.next_step
    assert left_behind(database) == []


def test_a_store_whose_disk_is_not_mounted_is_refused_before_anything_begins(
    url: str, tmp_path: Path
) -> None:
    database = Policy.model_validate({"store": str(tmp_path / "not" / "mounted")})
    with pytest.raises(OpsError) as caught:
        night_of(database, url)
    assert isinstance(caught.value, StoreRefused)
    assert not (tmp_path / "not").exists()


def test_a_full_disk_leaves_no_artifact_and_the_next_night_works(
    url: str, database: Policy, small_disk: Path, tmp_path: Path
) -> None:
    if not small_disk.is_mount():
        pytest.skip(
            "only root can mount a small disk, and at a limit on files pg_dump's workers end by a signal"
        )
    execute(
        url,
        "CREATE TABLE large AS SELECT gen_random_uuid()::text || gen_random_uuid() AS v"
        " FROM generate_series(1, 200000)",
    )
    full = Policy.model_validate({"store": str(small_disk / "store")})
    with pytest.raises(DiskFull) as caught:
        night_of(full, url)
    assert caught.value.next_step
    assert left_behind(full) == []
    assert catalog.read(Protected("hackorda", full, {}).store, "hackorda").artifacts == ()
    execute(url, "DROP TABLE large")
    assert night_of(full, url).manifest.rows == 6003


def test_a_second_dump_at_the_same_time_is_refused_and_names_the_first(url: str, database: Policy) -> None:
    target = connection.parse(url, origin="test")
    with dump_lock(target, application_name="the first one"), pytest.raises(LockHeld, match="the first one"):
        night_of(database, url)
    assert night_of(database, url).manifest.sound


def test_a_dump_whose_connection_is_cut_leaves_nothing_and_the_next_works(url: str, database: Policy) -> None:
    cut = threading.Event()

    def cut_at_dump(progress: Progress) -> None:
        if progress.stage == "dump" and not cut.is_set():
            cut.set()
            execute(
                url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )

    execute(
        url, "CREATE TABLE slow AS SELECT n, repeat(md5(n::text), 20) AS v FROM generate_series(1, 200000) n"
    )
    with pytest.raises(OpsError):
        night_of(database, url, on_progress=cut_at_dump)
    assert cut.is_set()
    assert left_behind(database) == []
    assert night_of(database, url).manifest.sound


def end_the_lock(url: str) -> None:
    execute(
        url,
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE application_name = 'hackorda_ops dump of hackorda'",
    )


def test_a_lock_that_is_lost_while_the_dump_is_read_back_costs_no_backup(url: str, database: Policy) -> None:
    def end_at_reading_back(progress: Progress) -> None:
        if progress.stage == "read back":
            end_the_lock(url)

    assert night_of(database, url, on_progress=end_at_reading_back).manifest.sound


def test_a_lock_that_another_dump_took_while_the_dump_is_read_back_ends_the_night(
    url: str, database: Policy
) -> None:
    with ExitStack() as others:

        def take_at_reading_back(progress: Progress) -> None:
            if progress.stage == "read back" and not taken:
                end_the_lock(url)
                taken.append(
                    others.enter_context(
                        dump_lock(connection.parse(url, origin="test"), application_name="another machine")
                    )
                )

        taken: list[Lock] = []
        with pytest.raises(LockLost):
            night_of(database, url, on_progress=take_at_reading_back)
        assert taken
    assert left_behind(database) == []


def test_a_night_goes_into_a_bucket_as_well_as_into_a_folder(
    url: str, tmp_path: Path, s3_server: S3Server, new_bucket: str
) -> None:
    database = Policy.model_validate(
        {
            "store": {
                "bucket": new_bucket,
                "prefix": "nights",
                "endpoint_url": s3_server.endpoint_url,
                "region": s3_server.region,
            },
            "dump": {"work_folder": str(tmp_path / "work")},
        }
    )
    environ = {
        "DATABASE_URL": url,
        "PATH": "/usr/bin:/bin",
        "OFFSITE_ACCESS_KEY_ID": s3_server.access_key_id,
        "OFFSITE_SECRET_ACCESS_KEY": s3_server.secret_access_key,
    }
    client = s3_server.client()
    # The S3 server dates every upload to 2010: as if a night that was killed had left it.
    client.create_multipart_upload(
        Bucket=new_bucket, Key="nights/hackorda/20260101T020000Z-abcdef/dump/1.dat"
    )
    night = take_night(Protected("hackorda", database, environ))
    assert "Uploads" not in client.list_multipart_uploads(Bucket=new_bucket)
    store = Protected("hackorda", database, environ).store
    assert catalog.read(store, "hackorda").artifacts == (night.manifest,)
    assert not [path for path in (tmp_path / "work").rglob("*") if path.is_file()]


def test_debians_own_postgres_with_gzip_works_the_same(
    debian_postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str], database: Policy
) -> None:
    url = database_on(debian_postgres_server)
    execute(url, SCHEMA)
    manifest = night_of(database, url).manifest
    assert manifest.rows == 6003
    assert manifest.client.compression in ("gzip", "zstd")
    assert manifest.client.major == manifest.inventory.source.server_version_number // 10_000


def test_a_manifest_is_plain_json_that_other_tools_can_read(url: str, database: Policy) -> None:
    data = json.loads((Path(night_of(database, url).location) / "manifest.json").read_text(encoding="utf-8"))
    assert data["format_version"] == 1
    assert data["inventory"]["source"]["server_version"].startswith("17.")
    assert all(len(each["sha256"]) == 64 for each in data["files"])
