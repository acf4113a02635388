"""What a night needs, looked at on real servers: every problem at once, and nothing that isn't one."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from hackorda_ops.artifacts.manifest import to_bytes
from hackorda_ops.concerns import Concern, concerns_in
from hackorda_ops.config.models import Policy
from hackorda_ops.engines.engine import NightView
from hackorda_ops.engines.postgres.night.preflight_source import encryption_concerns, version_concerns
from hackorda_ops.environment import Protected
from hackorda_ops.errors import (
    ClientMissing,
    ConfigError,
    DiskFull,
    LoginRefused,
    PermanentError,
    PreflightFailed,
    RightsMissing,
    ServerUnreachable,
    SnapshotUnavailable,
    StoreRefused,
)
from hackorda_ops.local.postgres import PostgresServer, delete_server, running_postgres, wheel_bin_dir
from hackorda_ops.night.night import take_night
from hackorda_ops.night.preflight import look_at_night
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops_tests.builders import manifest
from hackorda_ops_tests.postgres import awkward
from hackorda_ops_tests.postgres.sessions import relays

PATH = {"PATH": "/usr/bin:/bin"}


def look(database: Policy, private: Path, url: str, **environ: str) -> NightView:
    return look_at_night(
        Protected("hackorda", database, {**PATH, "DATABASE_URL": url, **environ}), private_folder=private
    )


def stopping(view: NightView) -> list[tuple[str, type[Exception]]]:
    return [
        (part.part, concern.kind)
        for part in view.parts
        for concern in part.concerns
        if concern.severity == "stops the night"
    ]


def concern(view: NightView, part: str) -> Concern:
    [found] = [concern for each in view.parts if each.part == part for concern in each.concerns]
    return found


@pytest.fixture
def database(tmp_path: Path) -> Policy:
    return Policy.model_validate({"store": str(tmp_path / "store")})


@pytest.fixture
def url(new_database: str) -> str:
    awkward.execute(new_database, "CREATE TABLE users AS SELECT n AS id FROM generate_series(1, 100) n")
    return new_database


@pytest.fixture
def with_huge_artifact(tmp_path: Path) -> Policy:
    """A store whose newest artifact says that it is larger than any disk."""
    made = manifest()
    made = replace(
        made,
        files=tuple(replace(file, size_bytes=2**60) for file in made.files),
        # Of a database of no size to speak of, so that the one at hand has not shrunk since.
        inventory=replace(made.inventory, size_bytes=1),
    )
    folder = tmp_path / "store" / made.prefix
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(to_bytes(made))
    return Policy.model_validate({"store": str(tmp_path / "store")})


def test_a_sound_source_and_store_tell_nothing(url: str, database: Policy, tmp_path: Path) -> None:
    view = look(database, tmp_path, url)
    assert [(part.part, part.concerns) for part in view.parts] == [
        (name, ())
        for name in (
            "source",
            "clocks",
            "snapshot",
            "rights",
            "locks",
            "settings",
            "contents",
            "clients",
            "store",
            "room",
        )
    ]
    assert view.seen is not None
    assert all(part.seen for part in view.parts)
    assert str(urlsplit(url).password) not in repr(view)


def test_debians_postgres_is_looked_at_in_the_same_way(
    debian_postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    database: Policy,
    tmp_path: Path,
) -> None:
    url = database_on(debian_postgres_server)
    awkward.execute(url, awkward.SCHEMA)
    view = look(database, tmp_path, url)
    assert stopping(view) == []
    told = " ".join(each.what for each in concerns_in(view.parts, "worth knowing"))
    assert "public.far_away" in told
    assert "public.cache" in told
    with awkward.new_role(url, "bare reader") as role_url:
        assert stopping(look(database, tmp_path, role_url)) == [("rights", RightsMissing)]


def test_several_problems_are_all_told_by_a_night_in_one_error(
    url: str, with_huge_artifact: Policy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("hackorda_ops.postgres.tools.clients._wheel_folders", lambda: iter(()))
    with awkward.new_role(url, "modest") as role_url:
        view = look(with_huge_artifact, tmp_path, role_url)
        with pytest.raises(PreflightFailed) as caught:
            take_night(Protected("hackorda", with_huge_artifact, {**PATH, "DATABASE_URL": role_url}))
    assert stopping(view) == [("rights", RightsMissing), ("clients", ClientMissing), ("room", DiskFull)]
    assert 'GRANT SELECT ON TABLE "public"."users" TO "modest";' in caught.value.what
    assert "No pg_dump, pg_restore and psql of Postgres 17" in caught.value.what
    assert "the dump of" in caught.value.what
    assert "Make room there" in caught.value.next_step
    assert "Install them" in caught.value.next_step
    assert list((tmp_path / "store" / ".staging" / "hackorda").iterdir()) == []


def test_a_disk_without_room_alone_is_that_error(url: str, with_huge_artifact: Policy) -> None:
    with pytest.raises(DiskFull):
        take_night(Protected("hackorda", with_huge_artifact, {**PATH, "DATABASE_URL": url}))


def test_a_store_that_is_missing_is_told_together_with_the_rights(url: str, tmp_path: Path) -> None:
    unmounted = Policy.model_validate({"store": str(tmp_path / "not" / "mounted")})
    with awkward.new_role(url, "modest") as role_url, pytest.raises(PreflightFailed) as caught:
        take_night(Protected("hackorda", unmounted, {**PATH, "DATABASE_URL": role_url}))
    assert "GRANT SELECT" in caught.value.what
    assert "not/mounted" in caught.value.what


def test_a_source_that_does_not_answer_keeps_nobody_from_looking_at_the_store(
    url: str, tmp_path: Path
) -> None:
    unmounted = Policy.model_validate({"store": str(tmp_path / "not" / "mounted")})
    password = str(urlsplit(url).password)
    view = look(unmounted, tmp_path, url.replace(password, "not-the-password"))
    assert stopping(view) == [("source", LoginRefused), ("store", StoreRefused)]
    assert "not-the-password" not in repr(view)
    assert (view.source, view.seen) == (None, None)
    elsewhere = "postgresql://somebody:secret@no-such-host.invalid/x"
    [(part, kind), store_part] = stopping(look(unmounted, tmp_path, elsewhere))
    # By what this machine's resolver says: no such host, or nothing at all.
    assert (part, kind in (PermanentError, ServerUnreachable)) == ("source", True)
    assert store_part == ("store", StoreRefused)


def test_missing_variables_are_concerns_too(tmp_path: Path) -> None:
    database = Policy.model_validate({"store": "s3://backups/nights"})
    view = look_at_night(Protected("hackorda", database, PATH), private_folder=tmp_path)
    assert stopping(view) == [("source", ConfigError), ("store", ConfigError)]


def test_a_pooler_in_transaction_mode_is_told_with_the_remedy(
    url: str, database: Policy, tmp_path: Path
) -> None:
    with relays.transaction_pooler(url) as port:
        pooled = f"postgresql://postgres:x@127.0.0.1:{port}/any?sslmode=disable"
        view = look(database, tmp_path, pooled)
    assert stopping(view) == [("snapshot", SnapshotUnavailable)]
    assert "direct endpoint" in concern(view, "snapshot").next_step


def test_row_level_security_and_large_objects_are_told_at_once(
    url: str, database: Policy, tmp_path: Path
) -> None:
    awkward.execute(url, "ALTER TABLE users ENABLE ROW LEVEL SECURITY", "SELECT lo_create(0)")
    with awkward.new_role(url, "reader of all") as role_url:
        awkward.execute(url, 'GRANT pg_read_all_data TO "reader of all"')
        told = concern(look(database, tmp_path, role_url), "rights").what
    assert 'ALTER ROLE "reader of all" BYPASSRLS;' in told
    assert "GRANT SELECT ON LARGE OBJECT" in told


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ((), True),
        (("ALTER DATABASE {} SET statement_timeout = '15s'",), False),
        (("ALTER DATABASE {} SET statement_timeout = 0",), True),
        (("ALTER ROLE postgres IN DATABASE {} SET statement_timeout = '15s'",), False),
        (
            (
                "ALTER DATABASE {} SET statement_timeout = '15s'",
                "ALTER ROLE postgres IN DATABASE {} SET statement_timeout = '0s'",
            ),
            True,
        ),
    ],
)
def test_a_pooled_application_without_a_time_limit_of_the_database_is_told(
    url: str, database: Policy, tmp_path: Path, settings: tuple[str, ...], told: bool
) -> None:
    name = urlsplit(url).path.strip("/").replace("%20", " ")
    awkward.execute(url, *(each.format(f'"{name}"') for each in settings))
    pooled = "postgresql://postgres:x@ep-calm-sun-123-pooler.us-east-1.aws.neon.tech/neondb"
    policy = database.model_copy(
        update={"source": database.source.model_copy(update={"direct_url_env": "DIRECT_DATABASE_URL"})}
    )
    view = look(policy, tmp_path, pooled, DIRECT_DATABASE_URL=url)
    found = [each.what for each in concerns_in(view.parts)]
    assert len(found) == told
    assert all("no statement_timeout of its own" in each for each in found)


def test_a_folder_that_this_user_may_not_write_to_is_told(
    url: str, database: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write anywhere, so the operating system's answer is taken from a user who may not.
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert stopping(look(database, tmp_path, url)) == [("store", StoreRefused)]


def test_looking_writes_nothing_to_the_source_and_leaves_nothing_in_the_store(
    url: str, database: Policy, tmp_path: Path
) -> None:
    def unchanged() -> bool:
        with psycopg.connect(url, autocommit=True) as session:
            # A transaction that writes anything takes a number; one that reads doesn't.
            before = session.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone()
            look(database, tmp_path / "private", url)
            return before == session.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone()

    # Autovacuum may take a number of its own meanwhile.
    assert any(unchanged() for _ in range(3))
    assert [path.name for path in tmp_path.rglob("*")] == ["store"]


@pytest.mark.parametrize(
    ("version", "severities"), [(130022, ["stops the night"]), (140000, []), (180001, [])]
)
def test_a_server_older_than_14_is_not_supported(version: int, severities: list[str]) -> None:
    assert [each.severity for each in version_concerns(version)] == severities


@pytest.mark.parametrize(
    ("host", "encrypted", "told"),
    [
        ("db.example", False, True),
        ("db.example", True, False),
        ("127.0.0.1", False, False),
        ("localhost", False, False),
        ("/run/postgresql", False, False),
    ],
)
def test_an_open_line_to_another_machine_is_told(host: str, encrypted: bool, told: bool) -> None:
    target = parse(f"host={host} user=u dbname=d", origin="the test")
    assert bool(list(encryption_concerns(target, encrypted=encrypted))) == told


def test_a_lock_table_filled_up_by_many_tables_is_told(
    database: Policy, tmp_path: Path, server_folder: Path
) -> None:
    folder = server_folder / "few locks"
    few = {"fsync": "off", "max_connections": "12", "max_locks_per_transaction": "10"}
    try:
        with running_postgres(folder, settings=few) as server:
            awkward.execute(
                server.url(),
                "DO 'BEGIN FOR n IN 1..130 LOOP EXECUTE format($$CREATE TABLE t%s ()$$, n); COMMIT; END LOOP; END'",
            )
            told = concern(look(database, tmp_path, server.url()), "locks")
    finally:
        delete_server(folder)
    assert told.severity == "worth knowing"
    assert "with 2 jobs takes 630 locks" in told.what
    assert "room for about 510" in told.what


def test_a_pg_dump_without_zstd_is_told(url: str, database: Policy, tmp_path: Path) -> None:
    folder = tmp_path / "programs"
    folder.mkdir()
    for tool in ("pg_restore", "psql"):
        (folder / tool).symlink_to(shutil.which(tool, path=str(wheel_bin_dir())) or "")
    (folder / "pg_dump").write_text("#!/bin/sh\n[ $1 = --version ] && echo 'pg_dump (PostgreSQL) 17.10'\n")
    (folder / "pg_dump").chmod(0o755)
    policy: Any = {"store": str(tmp_path / "store"), "source": {"client_folders": [str(folder)]}}
    told = concern(look(Policy.model_validate(policy), tmp_path, url), "clients")
    assert "without zstd" in told.what
