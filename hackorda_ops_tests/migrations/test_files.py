"""The migrations that lie in a team's folder, beside what the tool's table has."""

import hashlib
import json
from pathlib import Path

import pytest

from hackorda_ops.migration_tools.tool import MigrationFolder
from hackorda_ops.migrations.files import find_folders, folder_of
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.migration_state import ToolState


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
    assert folder.pending(state(folder.tool)) == ("a", "b", "c")
    assert folder.pending(state(folder.tool, "10", "20")) == ("c",)
    assert folder.pending(state(folder.tool, "10", "20", "30")) == ()
    assert [file and file.name for file in folder.applied(state("drizzle", "20", "99"))] == ["b", None]


def test_drizzle_passes_over_what_came_late_with_another_branch(tmp_path: Path) -> None:
    write(tmp_path, {"drizzle/meta/_journal.json": journal(a=10, late=15, b=20, c=30)})
    folder = only(tmp_path)
    assert folder.pending(state(folder.tool, "10", "20", "30")) == ()
    assert folder.skipped(state(folder.tool, "10", "20", "30")) == ("late",)
    # A database that was taken over as it was has a record of its last migration only.
    assert folder.skipped(state(folder.tool, "30")) == ()
    assert folder.skipped(state(folder.tool)) == ()


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
    assert folder.pending(state(folder.tool, "20240101_first")) == ("20240102_second",)
    assert folder.pending(state(folder.tool, "20240101_first", "20240102_second")) == ()
    assert folder.skipped(state(folder.tool, "20240102_second")) == ()


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
    assert folder.pending(state(folder.tool, "1")) == ("20240102030405_issues.sql",)


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


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def drizzle(*rows: tuple[str, str, str]) -> ToolState:
    """Drizzle's table: of each row its time, its hash, and the name that it has from release 1 on."""
    times, hashes, names = zip(*rows, strict=True)
    return ToolState("drizzle", TableName("drizzle", "x"), times, times[-1], hashes=hashes, names=names)


def test_a_migration_whose_time_was_corrected_in_the_journal_is_in_force_all_the_same(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            # b once had a time in the future, so that nothing after it was applied; c came in between.
            "drizzle/meta/_journal.json": journal(a=10, b=20, c=30, d=4_000),
            "drizzle/a.sql": "CREATE TABLE a ();",
            "drizzle/b.sql": "CREATE TABLE b ();",
            "drizzle/c.sql": "CREATE TABLE c ();",
            "drizzle/d.sql": "CREATE TABLE d ();",
        },
    )
    folder = only(tmp_path)
    rows = (("10", sha("CREATE TABLE a ();"), ""), ("3000", sha("CREATE TABLE b ();"), ""))
    assert [file and file.name for file in folder.applied(drizzle(*rows))] == ["a", "b"]
    assert folder.skipped(drizzle(*rows)) == ("c",)
    assert folder.pending(drizzle(*rows)) == ("d",)
    # A time that was corrected upwards: Drizzle would take it for a new one.
    assert folder.pending(drizzle(*rows, ("3500", sha("CREATE TABLE d ();"), ""))) == ()


def test_the_time_goes_before_the_hash_and_a_text_counts_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "drizzle/meta/_journal.json": journal(a=10, b=20, c=30),
            "drizzle/a.sql": "-- by hand",
            "drizzle/b.sql": "-- by hand",
            "drizzle/c.sql": "edited since",
        },
    )
    folder = only(tmp_path)
    assert folder.pending(drizzle(("10", sha("-- by hand"), ""))) == ("b", "c")
    assert folder.pending(drizzle(("10", "", ""), ("15", sha("-- by hand"), ""))) == ("c",)
    assert folder.pending(drizzle(("30", sha("as it was"), ""))) == ()


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("applied_ends", ["\n", "\r\n"])
def test_the_line_ends_of_a_checkout_make_no_other_migration(
    tmp_path: Path, ends: str, applied_ends: str
) -> None:
    lines = ["CREATE TABLE a ();", "--> statement-breakpoint", ""]
    write(tmp_path, {"drizzle/meta/_journal.json": journal(a=10)})
    (tmp_path / "drizzle" / "a.sql").write_bytes(ends.join(lines).encode())
    assert only(tmp_path).pending(drizzle(("5", sha(applied_ends.join(lines)), ""))) == ()


