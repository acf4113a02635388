"""What every migration tool holds to, on a real database: those of the registry, and one that is added from outside."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from hackorda_ops.migration_tools.registry import TOOLS
from hackorda_ops.migrations.files import find_folders, folder_of
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.migration_state import ToolState, read_tool_states
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops_tests.migration_tools import ledger
from hackorda_ops_tests.migration_tools.examples import EXAMPLES, Example
from hackorda_ops_tests.migrations.commands import found_in, migrated, running
from hackorda_ops_tests.postgres import awkward

pytestmark = pytest.mark.server


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> Iterator[Example]:
    with patch.dict(TOOLS, {ledger.TOOL.name: ledger.TOOL}):
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
    assert {example.tool for example in EXAMPLES.values()} == {*TOOLS, ledger.TOOL.name}
    assert all(name == tool.name == tool.name.lower() for name, tool in TOOLS.items())


def test_its_table_says_how_far_the_database_has_come(
    example: Example, folder: Path, new_database: str
) -> None:
    awkward.execute(new_database, example.table)
    folders = find_folders(folder)
    for done in range(4):
        [state] = states(new_database)
        newest_only = TOOLS[example.tool].newest_only
        assert (state.tool, state.table.name) == (example.tool, TOOLS[example.tool].table)
        assert len(state.applied) == (min(done, 1) if newest_only else done)
        assert bool(state.latest) == bool(done)
        assert state.half_applied == ()
        if done:
            found = folder_of(state, folders)
            assert found is not None
            assert not found.path.is_relative_to(folder / "blog")
            assert [file.name for file in found.files] == list(example.names)
            known = example.names[done - 1 : done] if newest_only else example.names[:done]
            assert [file and file.name for file in found.applied(state)] == list(known)
            assert {file.name for file in found.in_force(state)} == {*example.names[:done]}
            assert found.pending(state) == example.names[done:]
            assert (found.skipped(state), found.unclear(state)) == ((), ())
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

    known = () if TOOLS[example.tool].newest_only else example.names[:2]
    assert [file and file.name for file in without_last.applied(state)] == [*known, None]
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
