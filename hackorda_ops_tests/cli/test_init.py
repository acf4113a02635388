"""`hackorda-ops init`: from a connection string to the first proven dump, asked in a terminal or not at all."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import yaml

from hackorda_ops.cli.init import local_timezone
from hackorda_ops.local.hackorda import seed
from hackorda_ops.local.postgres import PostgresServer, create_database

PROGRAM = Path(sys.executable).with_name("hackorda-ops")


@pytest.fixture(scope="module")
def source(postgres_server: PostgresServer) -> str:
    url = create_database(postgres_server, "the shop")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("CREATE TABLE users (id int PRIMARY KEY, created_at timestamptz DEFAULT now())")
        session.execute(
            'CREATE TABLE orders (id int, user_id int REFERENCES users, "createdAt" timestamptz DEFAULT now())'
        )
        session.execute("CREATE TABLE user_sessions (id int, user_id int REFERENCES users, created_at date)")
        session.execute("CREATE TABLE prices (id int)")
        session.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        session.execute("INSERT INTO users SELECT generate_series(1, 100)")
    return url


@pytest.fixture
def environ(source: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TZ": "Asia/Almaty", "DATABASE_URL": source}


def run(folder: Path, environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [PROGRAM, *arguments],
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    password = urlsplit(environ.get("DATABASE_URL", "")).password
    assert password is None or password not in done.stdout + done.stderr
    return done


def test_a_script_gets_a_configuration_that_is_sound_and_a_first_dump(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    written = run(tmp_path, environ, "init", "--yes")

    assert written.returncode == 0, written.stdout + written.stderr
    assert "A night can be taken now: hackorda-ops dump" in written.stdout
    assert "SCRATCH_ADMIN_URL" in written.stdout  # the preflight's: what a drill needs
    text = (tmp_path / "databases.yaml").read_text()
    [(name, said)] = yaml.safe_load(text)["databases"].items()
    assert name == "the_shop"
    assert said["key_tables"] == [
        {"table": "users", "timestamp": "created_at"},
        {"table": "orders", "timestamp": "createdAt"},
    ]
    assert said["migrate"] == {"command": "alembic upgrade head"}
    assert said["schedule"] == {"timezone": "Asia/Almaty"}
    assert said["scratch"] == {"server": {}}
    for file in (".env.example", "workspace.yaml", "dagster.yaml"):
        assert (tmp_path / file).is_file()
        assert str(urlsplit(environ["DATABASE_URL"]).password) not in (tmp_path / file).read_text()

    assert run(tmp_path, environ, "config", "check").returncode == 0
    dumped = run(tmp_path, environ, "dump")
    assert dumped.returncode == 0, dumped.stderr
    assert "PASS" in dumped.stdout

    again = run(tmp_path, environ, "init", "--yes")
    assert again.returncode == 2
    assert "already a configuration" in again.stderr
    assert (tmp_path / "databases.yaml").read_text() == text


def test_options_are_taken_and_what_is_there_stays(tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    written = run(
        tmp_path,
        {**environ, "SHOP_URL": environ["DATABASE_URL"], "DATABASE_URL": ""},
        *("init", "--yes", "--name", "shop", "--url-env", "SHOP_URL", "--store", "nights"),
        *("--offsite", "s3://far/x", "--scratch", "neon", "--migrate", "", "--timezone", "UTC"),
    )

    assert written.returncode == 0, written.stdout + written.stderr
    assert "dagster.yaml: was there, and is as it was" in written.stdout
    assert (tmp_path / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"
    said = yaml.safe_load((tmp_path / "databases.yaml").read_text())["databases"]["shop"]
    assert said["source"] == {"url_env": "SHOP_URL"}
    assert (said["store"], said["offsite"], said["scratch"]) == ("nights", "s3://far/x", {"neon": {}})
    assert "migrate" not in said


@pytest.mark.parametrize(
    ("arguments", "changes", "says"),
    [
        ((), {}, "There is no terminal to ask questions in"),
        (("--yes",), {"DATABASE_URL": ""}, "The variable DATABASE_URL is not set"),
        (("--yes", "--timezone", "Mars/Olympus"), {}, "needs an IANA time zone name"),
        (("--yes", "--scratch", "moon"), {}, "unknown key"),
        (("--yes", "--offsite", "ftp://x"), {}, "needs s3://bucket/prefix"),
    ],
)
def test_what_can_not_be_is_refused_and_nothing_is_written(
    tmp_path: Path, environ: dict[str, str], arguments: tuple[str, ...], changes: dict[str, str], says: str
) -> None:
    refused = run(tmp_path, environ | changes, "init", *arguments)

    assert refused.returncode == 2
    assert says in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_does_not_answer_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    gone = {"PATH": os.environ["PATH"], "DATABASE_URL": "postgresql://me:hunter2@no-such-host.invalid/x"}

    refused = run(tmp_path, gone, "init", "--yes")

    assert refused.returncode not in (0, 1)
    assert "no-such-host.invalid" in refused.stderr
    assert "hunter2" not in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_another_variable_with_a_connection_string_is_named(tmp_path: Path, environ: dict[str, str]) -> None:
    refused = run(
        tmp_path, {**environ, "SHOP_URL": environ["DATABASE_URL"], "DATABASE_URL": ""}, "init", "--yes"
    )

    assert "set here: SHOP_URL" in refused.stderr


def test_in_a_terminal_it_asks_with_what_it_proposes(tmp_path: Path, environ: dict[str, str]) -> None:
    master, terminal = pty.openpty()
    program = subprocess.Popen(
        [PROGRAM, "init"],
        env=environ,
        cwd=tmp_path,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
    )
    os.close(terminal)
    # name, store, off-site, scratch, key tables, migrations, time zone
    os.write(master, b"shop\n\n\n\nusers, prices\n-\n\n")
    out, _ = program.communicate()
    asked = b""
    while select.select([master], [], [], 0)[0]:
        try:
            asked += os.read(master, 65536)
        except OSError:
            break
    os.close(master)

    assert program.returncode == 0, out
    for words in (b"What shall the database be called here?", b"alembic was found", b"[Asia/Almaty]"):
        assert words in asked
    said = yaml.safe_load((tmp_path / "databases.yaml").read_text())["databases"]["shop"]
    assert [each["table"] for each in said["key_tables"]] == ["users", "prices"]
    assert "migrate" not in said
    assert "prices has no column created_at that holds a time" in out


def test_hackordas_own_database_is_proposed_as_its_team_would(
    postgres_server: PostgresServer, tmp_path: Path, environ: dict[str, str]
) -> None:
    url = create_database(postgres_server, "hackorda_init")
    seed(url)

    written = run(tmp_path, {**environ, "DATABASE_URL": url}, "init", "--yes")

    assert written.returncode == 0, written.stdout + written.stderr
    said = yaml.safe_load((tmp_path / "databases.yaml").read_text())["databases"]["hackorda_init"]
    assert {"users", "test_cycles", "issues"} <= {each["table"] for each in said["key_tables"]}
    assert said["migrate"]["command"] == "npx drizzle-kit migrate"


def test_the_machines_time_zone_is_proposed(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Europe/Berlin")

    assert local_timezone({"TZ": ":Asia/Almaty"}, link) == "Asia/Almaty"
    assert local_timezone({"TZ": "nonsense"}, link) == "Europe/Berlin"
    assert local_timezone({}, tmp_path / "none") == "UTC"
