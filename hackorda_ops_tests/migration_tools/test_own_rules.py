"""What is particular about each tool: its order, what it passes over, and what its files alone can't tell."""

import os
from pathlib import Path
from zlib import crc32

from hackorda_ops.config.expectations import Migrate
from hackorda_ops.migrations import measure
from hackorda_ops.migrations.files import find_folders, migration_folders
from hackorda_ops_tests.migration_tools.real.projects import write
from hackorda_ops_tests.migration_tools.states import only, state


def alembic(before: object, more: str = "") -> str:
    return f"down_revision = {before!r}\n{more}\n"


def test_alembic_goes_by_its_chain_with_branches_merges_and_what_depends(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "db/env.py": "",
            "db/versions/z_base.py": "revision = 'base'\n" + alembic(None),
            "db/versions/left.py": "revision: str = 'left'\n" + alembic("base"),
            "db/more/right.py": "revision = 'right'\n" + alembic("base", "branch_labels = ('reports',)"),
            "db/versions/a_merge.py": "revision = 'merge'\n" + alembic(("left", "right")),
            "db/versions/alone.py": "revision = 'alone'\n" + alembic(None, "depends_on = 'reports'"),
        },
    )
    folder = only(tmp_path, "alembic")
    assert folder.path == tmp_path / "db"
    names = [file.name for file in folder.files]
    assert names[0] == "z_base"
    assert names.index("a_merge") > max(names.index("left"), names.index("right"))
    assert set(folder.pending(state("alembic", "left"))) == {"right", "a_merge", "alone"}
    assert folder.pending(state("alembic", "merge")) == ("alone",)
    assert set(folder.pending(state("alembic", "alone"))) == {"left", "a_merge"}
    assert folder.pending(state("alembic", "merge", "alone")) == ()


def test_alembic_says_what_its_files_do_not_tell(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "versions/a.py": "revision = 'a'\n" + alembic("gone"),
            "versions/b.py": "revision = make_name()\n" + alembic("a"),
            "versions/c.py": "revision = 'c'\n" + alembic("a") + "def upgrade(:",
        },
    )
    folder = only(tmp_path, "alembic")
    [computed, broken, missing] = folder.unclear(state("alembic", "a"))
    assert computed.endswith("b.py doesn't name its revisions as plain text")
    assert broken.endswith("c.py doesn't name its revisions as plain text")
    assert missing.endswith("has no revision gone, which another follows")
    # A revision that the folder doesn't have may be ahead of all of them.
    ahead = state("alembic", "a", "elsewhere")
    assert folder.pending(ahead) == ()
    assert measure.pending((ahead,), (folder,)) is None


def test_alembic_survives_a_circle(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "versions/a.py": "revision = 'a'\n" + alembic("b"),
            "versions/b.py": "revision = 'b'\n" + alembic("a"),
        },
    )
    folder = only(tmp_path, "alembic")
    assert folder.pending(state("alembic")) == ("a", "b")
    assert folder.pending(state("alembic", "a")) == ()


def django(**values: object) -> str:
    body = "".join(f"    {name} = {value!r}\n" for name, value in values.items())
    return f"class Migration(migrations.Migration):\n    dependencies = []\n{body}"


def test_django_goes_by_app_with_labels_and_squashed_migrations(tmp_path: Path) -> None:
    replaced = [("users", "0001_initial"), ("users", "0002_more")]
    write(
        tmp_path,
        {
            "manage.py": "",
            "shop/users/migrations/__init__.py": "",
            "shop/users/migrations/0001_initial.py": django(),
            "shop/users/migrations/0002_more.py": django(),
            "shop/users/migrations/0001_squashed_0002_more.py": django(replaces=replaced),
            "shop/users/migrations/0003_last.py": django(),
            "shop/bills/apps.py": "class Bills(AppConfig):\n    label = 'invoices'\n",
            "shop/bills/migrations/0001_initial.py": django(),
            "shop/plugins/migrations/0001_initial.py": django(),
        },
    )
    folder = only(tmp_path, "django")
    assert folder.path == tmp_path
    # From nothing the squashed one runs instead of those that it replaces.
    assert folder.pending(state("django")) == (
        "invoices.0001_initial",
        "plugins.0001_initial",
        "users.0001_squashed_0002_more",
        "users.0003_last",
    )
    one = state("django", "invoices.0001_initial", "users.0001_initial", "plugins.0001_initial")
    assert folder.pending(one) == ("users.0002_more", "users.0003_last")
    both = state("django", *one.applied, "users.0002_more", "auth.0001_initial")
    assert folder.pending(both) == ("users.0003_last",)
    squashed = state("django", "users.0001_squashed_0002_more", "invoices.0001_initial", "users.0003_last")
    assert folder.pending(squashed) == ()
    # An app that nothing is in force of may be new, or not installed: nobody can tell by its files.
    [reason] = folder.unclear(squashed)
    assert "the app plugins" in reason
    assert measure.pending((squashed,), (folder,)) is None


