"""Each migration tool that can be had, itself: it makes its table, and the product reads there how far it came."""

from pathlib import Path

import pytest

from hackorda_ops.local.postgres import create_database
from hackorda_ops_tests.migration_tools.real.projects import BROKEN, LABELS, PROJECTS, Project, write
from hackorda_ops_tests.migrations.commands import found_in, migrated

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("migration tools themselves")]


@pytest.fixture(params=PROJECTS)
def project(request: pytest.FixtureRequest) -> Project:
    if request.param == "sqitch":
        request.getfixturevalue("sqitch")
    return PROJECTS[request.param]


@pytest.fixture
def database(project: Project, request: pytest.FixtureRequest) -> str:
    if project.tool == "sqitch":  # which makes nothing of a name with a space
        return create_database(request.getfixturevalue("postgres_server"), "shop_of_sqitch")
    return str(request.getfixturevalue("new_database"))


def test_the_tool_itself_is_followed_through_a_broken_migration_and_on(
    project: Project, database: str, node_modules: Path, tmp_path: Path
) -> None:
    _, second, third = project.names
    command = project.command(node_modules)
    project.write(tmp_path, node_modules)

    begun = migrated(database, command=command, working_directory=tmp_path)
    assert found_in(begun) == [], begun.result.output_tail
    assert (begun.result.before, begun.result.pending_before) == (None, None)
    assert (begun.result.applied, begun.result.pending_after) == (project.counted, ())
    assert begun.result.after == f"{project.tool}: {project.counted}, newest {second}"
    assert (begun.result.not_measured, begun.result.half_applied) == ((), ())

    write(tmp_path, project.third(BROKEN))
    broken = migrated(database, command=command, working_directory=tmp_path)
    assert ("migrations failed", "fatal") in found_in(broken)
    assert (broken.result.pending_before, broken.result.applied) == ((third,), 0)
    assert broken.result.pending_after == (third,)
    # Of these Prisma alone writes down what it began; it goes on only when somebody has said what became of that.
    assert broken.result.half_applied == ((third,) if project.tool == "prisma" else ())

    if project.tool != "prisma":
        write(tmp_path, project.third(LABELS))
        mended = migrated(database, command=command, working_directory=tmp_path)
        assert found_in(mended) == [], mended.result.output_tail
        assert (mended.result.pending_before, mended.result.pending_after) == ((third,), ())
        assert (mended.result.applied, mended.result.schema_changed) == (1, True)
