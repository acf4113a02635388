"""What a repository says of its migrations: the tool, the command, and where it runs."""

import json
from pathlib import Path

import pytest

from hackorda_ops.setup.application import MigrateProposal, propose_migrate


def drizzle(folder: Path) -> None:
    (folder / "meta").mkdir(parents=True)
    (folder / "meta" / "_journal.json").write_text(
        json.dumps({"entries": [{"idx": 0, "when": 1, "tag": "0000_a", "breakpoints": True}]})
    )
    (folder / "0000_a.sql").write_text("SELECT 1;")


def test_a_script_of_the_package_is_preferred_to_the_tools_own_command(tmp_path: Path) -> None:
    drizzle(tmp_path / "backend" / "drizzle")
    package = tmp_path / "backend" / "package.json"
    package.write_text(json.dumps({"scripts": {"dev": "vite", "db:migrate": "drizzle-kit migrate"}}))

    assert propose_migrate(tmp_path, ["drizzle"]) == MigrateProposal(
        "drizzle", "npm run db:migrate", tmp_path / "backend"
    )

    package.write_text("{}")
    assert propose_migrate(tmp_path, ["drizzle"]) == MigrateProposal(
        "drizzle", "npx drizzle-kit migrate", tmp_path / "backend"
    )


def test_files_alone_will_do_before_the_first_migration(tmp_path: Path) -> None:
    drizzle(tmp_path / "drizzle")

    assert propose_migrate(tmp_path, []) == MigrateProposal("drizzle", "npx drizzle-kit migrate", tmp_path)


def test_a_table_alone_names_the_tool(tmp_path: Path) -> None:
    assert propose_migrate(tmp_path, ["alembic"]) == MigrateProposal(
        "alembic", "alembic upgrade head", tmp_path
    )
    assert propose_migrate(tmp_path, ["flyway"]) == MigrateProposal("flyway", "", tmp_path)


def test_nothing_is_proposed_where_nothing_is_known(tmp_path: Path) -> None:
    assert propose_migrate(tmp_path, []) is None


@pytest.mark.parametrize(
    "text", ["[", "[]", '{"scripts": ["migrate"]}', '{"scripts": {"a; rm -rf /": "drizzle-kit migrate"}}']
)
def test_a_package_of_any_content_is_survived(tmp_path: Path, text: str) -> None:
    drizzle(tmp_path / "drizzle")
    (tmp_path / "package.json").write_text(text)

    found = propose_migrate(tmp_path, [])

    assert found is not None
    assert found.command == "npx drizzle-kit migrate"
