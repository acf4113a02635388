"""`hackorda-ops config`: as an operator runs it, without a network and without variables."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("hackorda-ops")


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "config", *arguments],
        env={"PATH": "/usr/bin:/bin", **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "databases.yaml").write_text(
        "defaults: {dump: {jobs: 4}}\n"
        "databases:\n"
        "  shop:\n"
        "    source: {variables: PG}\n"
        "    migrate: {command: migrate --password hunter2 postgresql://me:hunter3@x/y}\n"
        "    exercise: {environment: {TOKEN: hunter4}}\n"
        "    offsite: {endpoint_url: 'https://me:hunter5@s3.example'}\n"
    )
    return tmp_path


def test_a_sound_file_is_said_to_be_and_a_broken_one_is_explained_by_line(folder: Path) -> None:
    sound = run(folder, "check")
    assert sound.returncode == 0, sound.stderr
    assert "no problems; 1 database(s): shop" in sound.stdout

    (folder / "broken.yaml").write_text("databases:\n  no:\n    dumps: {}\n  shop: {schedule: {nigth: x}}\n")
    broken = run(folder, "check", "--config", "broken.yaml")
    assert broken.returncode == 2
    assert (
        'line 2: YAML reads the key no as a yes or no, not as a name; put it in quotes: "no":'
        in broken.stderr
    )
    assert "line 3: databases.no.dumps: unknown key; did you mean dump?" in broken.stderr
    assert "line 4: databases.shop.schedule.nigth: unknown key; did you mean night?" in broken.stderr
    assert "hackorda-ops config keys" in broken.stderr


def test_what_applies_is_shown_with_where_it_comes_from_and_no_secret(folder: Path) -> None:
    shown = run(folder, "show", "--json", PGHOST="hunter6.example")
    assert shown.returncode == 0, shown.stderr
    by_key = {each["key"]: each for each in json.loads(shown.stdout)}

    jobs = by_key["databases.shop.dump.jobs"]
    assert (jobs["value"], jobs["comes_from"], jobs["line"]) == (4, "defaults", 1)
    assert by_key["databases.shop.source.variables.host"]["variables_set"] == {"PGHOST": True}
    assert by_key["databases.shop.source.variables.user"]["variables_set"] == {"PGUSER": False}
    assert by_key["databases.shop.exercise.environment"]["value"] == {"TOKEN": "(not shown)"}
    table = run(folder, "show", "shop", PGHOST="hunter6.example").stdout
    assert "PGHOST (set)" in table
    assert "defaults, line 1" in table
    assert "migrate --password ***" in table
    assert "hunter" not in table + shown.stdout


def test_only_what_the_file_says_is_shown_on_request(folder: Path) -> None:
    shown = json.loads(run(folder, "show", "--written", "--json").stdout)

    assert {each["comes_from"] for each in shown} == {"file", "defaults"}
    assert "databases.shop.copies" not in {each["key"] for each in shown}


def test_a_database_that_is_not_there_is_said_with_those_that_are(folder: Path) -> None:
    shown = run(folder, "show", "shopp")

    assert shown.returncode == 2
    assert "Name one of: shop." in shown.stderr


def test_keys_are_found_by_a_word_and_the_schema_is_one(tmp_path: Path) -> None:
    found = json.loads(run(tmp_path, "keys", "retention.store", "--json").stdout)
    assert {each["path"] for each in found} >= {"databases.NAME.retention.store.nights"}
    assert run(tmp_path, "keys", "nonsense").returncode == 2
    assert "databases" in json.loads(run(tmp_path, "schema").stdout)["properties"]
