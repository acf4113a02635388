"""Two servers of each version, source and scratch, and the whole way from a night to a drill's verdict."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.config.models import Policy
from hackorda_ops.drill.drill import run_drill
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.environment import Protected
from hackorda_ops.local.postgres import PostgresServer, delete_server, running_postgres
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.night.night import take_night
from hackorda_ops.week import week
from hackorda_ops_tests.drill.fixtures import PROGRAMS, databases_on
from hackorda_ops_tests.zoo.servers import programs_of

_QUICK = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_locks_per_transaction": "256",
}


@dataclass(frozen=True)
class Servers:
    """A source and a scratch of one version."""

    major: int
    source: PostgresServer
    scratch: PostgresServer


@pytest.fixture(scope="package")
def servers_of(server_folder: Path) -> Iterator[Callable[[int], Servers]]:
    """Starts the two servers of a version, once each.

    Not a parameter of the fixture itself: pytest would stop them after each test that has another parameter beside it.
    """
    started: dict[int, Servers] = {}

    def of(major: int) -> Servers:
        if major not in started:
            started[major] = start(major)
        return started[major]

    def start(major: int) -> Servers:
        made = []
        for role in ("source", "scratch"):
            folder = server_folder / f"zoo-{major}-{role}"
            running.callback(delete_server, folder)
            made.append(
                running.enter_context(running_postgres(folder, bin_dir=programs_of(major), settings=_QUICK))
            )
        source, scratch = made
        with psycopg.connect(source.url(), autocommit=True) as connection:
            connection.execute("SET allow_in_place_tablespaces = on")
            connection.execute("CREATE TABLESPACE elsewhere LOCATION ''")
        return Servers(major, source, scratch)

    with ExitStack() as running:
        yield of


@pytest.fixture
def servers(request: pytest.FixtureRequest, servers_of: Callable[[int], Servers]) -> Servers:
    """Two servers of the version that the test names."""
    return servers_of(request.param)


@pytest.fixture
def drilled_with(
    servers: Servers, new_bucket: str, s3_server: S3Server, tmp_path: Path
) -> Callable[..., DrillResult]:
    """Takes a night of a database, ships it, and drills it on a scratch that is set so: gives the drill's result."""

    def drilled_with(url: str, section: dict[str, object], admin: str | None = None) -> DrillResult:
        database = Policy.model_validate(
            {
                "source": {"client_folders": [str(servers.source.bin_dir)]},
                "store": str(tmp_path / "store"),
                "offsite": {"bucket": new_bucket},
                "scratch": {"server": section},
                "dump": {"work_folder": str(tmp_path / "work")},
            }
        )
        environ = {
            **PROGRAMS,
            "DATABASE_URL": url,
            "OFFSITE_ENDPOINT_URL": s3_server.endpoint_url,
            "OFFSITE_REGION": s3_server.region,
            "OFFSITE_ACCESS_KEY_ID": s3_server.access_key_id,
            "OFFSITE_SECRET_ACCESS_KEY": s3_server.secret_access_key,
            "SCRATCH_ADMIN_URL": admin or servers.scratch.url(),
        }
        before = databases_on(servers.scratch)
        night = take_night(Protected("zoo", database, environ))
        week.ship(Protected("zoo", database, environ), night.manifest)
        result = run_drill(Protected("zoo", database, environ))
        assert databases_on(servers.scratch) == before
        return result

    return drilled_with


@pytest.fixture
def drilled(drilled_with: Callable[..., DrillResult]) -> Callable[[str], DrillResult]:
    """The same, restored by the scratch server's superuser: only it can restore an animal of every kind."""
    return lambda url: drilled_with(url, {"superuser": "postgres", "restore_as_admin": True})


@pytest.fixture
def as_restorer(drilled_with: Callable[..., DrillResult]) -> Callable[[str], DrillResult]:
    """The same, restored by a role that was made for it."""
    return lambda url: drilled_with(url, {"superuser": "postgres"})


def make(server: PostgresServer, name: str, options: str = "") -> str:
    """Creates a database of this server and returns its URL."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ").format(sql.Identifier(name)) + sql.SQL(options)
        )
    return server.url(name)


def told(result: DrillResult) -> list[str]:
    """A drill's verdict, and all that speaks against a PASS."""
    return [
        result.verdict,
        *(f"{each.code} {each.subject}: {each.expected} | {each.observed}" for each in result.findings),
        *([] if result.error is None else [result.error.what]),
        *(f"{each.name}: {each.summary}" for each in result.checks if each.outcome == "failed"),
    ]
