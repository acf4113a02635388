"""What every migration tool holds to, on a real database: those of the registry, and one that is added from outside."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from hackorda_ops.migration_tools.registry import TOOLS
from hackorda_ops.migrations.files import find_folders, folder_of
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.migration_state import ToolState, read_tool_states
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops_tests.migration_tools import flyway
from hackorda_ops_tests.migrations.commands import found_in, migrated, running
from hackorda_ops_tests.postgres import awkward

pytestmark = pytest.mark.server


@dataclass(frozen=True)
class Example:
    """A team's use of a tool: three migrations in a folder, of which a database has none, two or all.

    Attributes:
        tool: its name in the registry.
        files: what lies in the team's folder.
        names: of the three migrations.
        table: makes the tool's own table, still empty.
        steps: a statement for each migration, as the tool records that it was applied.
        another: files of another application's folder, whose migrations share nothing with these.
    """

    tool: str
    files: Mapping[str, str]
    names: tuple[str, str, str]
    table: str
    steps: tuple[str, str, str]
    another: Mapping[str, str]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _journal(*tags: str, first: int) -> str:
    entries = [{"when": first + number, "tag": tag} for number, tag in enumerate(tags)]
    return json.dumps({"dialect": "postgresql", "entries": entries})


_STEPS = ("0000_users", "0001_issues", "0002_labels")
_TIMED = ("20260101000000_users", "20260201000000_issues", "20260301000000_labels")
EXAMPLES = {
    "drizzle with a journal": Example(
        "drizzle",
        {
            "drizzle/meta/_journal.json": _journal(*_STEPS, first=100),
            **{f"drizzle/{name}.sql": f"-- {name}" for name in _STEPS},
        },
        _STEPS,
        "CREATE TABLE __drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)",
        tuple(  # type: ignore[arg-type]
            f"INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('{_sha256(f'-- {name}')}', {100 + number})"
            for number, name in enumerate(_STEPS)
        ),
        {
            "blog/drizzle/meta/_journal.json": _journal("0000_posts", "0001_tags", "0002_more", first=9_000),
        },
    ),
    "drizzle from its release 1 on": Example(
        "drizzle",
        {f"drizzle/{name}/migration.sql": f"-- {name}" for name in _TIMED}
        | {f"drizzle/{name}/snapshot.json": '{"dialect": "postgres"}' for name in _TIMED},
        _TIMED,
        "CREATE TABLE __drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint, name text)",
        tuple(  # type: ignore[arg-type]
            "INSERT INTO __drizzle_migrations (hash, created_at, name)"
            f" VALUES ('{_sha256(f'-- {name}')}', {1_767_225_600_000 + number}, '{name}')"
            for number, name in enumerate(_TIMED)
        ),
        {
            "blog/drizzle/20250101000000_posts/migration.sql": "-- posts",
            "blog/drizzle/20250101000000_posts/snapshot.json": '{"dialect": "postgres"}',
        },
    ),
    "prisma": Example(
        "prisma",
        {"prisma/migrations/migration_lock.toml": ""}
        | {f"prisma/migrations/{name}/migration.sql": "SELECT 1;" for name in _TIMED},
        _TIMED,
        "CREATE TABLE _prisma_migrations (id text, checksum text, migration_name text, finished_at timestamptz,"
        " rolled_back_at timestamptz)",
        tuple(  # type: ignore[arg-type]
            f"INSERT INTO _prisma_migrations VALUES ('{name}', 'c', '{name}', clock_timestamp(), NULL)"
            for name in _TIMED
        ),
        {
            "blog/prisma/migrations/migration_lock.toml": "",
            "blog/prisma/migrations/20250101000000_posts/migration.sql": "",
        },
    ),
    "goose": Example(
        "goose",
        {f"migrations/0000{number}_step.sql": "-- +goose Up\nSELECT 1;" for number in (1, 2, 3)},
        ("00001_step.sql", "00002_step.sql", "00003_step.sql"),
        "CREATE TABLE goose_db_version (id serial, version_id bigint, is_applied boolean, tstamp timestamp)",
        tuple(  # type: ignore[arg-type]
            f"INSERT INTO goose_db_version (version_id, is_applied) VALUES ({number}, true)"
            for number in (1, 2, 3)
        ),
        {"blog/migrations/20250101000000_posts.sql": "-- +goose Up\nSELECT 1;"},
    ),
    "flyway, from outside": Example(
        "flyway",
        {f"sql/V{number}__step.sql": "SELECT 1;" for number in (1, 2, 10)},
        ("V1__step.sql", "V2__step.sql", "V10__step.sql"),
        "CREATE TABLE flyway_schema_history (installed_rank int, version text, script text, success boolean)",
        tuple(  # type: ignore[arg-type]
            f"INSERT INTO flyway_schema_history VALUES ({number}, '{number}', 'V{number}__step.sql', true)"
            for number in (1, 2, 10)
        ),
        {"blog/sql/V2025__posts.sql": "SELECT 1;"},
    ),
}


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> Iterator[Example]:
    with patch.dict(TOOLS, {flyway.TOOL.name: flyway.TOOL}):
        yield EXAMPLES[request.param]


@pytest.fixture
def folder(example: Example, tmp_path: Path) -> Path:
    """The team's folder, with another application's and a package's beside it."""
    packaged = {f"node_modules/x/{name}": content for name, content in example.another.items()}
    hidden = {f".old/{name}": content for name, content in example.files.items()}
    for name, content in {**example.files, **example.another, **packaged, **hidden}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