FOLDERS = {
    f"drizzle/{name}/{file}": content
    for name in ("20260102030405_first", "20260102030406_second", "20260301000000_third")
    for file, content in (("migration.sql", f"-- {name}"), ("snapshot.json", '{"dialect": "postgres"}'))
}
# Of Drizzle's own formatToMillis.
FIRST, SECOND, THIRD = "1767323045000", "1767323046000", "1772323200000"


def test_drizzles_newer_folders_go_by_name(tmp_path: Path) -> None:
    write(tmp_path, FOLDERS)
    folder = only(tmp_path)
    assert (folder.tool, folder.path) == ("drizzle", tmp_path / "drizzle")
    assert [file.identity for file in folder.files] == [FIRST, SECOND, THIRD]
    everything = ("20260102030405_first", "20260102030406_second", "20260301000000_third")
    assert folder.pending(state("drizzle")) == everything
    # Nothing is passed over any more: what came late with another branch is pending.
    third = drizzle((THIRD, sha("-- 20260301000000_third"), "20260301000000_third"))
    assert folder.pending(third) == everything[:2]
    assert folder.skipped(third) == ()
    # A name decides, whatever the text is by now.
    assert folder.pending(drizzle(*((FIRST, "other", name) for name in everything))) == ()
    assert folder_of(third, [folder]) == folder


def test_a_table_from_before_the_newer_folders_is_found_by_time_or_hash(tmp_path: Path) -> None:
    write(tmp_path, FOLDERS)
    folder = only(tmp_path)
    # The journal had milliseconds, the folders' names have seconds.
    rows = (("1767323045678", "", ""), ("1", sha("-- 20260102030406_second"), ""))
    assert folder.pending(drizzle(*rows)) == ("20260301000000_third",)


def test_two_folders_of_the_same_second_are_told_apart_by_hash(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "drizzle/20260102030405_a/migration.sql": "-- a",
            "drizzle/20260102030405_b/migration.sql": "-- b",
        },
    )
    [folder] = [found for found in find_folders(tmp_path) if found.tool == "drizzle"]
    assert folder.pending(drizzle((FIRST, sha("-- b"), ""))) == ("20260102030405_a",)
    assert folder.pending(drizzle((FIRST, sha("-- c"), ""))) == (
        "20260102030405_a",
        "20260102030405_b",
    )


def test_where_a_folder_may_be_prismas_or_drizzles_the_tools_table_decides(tmp_path: Path) -> None:
    write(tmp_path, {"db/20260102030405_first/migration.sql": "-- 1"})
    folders = find_folders(tmp_path)
    assert {folder.tool for folder in folders} == {"drizzle", "prisma"}
    of_prisma = folder_of(state("prisma", "20260102030405_first"), folders)
    assert of_prisma is not None
    assert of_prisma.pending(state("prisma", "20260102030405_first")) == ()
    of_drizzle = folder_of(drizzle((FIRST, "", "20260102030405_first")), folders)
    assert of_drizzle is not None
    assert of_drizzle.tool == "drizzle"


def test_folders_for_another_database_or_without_a_time_are_not_drizzles(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "lite/20260102030405_a/migration.sql": "",
            "lite/20260102030405_a/snapshot.json": '{"dialect": "sqlite"}',
            "prisma/migration_lock.toml": "",
            "prisma/20260102030405_b/migration.sql": "",
            "other/first/migration.sql": "",
            "wrong/20261302030405_c/migration.sql": "",
        },
    )
    assert {folder.path.name for folder in find_folders(tmp_path) if folder.tool == "drizzle"} == set()
