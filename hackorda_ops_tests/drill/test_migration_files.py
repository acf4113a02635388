"""The migrations that lie in a team's folder, beside what the tool's table has."""

import json
from pathlib import Path

import pytest

from hackorda_ops.drill.migration_files import MigrationFolder, find_folders, folder_of
from hackorda_ops.postgres.inventory import TableName
from hackorda_ops.postgres.migration_state import ToolState


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def journal(**when_by_tag: int) -> str:
    entries = [
        {"idx": number, "when": when, "tag": tag} for number, (tag, when) in enumerate(when_by_tag.items())
    ]
    return json.dumps({"version": "7", "dialect": "postgresql", "entries": entries})


def state(tool: str, *applied: str) -> ToolState:
    return ToolState(tool, TableName("public", tool), applied, applied[-1] if applied else "")


def only(root: Path) -> MigrationFolder:
    [folder] = find_folders(root)
    return folder


def test_drizzle_is_pending_what_is_newer_than_its_newest(tmp_path: Path) -> None:
    write(tmp_path, {"apps/api/drizzle/meta/_journal.json": journal(a=10, b=20, c=30)})
    folder = only(tmp_path)
    assert (folder.tool, folder.path) == ("drizzle", tmp_path / "apps" / "api" / "drizzle")
    assert folder.pending(()) == ("a", "b", "c")
    assert folder.pending(("10", "20")) == ("c",)
    assert folder.pending(("10", "20", "30")) == ()
    assert folder.name_of("20") == "b"
    assert folder.name_of("99") is None


def test_drizzle_passes_over_what_came_late_with_another_branch(tmp_path: Path) -> None:
    write(tmp_path, {"drizzle/meta/_journal.json": journal(a=10, late=15, b=20, c=30)})
    folder = only(tmp_path)
    assert folder.pending(("10", "20", "30")) == ()
    assert folder.skipped(("10", "20", "30")) == ("late",)
    # A database that was taken over as it was has a record of its last migration only.
    assert folder.skipped(("30",)) == ()
    assert folder.skipped(()) == ()


def test_prisma_is_pending_what_is_not_in_its_table(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "prisma/migrations/migration_lock.toml": "",
            "prisma/migrations/20240102_second/migration.sql": "",
            "prisma/migrations/20240101_first/migration.sql": "",
        },
    )
    folder = only(tmp_path)
    assert (folder.tool, folder.path.name) == ("prisma", "migrations")
    assert folder.pending(("20240101_first",)) == ("20240102_second",)
    assert folder.pending(("20240101_first", "20240102_second")) == ()
    assert folder.skipped(("20240102_second",)) == ()


def test_goose_is_pending_by_version_and_only_in_files_that_are_gooses(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "migrations/00001_users.sql": "-- +goose Up\nCREATE TABLE users ();\n-- +goose Down\n",
            "migrations/20240102030405_issues.sql": "\n--+goose up\nSELECT 1;",
            "migrations/00002_notes.sql": "SELECT 'no mark'",
            "migrations/readme.sql": "-- +goose Up",
        },
    )
    folder = only(tmp_path)
    assert [file.identity for file in folder.files] == ["1", "20240102030405"]
    assert folder.pending(("1",)) == ("20240102030405_issues.sql",)


@pytest.mark.parametrize(
    "files",
    [
        {"node_modules/other/drizzle/meta/_journal.json": journal(a=1)},
        {".cache/drizzle/meta/_journal.json": journal(a=1)},
        {"a/b/c/d/e/f/g/drizzle/meta/_journal.json": journal(a=1)},
        {"drizzle/meta/_journal.json": "{"},
        {"drizzle/meta/_journal.json": "[]"},
        {"drizzle/meta/_journal.json": '{"entries": [{"tag": "a"}]}'},
        {"drizzle/meta/_journal.json": '{"dialect": "sqlite", "entries": [{"tag": "a", "when": 1}]}'},
        {},
    ],
)
def test_what_is_a_packages_or_something_else_is_passed_over(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, files)
    assert find_folders(tmp_path) == ()


def test_a_folder_that_is_not_there_has_no_migrations(tmp_path: Path) -> None:
    assert find_folders(tmp_path / "gone") == ()


def test_a_table_belongs_to_the_folder_that_shares_most_with_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "shop/drizzle/meta/_journal.json": journal(a=10, b=20, c=30),
            "blog/drizzle/meta/_journal.json": journal(x=11, y=21),
        },
    )
    folders = find_folders(tmp_path)
    found = folder_of(state("drizzle", "10", "20"), folders)
    assert found is not None
    assert found.path == tmp_path / "shop" / "drizzle"
    assert folder_of(state("drizzle", "99"), folders) is None  # another application's
    assert folder_of(state("goose", "10"), folders) is None
    assert folder_of(state("drizzle"), folders) is None  # nothing tells which it is


def test_where_several_folders_fit_nothing_is_claimed(tmp_path: Path) -> None:
    up = "-- +goose Up"
    write(tmp_path, {"a/1_x.sql": up, "b/1_y.sql": up, "b/2_z.sql": up})
    assert folder_of(state("goose", "1"), find_folders(tmp_path)) is None
    assert folder_of(state("goose", "1", "2"), find_folders(tmp_path)) is not None
