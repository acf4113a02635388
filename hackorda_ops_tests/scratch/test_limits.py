"""What a scratch server allows is foretold, before a drill meets it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server, running_postgres
from hackorda_ops.postgres.catalogs.inventory import Extension
from hackorda_ops.preflight.preflight import preflight
from hackorda_ops.scratch.limits import ScratchLimits, limit_concerns
from hackorda_ops_tests.builders import inventory
from hackorda_ops_tests.drill.fixtures import Night, Shipped, night_of
from hackorda_ops_tests.zoo.servers import programs_of

ROOMY = ScratchLimits(None, 50, True, None)
CRON = replace(inventory(), extensions=(Extension("pg_cron", "1.4", "pg_catalog"),))


@pytest.mark.parametrize(
    ("limits", "holds", "says"),
    [
        (replace(ROOMY, role_connections=5), inventory(), "role allows 5 more connections"),
        (replace(ROOMY, server_connections=2), inventory(), "server allows 2 more connections"),
        (replace(ROOMY, writes=False), inventory(), "default_transaction_read_only"),
        (ROOMY, CRON, "does not preload it"),
        (replace(ROOMY, cron_database="postgres"), CRON, "in the database postgres only"),
    ],
)
def test_each_limit_is_named(limits: ScratchLimits, holds: object, says: str) -> None:
    [concern] = limit_concerns(limits, jobs=2, inventory=holds)  # type: ignore[arg-type]
    assert says in concern.what


def test_a_roomy_server_raises_no_concern() -> None:
    assert list(limit_concerns(replace(ROOMY, role_connections=6), jobs=2, inventory=inventory())) == []


@pytest.fixture
def cron_server(server_folder: Path) -> Iterator[PostgresServer]:
    """Debian's Postgres 15 with pg_cron, as its package sets it up."""
    folder = server_folder / "cron"
    settings = {"shared_preload_libraries": "pg_cron", "cron.database_name": "jobs", "fsync": "off"}
    with running_postgres(folder, bin_dir=programs_of(15), settings=settings) as server:
        yield server
    delete_server(folder)


@pytest.mark.server
def test_pg_cron_is_foretold_and_a_drill_of_it_is_no_fail_of_the_backup(
    cron_server: PostgresServer,
    debian_postgres_server: PostgresServer,
    ship: Callable[[Night], Shipped],
    tmp_path: Path,
) -> None:
    url = create_database(cron_server, "jobs")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_cron; CREATE TABLE t AS SELECT generate_series(1, 10) AS id")
        connection.execute("SELECT cron.schedule('nightly', '0 3 * * *', 'VACUUM t')")
    tools = {"client_folders": [str(cron_server.bin_dir)]}
    protected = ship(night_of(url, tmp_path / "store", source=tools)).changed(
        source=tools, environ={"SCRATCH_ADMIN_URL": debian_postgres_server.url()}
    )

    parts = preflight(protected)
    concerns = [each.what for part in parts if part.part == "scratch limits" for each in part.concerns]
    result = protected.drill()

    assert ["pg_cron" in what for what in concerns] == [True]
    assert (result.verdict, result.findings) == ("ERROR", ())
    assert result.error is not None
    assert "pg_cron" in result.error.what
