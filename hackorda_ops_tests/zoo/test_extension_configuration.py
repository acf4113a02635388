"""Tables and sequences that an extension has registered as its configuration, which a dump holds in part."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.engines.postgres.drill.comparisons.schema import schema_findings
from hackorda_ops.environment import Protected
from hackorda_ops.evidence.comparing import compare
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME
from hackorda_ops.local.postgres import PostgresServer, delete_server, running_postgres
from hackorda_ops.night.night import Night, take_night
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import BroughtBack, bring_back
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.builders import restoring
from hackorda_ops_tests.drill.fixtures import PROGRAMS
from hackorda_ops_tests.postgres.awkward import execute, session, target_of
from hackorda_ops_tests.postgres.dumping import clients_of
from hackorda_ops_tests.zoo.own_extension import CONFIGURED, UNUSUAL, installed_with

pytestmark = pytest.mark.server


@pytest.fixture(scope="module", params=[16, 17, 18])
def server(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[PostgresServer]:
    installation = server_folder / f"installation-{request.param}"
    programs = installed_with(request.param, installation, CONFIGURED, UNUSUAL)
    folder = server_folder / f"configured-{request.param}"
    with running_postgres(folder, bin_dir=programs, settings={"fsync": "off"}) as running:
        yield running
    delete_server(folder)


@pytest.fixture
def new(server: PostgresServer, database_on: Callable[[PostgresServer], str]) -> Callable[[], str]:
    return lambda: database_on(server)


def night_of(server: PostgresServer, url: str, folder: Path) -> Night:
    database = Policy.model_validate(
        {"store": str(folder / "store"), "source": {"client_folders": [str(server.bin_dir)]}}
    )
    return take_night(Protected("zoo", database, {**PROGRAMS, "DATABASE_URL": url}))


def brought_back(server: PostgresServer, night: Night, url: str, folder: Path) -> BroughtBack:
    return bring_back(
        restoring(folder / "work", PROGRAMS, jobs=1, client_folders=(server.bin_dir,)),
        FolderStore(folder / "store"),
        night.manifest,
        target_of(url),
        source=None,
        on_progress=ignore,
    )


def test_configuration_comes_back_and_is_compared(
    server: PostgresServer, new: Callable[[], str], tmp_path: Path
) -> None:
    source, copy = new(), new()
    execute(
        source,
        "CREATE SCHEMA cfg",
        "CREATE EXTENSION cfgext",
        "INSERT INTO cfg.full_table (v) VALUES ('a'), ('b')",
        "INSERT INTO cfg.settings VALUES ('ours', '2'), ('more', '3')",
        "UPDATE cfg.settings SET v = 'changed, and in no dump' WHERE k = 'builtin'",
    )
    night = night_of(server, source, tmp_path)

    done = brought_back(server, night, copy, tmp_path)

    assert (done.verdict, done.findings) == ("PASS", ())
    dump = tmp_path / "store" / night.manifest.prefix / DUMP_FOLDER_NAME
    assert {str(each.name): each.rows for each in night.manifest.tables} == {
        "cfg.full_table": 2,
        "cfg.settings": 2,
    }
    assert [str(each.name) for each in night.manifest.inventory.sequences] == ["cfg.full_table_id_seq"]
    (tmp_path / "schema").mkdir()
    tools = clients_of(server)
    schema, _ = schema_findings(
        dump,
        target_of(copy),
        encoding="UTF8",
        tools=tools,
        new_twin=lambda: target_of(new()),
        folder=tmp_path / "schema",
    )
    assert schema == ()

    # And what differs from it is noticed.
    execute(
        copy,
        "UPDATE cfg.settings SET v = 'other' WHERE k = 'ours'",
        "DELETE FROM cfg.full_table WHERE id = 1",
    )
    execute(copy, "SELECT setval('cfg.full_table_id_seq', 1)")
    with session(copy) as connection:
        found = compare(
            connection, target_of(copy), night.manifest, dump_folder=dump, jobs=1, on_progress=ignore
        ).findings
    assert [(each.code, each.subject, each.severity) for each in found] == [
        ("rows differ", "cfg.full_table", "fatal"),
        ("content differs", "cfg.settings", "fatal"),
        ("sequence differs", "cfg.full_table_id_seq", "fatal"),
    ]


def test_an_extensions_own_rows_and_what_is_on_its_tables_are_no_fault_of_the_backup(
    server: PostgresServer, new: Callable[[], str], tmp_path: Path
) -> None:
    source, copy = new(), new()
    execute(
        source,
        "CREATE SCHEMA odd",
        'CREATE EXTENSION "Odd ext" SCHEMA odd',
        """INSERT INTO odd."Jobs %s {}" (command) VALUES ('ANALYZE'), ('skipped {}')""",
        "INSERT INTO odd.history VALUES (1, 'x')",
        "CREATE INDEX by_note ON odd.history_all (note)",
        "CREATE TABLE ours (job bigint, n int)",
        "INSERT INTO ours VALUES (2, 1)",
    )
    night = night_of(server, source, tmp_path)

    done = brought_back(server, night, copy, tmp_path)

    assert done.verdict == "PASS"
    assert [(each.code, each.subject, each.observed) for each in done.findings] == [
        ("configuration rows added", "odd.filled", "2 rows"),
        ("object of an extension's table missing", "index odd.by_note", "not there"),
    ]
    with psycopg.connect(copy) as connection:
        rows = connection.execute('SELECT "Id", command FROM odd."Jobs %s {}" ORDER BY 1').fetchall()
    assert rows == [(1, "VACUUM"), (2, "ANALYZE")]
