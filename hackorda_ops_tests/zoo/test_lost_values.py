"""A pg_dump that keeps the number of rows and alters their values makes no artifact, on every version of Postgres."""

import shlex
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged, RetryableError
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.night.night import take_night
from hackorda_ops_tests.drill.fixtures import PROGRAMS
from hackorda_ops_tests.zoo.animals import MAJORS
from hackorda_ops_tests.zoo.conftest import Servers, make

pytestmark = pytest.mark.server

SCHEMA = """
CREATE TABLE t (id serial PRIMARY KEY, a int DEFAULT 3, f float8);
INSERT INTO t (a, f) SELECT g, g / 3.0 FROM generate_series(1, 100) g;
COMMENT ON COLUMN t.f IS 'unit: cents';
CREATE TABLE untouched (id int); INSERT INTO untouched VALUES (1);
"""
ROUNDS_FLOATS = 'exec "$real/pg_dump" "$@" --extra-float-digits=0'
# The night's snapshot is older than what is done here, and this dump doesn't see it.
WITHOUT_THE_SNAPSHOT = """
"$real/psql" --no-psqlrc --quiet --dbname={url} --command={meanwhile} || exit
for argument; do
    shift
    case "$argument" in --snapshot=*) ;; *) set -- "$@" "$argument" ;; esac
done
exec "$real/pg_dump" "$@"
"""


def tools(server: PostgresServer, folder: Path, pg_dump: str) -> Path:
    """Client tools of which pg_dump is a script; what dumps no data is left to the real one."""
    folder.mkdir()
    for tool in ("pg_restore", "psql"):
        (folder / tool).symlink_to(server.bin_dir / tool)
    (folder / "pg_dump").write_text(
        f"#!/bin/sh\nreal={shlex.quote(str(server.bin_dir))}\n"
        f'case " $* " in *" --jobs="*) ;; *) exec "$real/pg_dump" "$@" ;; esac\n{pg_dump}\n'
    )
    (folder / "pg_dump").chmod(0o755)
    return folder


def night_with(servers: Servers, url: str, folder: Path, pg_dump: str) -> None:
    """Takes a night with such tools; nothing may be in the store when it fails."""
    made = tools(servers.source, folder / "tools", pg_dump)
    database = Policy.model_validate(
        {"store": str(folder / "store"), "source": {"client_folders": [str(made)]}}
    )
    try:
        take_night(Protected("lost", database, {**PROGRAMS, "DATABASE_URL": url}))
    finally:
        assert list((folder / "store").rglob("manifest.json")) == []


def without_the_snapshot(url: str, meanwhile: str) -> str:
    return WITHOUT_THE_SNAPSHOT.format(url=shlex.quote(url), meanwhile=shlex.quote(meanwhile))


@pytest.fixture
def url(servers: Servers, request: pytest.FixtureRequest) -> str:
    made = make(servers.source, f"lost values of {request.node.originalname}"[:60])
    with psycopg.connect(made) as session:
        session.execute(SCHEMA)
    return made


@pytest.mark.parametrize("servers", MAJORS, indirect=True)
def test_rounded_floats_are_found_the_same_night(servers: Servers, url: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactDamaged) as caught:
        night_with(servers, url, tmp_path, ROUNDS_FLOATS)
    assert caught.value.what.endswith("other values in public.t.")
    assert "33.3" not in str(caught.value)


@pytest.mark.parametrize("servers", MAJORS, indirect=True)
def test_a_dump_of_another_moment_is_found_the_same_night(servers: Servers, url: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactDamaged, match=r"other values in public\.t\."):
        night_with(
            servers, url, tmp_path, without_the_snapshot(url, "UPDATE public.t SET a = a + 1 WHERE id = 7")
        )


@pytest.mark.parametrize("servers", [17], indirect=True)
def test_where_the_schema_changed_meanwhile_nobody_can_tell_and_the_night_is_taken_again(
    servers: Servers, url: str, tmp_path: Path
) -> None:
    change = "UPDATE public.t SET a = a + 1 WHERE id = 7; CREATE TABLE public.another (id int)"
    with pytest.raises(RetryableError, match=r"The schema changed during the night.*public\.t\."):
        night_with(servers, url, tmp_path, without_the_snapshot(url, change))