def states(url: str) -> tuple[ToolState, ...]:
    with awkward.session(url) as connection:
        inventory = read_catalog(connection)
        found = read_tool_states(connection, inventory.tables).states
    # The manifest's own record says the same.
    assert [(each.tool, each.table, each.applied, each.latest) for each in inventory.migrations] == [
        (each.tool, each.table, len(each.applied), each.latest) for each in found
    ]
    return found


def test_every_tool_of_the_registry_is_tried_here() -> None:
    assert {example.tool for example in EXAMPLES.values()} == {*TOOLS, flyway.TOOL.name}
    assert all(name == tool.name == tool.name.lower() for name, tool in TOOLS.items())


def test_its_table_says_how_far_the_database_has_come(
    example: Example, folder: Path, new_database: str
) -> None:
    awkward.execute(new_database, example.table)
    folders = find_folders(folder)
    for done in range(4):
        [state] = states(new_database)
        assert (state.tool, state.table.name, len(state.applied)) == (
            example.tool,
            TOOLS[example.tool].table,
            done,
        )
        assert bool(state.latest) == bool(done)
        assert state.half_applied == ()
        if done:
            found = folder_of(state, folders)
            assert found is not None
            assert not found.path.is_relative_to(folder / "blog")
            assert [file.name for file in found.files] == list(example.names)
            assert [file and file.name for file in found.applied(state)] == list(example.names[:done])
            assert found.pending(state) == example.names[done:]
            assert found.skipped(state) == ()
        awkward.execute(new_database, *example.steps[done : done + 1])


def test_packages_and_hidden_folders_are_not_the_teams(example: Example, folder: Path) -> None:
    found = [each for each in find_folders(folder) if each.tool == example.tool]
    assert len(found) == 2
    for part in ("node_modules", ".old"):
        assert not any(each.path.is_relative_to(folder / part) for each in found)


def test_a_migration_that_the_folder_does_not_have_is_none(
    example: Example, folder: Path, new_database: str
) -> None:
    awkward.execute(new_database, example.table, *example.steps)
    [state] = states(new_database)
    found = folder_of(state, find_folders(folder))
    assert found is not None
    without_last = type(found)(found.tool, found.path, found.files[:-1])

    assert [file and file.name for file in without_last.applied(state)] == [*example.names[:2], None]
    assert without_last.pending(state) == ()


def test_the_folder_of_another_application_is_not_its_own(
    example: Example, folder: Path, new_database: str
) -> None:
    awkward.execute(new_database, example.table, *example.steps[:1])
    [state] = states(new_database)
    others = [each for each in find_folders(folder) if each.path.is_relative_to(folder / "blog")]

    assert [each.tool for each in others] == [example.tool]
    assert folder_of(state, others) is None


def test_its_command_is_followed_to_the_end_and_back(
    example: Example, folder: Path, new_database: str
) -> None:
    awkward.execute(new_database, example.table, *example.steps[:2])
    idle = migrated(new_database, command="true", working_directory=folder)
    assert found_in(idle) == [("migrations pending", "fatal")]
    assert idle.result.pending_after == example.names[2:]

    done = migrated(new_database, command=running(example.steps[2]), working_directory=folder)
    assert done.findings == ()
    assert (done.result.applied, done.result.pending_before, done.result.pending_after) == (
        1,
        example.names[2:],
        (),
    )
    assert done.result.after == f"{example.tool}: 3, newest {example.names[2]}"

    undone = migrated(
        new_database, command=running(f"DELETE FROM {TOOLS[example.tool].table}"), working_directory=folder
    )
    assert ("migration undone", "fatal") in found_in(undone)


def test_a_table_that_only_shares_its_name_or_may_not_be_read_is_passed_over(
    example: Example, new_database: str
) -> None:
    awkward.execute(new_database, example.table, *example.steps)
    awkward.execute(new_database, f"CREATE SCHEMA other CREATE TABLE {TOOLS[example.tool].table} (note text)")

    [state] = states(new_database)
    assert state.table == TableName("public", TOOLS[example.tool].table)
    with awkward.new_role(new_database, "looker") as role_url:
        assert states(role_url) == ()
