"""Whole drills with the teams' own tools: a backup of a database that the tool made, migrated by it once restored."""

import secrets
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops_tests.drill.fixtures import Night, Shipped, night_of
from hackorda_ops_tests.migration_tools.real.projects import BROKEN, LABELS, PROJECTS, write
from hackorda_ops_tests.migrations.commands import found_in, migrated

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("migration tools themselves")]


@pytest.mark.parametrize("tool", ["drizzle", "prisma"])
def test_a_drill_migrates_with_the_tool_itself_and_says_when_that_fails(
    tool: str,
    node_modules: Path,
    postgres_server: PostgresServer,
    ship: Callable[[Night], Shipped],
    tmp_path: Path,
) -> None:
    project, folder = PROJECTS[tool], tmp_path / "app"
    folder.mkdir()
    project.write(folder, node_modules)
    command = project.command(node_modules)
    source = create_database(postgres_server, f"{tool} itself {secrets.token_hex(3)}")
    assert found_in(migrated(source, command=command, working_directory=folder)) == []
    with psycopg.connect(source) as connection:
        connection.execute("INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 40) AS n")
        connection.execute("INSERT INTO issues SELECT n, 'issue ' || n FROM generate_series(1, 90) AS n")
    night = night_of(source, tmp_path / "night")
    [state] = night.manifest.inventory.migrations
    assert (state.tool, state.applied) == (tool, 2)
    migrate = {"command": command, "working_directory": str(folder)}
    protected = ship(night).changed(key_tables=["issues"], migrate=migrate)
    third = project.names[2]

    write(folder, project.third(LABELS))
    result = protected.drill()
    assert (result.verdict, result.findings) == ("PASS", ())
    assert result.migration is not None
    assert (result.migration.pending_before, result.migration.pending_after) == ((third,), ())
    assert (result.migration.applied, result.migration.schema_changed) == (1, True)

    write(folder, project.third(BROKEN))
    result = protected.drill()
    assert result.verdict != "PASS"
    assert "migrations failed" in {finding.code for finding in result.findings}
    assert result.migration is not None
    assert (result.migration.applied, result.migration.pending_after) == (0, (third,))
    # The rows came back all the same, and the report says so.
    assert [check.outcome for check in result.checks if check.name == "restored_equals_manifest"] == [
        "passed"
    ]