def flyway_checksum(text: str) -> str:
    value = crc32("".join(text.splitlines()).encode())
    return str(value - 2**32 if value >= 2**31 else value)


def test_flyway_goes_by_parts_of_versions_and_by_checksums(tmp_path: Path) -> None:
    view = "CREATE OR REPLACE VIEW v AS\nSELECT 1;\n"
    write(
        tmp_path,
        {
            "src/main/resources/db/migration/V1__base.sql": "",
            "src/main/resources/db/migration/V1.2__late.sql": "",
            "src/main/resources/db/migration/V2_0__two.sql": "",
            "src/main/resources/db/migration/2026/V10__ten.sql": "",
            "src/main/resources/db/migration/R__the_view.sql": view,
            "src/main/resources/db/migration/U2__two.sql": "",
        },
    )
    folder = only(tmp_path, "flyway")
    assert folder.path == tmp_path / "src/main/resources/db/migration"
    assert folder.pending(state("flyway")) == (
        "V1__base.sql",
        "V1.2__late.sql",
        "V2_0__two.sql",
        "V10__ten.sql",
        "R__the_view.sql",
    )
    same = state("flyway", "1", "2", "R the view", hashes=("1", "2", flyway_checksum(view)))
    assert folder.pending(same) == ("V10__ten.sql",)
    assert folder.skipped(same) == ("V1.2__late.sql",)
    changed = state("flyway", "1", "1.2", "2", "10", "R the view", hashes=("1", "2", "3", "4", "5"))
    assert folder.pending(changed) == ("R__the_view.sql",)
    taken_over = state("flyway", "2.0", names=("BASELINE",))
    assert folder.pending(taken_over) == ("V10__ten.sql", "R__the_view.sql")
    assert folder.skipped(taken_over) == ()


def test_flyway_says_where_placeholders_or_a_baseline_decide(tmp_path: Path) -> None:
    write(tmp_path, {"sql/V1__a.sql": "", "sql/R__v.sql": "SELECT '${owner}'", "sql/B1__all.sql": ""})
    folder = only(tmp_path, "flyway")
    there = state("flyway", "1", "R v", hashes=("1", "99"))
    assert folder.pending(there) == ()
    [baseline, placeholders] = folder.unclear(there)
    assert "B1__all.sql" in baseline
    assert "R__v.sql has placeholders" in placeholders


def test_golang_migrate_has_a_number_and_may_be_dirty(tmp_path: Path) -> None:
    write(tmp_path, {f"migrations/{number}_x.up.sql": "" for number in ("0009", "010", "20260101000000")})
    folder = only(tmp_path, "golang-migrate")
    assert [file.identity for file in folder.files] == ["9", "10", "20260101000000"]
    assert folder.pending(state("golang-migrate", "9")) == ("010_x.up.sql", "20260101000000_x.up.sql")
    dirty = state("golang-migrate", half_applied=("10",))
    assert folder.pending(dirty) == ("010_x.up.sql", "20260101000000_x.up.sql")
    assert measure.in_force(dirty, (folder,)) == ("9",)
    # It began the next one, and is not back at the start.
    assert list(measure.undone_findings((state("golang-migrate", "9"),), (dirty,), (folder,))) == []
    [undone] = measure.undone_findings(
        (state("golang-migrate", "10"),), (state("golang-migrate", "9"),), (folder,)
    )
    assert undone.observed == "1 of them no longer are: 10"
    assert measure.applied((), (state("golang-migrate", "10"),), (folder,)) == 2


def test_a_tool_that_keeps_the_newest_only_is_not_counted_without_its_folder() -> None:
    nine, ten = state("golang-migrate", "9"), state("golang-migrate", "10")
    assert measure.applied((nine,), (ten,), ()) is None
    assert list(measure.undone_findings((ten,), (nine,))) == []
    assert measure.position_words((ten,), ()) == "golang-migrate: newest 10"
    assert list(measure.not_measured((ten,), ())) == [
        "no migrations of golang-migrate were found in the folder of the command"
    ]
    [gone] = measure.undone_findings((ten,), ())
    assert gone.code == "migration undone"


