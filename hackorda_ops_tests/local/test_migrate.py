"""The stand-in for `npm run migrate`."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.local.migrate import MIGRATIONS, migrate, read_migrations


def _folder(path: Path, files: dict[str, str]) -> Path:
    (path / "meta").mkdir()
    entries = [{"idx": number, "when": 1_000 + number, "tag": tag} for number, tag in enumerate(files)]
    (path / "meta" / "_journal.json").write_text(json.dumps({"version": "7", "entries": entries}))
    for tag, content in files.items():
        (path / f"{tag}.sql").write_text(content)
    return path


def _run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hackorda_ops.local.migrate"],
        env={"PATH": os.defpath} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_journal_lists_every_file_of_the_folder_in_the_order_of_time() -> None:
    migrations = read_migrations()

    assert [each.tag for each in migrations] == sorted(path.stem for path in MIGRATIONS.glob("*.sql"))
    times = [each.when_milliseconds for each in migrations]
    assert times == sorted(set(times))


def test_a_file_is_cut_into_statements_and_known_by_its_sha256(tmp_path: Path) -> None:
    text = "CREATE TABLE a ();\n--> statement-breakpoint\nCREATE TABLE b ();\n"

    (migration,) = read_migrations(_folder(tmp_path, {"0000_first": text}))

    assert migration.statements == ("CREATE TABLE a ();", "CREATE TABLE b ();")
    assert migration.digest == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.server
def test_only_what_is_newer_than_the_newest_applied_is_applied_and_noted(new_database: str) -> None:
    *older, newest = read_migrations()

    assert migrate(new_database, older) == [each.tag for each in older]
    assert migrate(new_database, [*older, newest]) == [newest.tag]
    assert migrate(new_database, [*older, newest]) == []

    with psycopg.connect(new_database) as connection:
        noted = connection.execute(
            "SELECT id, hash, created_at FROM drizzle.__drizzle_migrations ORDER BY id"
        ).fetchall()
    assert noted == [
        (number, each.digest, each.when_milliseconds) for number, each in enumerate([*older, newest], start=1)
    ]


@pytest.mark.server
def test_a_failing_migration_changes_nothing(new_database: str, tmp_path: Path) -> None:
    files = {"0000_good": "CREATE TABLE good ();", "0001_bad": "CREATE TABLE good ();"}

    with pytest.raises(psycopg.errors.DuplicateTable):
        migrate(new_database, read_migrations(_folder(tmp_path, files)))

    with psycopg.connect(new_database) as connection:
        assert connection.execute(
            "SELECT to_regclass('good'), to_regclass('drizzle.__drizzle_migrations')"
        ).fetchone() == (None, None)


@pytest.mark.server
def test_the_command_migrates_what_database_url_names_and_says_what_it_did(new_database: str) -> None:
    first = _run({"DATABASE_URL": new_database})
    second = _run({"DATABASE_URL": new_database})

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines() == [f"applied {each.tag}" for each in read_migrations()]
    assert (second.returncode, second.stdout) == (0, "nothing pending\n")


def test_the_command_without_database_url_says_so() -> None:
    finished = _run({})

    assert (finished.returncode, finished.stderr) == (2, "DATABASE_URL is not set.\n")


def test_the_command_that_can_not_connect_fails_without_telling_the_password() -> None:
    finished = _run({"DATABASE_URL": "postgresql://somebody:verysecret@127.0.0.1:1/none"})

    assert finished.returncode == 1
    assert "Nothing was migrated" in finished.stderr
    assert "verysecret" not in finished.stdout + finished.stderr