def test_rails_and_node_pg_migrate_count_every_file_of_their_folder(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "db/migrate/001_create_users.rb": "class CreateUsers < ActiveRecord::Migration[7.1]\n",
            "db/migrate/20260101000000_add_posts.blog_engine.rb": "class AddPosts < OurOwnMigration\n",
            "migrations/1767225600000_users.sql": "-- Up Migration\n",
            "migrations/1767225600001_issues.sql": "CREATE TABLE issues ();",
            "migrations/1767225600001_issues.d.ts": "",
        },
    )
    rails = only(tmp_path, "rails")
    assert rails.pending(state("rails", "1")) == ("20260101000000_add_posts.blog_engine.rb",)
    node = only(tmp_path, "node-pg-migrate")
    assert node.pending(state("node-pg-migrate", "1767225600000_users")) == ("1767225600001_issues.sql",)


def test_sqitch_knows_reworked_changes_and_passes_over_what_is_none(tmp_path: Path) -> None:
    by = "2026-01-01T00:00:00Z Ann <ann@shop.example>"
    write(
        tmp_path,
        {
            "sqitch.plan": "%syntax-version=1.0.0\n%project = shop\n%uri=https://shop.example/\n\n"
            f"# a comment\nusers {by} # a note\n+issues [users blog:posts] {by}\n"
            f"@v1 {by} # out\n\nusers [users@v1] {by}\n"
        },
    )
    folder = only(tmp_path, "sqitch")
    assert [file.identity for file in folder.files] == ["shop:users:1", "shop:issues:1", "shop:users:2"]
    assert folder.pending(state("sqitch", "shop:users:1", "shop:issues:1")) == ("users (2)",)


def test_goose_knows_migrations_in_go(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "migrations/00001_users.sql": "-- +goose Up\n",
            "migrations/00002_fill.go": "func init() { goose.AddMigrationContext(up, down) }",
            "migrations/00002_fill_test.go": "goose.AddMigrationContext",
            "migrations/00003_helpers.go": "package migrations",
        },
    )
    assert only(tmp_path, "goose").pending(state("goose", "1")) == ("00002_fill.go",)


def test_a_table_whose_migrations_lie_in_several_folders_is_not_measured_in_part(tmp_path: Path) -> None:
    write(
        tmp_path, {"one/db/1_a.sql": "-- migrate:up", "one/db/2_b.sql": "", "two/db/3_c.sql": "-- migrate:up"}
    )
    folders = find_folders(tmp_path)
    both = state("dbmate", "1", "2", "3")
    assert measure.pending((both,), folders) is None
    [reason] = measure.not_measured((both,), folders)
    assert reason.startswith(str(tmp_path / "two" / "db"))
    assert measure.pending((state("dbmate", "1", "2"),), folders) == ()


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "versions/a.py": "revision = 'a'\n" + alembic(None),
            "manage.py": "",
            "users/migrations/0001_initial.py": django(),
            "goose/1_x.sql": "-- +goose Up",
        },
    )
    for name in ("versions/b.py", "users/migrations/0002_more.py", "goose/2_y.sql"):
        os.mkfifo(tmp_path / name)
    assert only(tmp_path, "alembic").unclear(state("alembic", "a")) == (
        f"{tmp_path}/versions/b.py can't be read",
    )
    assert only(tmp_path, "django").unread == (f"{tmp_path}/users/migrations/0002_more.py can't be read",)
    assert only(tmp_path, "goose").pending(state("goose", "1")) == ("2_y.sql",)


def test_flyway_folders_of_two_applications_are_not_read_as_one(tmp_path: Path) -> None:
    shops = tmp_path / "sql" / "shops"
    write(shops, {"a/V1__a.sql": "", "b/V1__b.sql": "", "b/V2__b.sql": ""})
    assert [len(each.files) for each in find_folders(shops) if each.tool == "flyway"] == [1, 2]


def test_a_pipe_or_something_huge_in_the_folder_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "00001_pipe.sql")
    os.mkfifo(tmp_path / "sqitch.plan")
    with (tmp_path / "00002_huge.sql").open("wb") as file:
        file.write(b"-- +goose Up\n-- migrate:up\n")
        file.truncate(2**40)
    assert [each.tool for each in find_folders(tmp_path)] == []


def test_the_folder_may_be_configured_and_one_that_is_not_there_is_said(tmp_path: Path) -> None:
    write(tmp_path, {f"{place}/db/1_x.sql": "-- migrate:up" for place in ("vendor/ours", "old")})
    here = Migrate(working_directory=tmp_path, folder=Path("vendor/ours"))
    [folder], unread = migration_folders(here)
    assert (folder.path, unread) == (tmp_path / "vendor/ours/db", ())
    folders, [reason] = migration_folders(here.model_copy(update={"folder": Path("gone")}))
    assert folders == ()
    assert reason == f"the folder {tmp_path / 'gone'} can't be read: No such file or directory"
