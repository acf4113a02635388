"""What Dagster needs in this environment: its folder, its settings, the variables they name, its own database."""

from pathlib import Path

import pytest

from hackorda_ops.dagster_home.looking import look_at_dagster
from hackorda_ops.local.dagster import storage_variables
from hackorda_ops.local.example import example_file
from hackorda_ops.postgres.sessions.connection import parse


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "dagster.yaml").write_text(example_file("dagster.yaml").read_text())
    return tmp_path


def test_the_products_own_settings_with_a_database_that_answers_are_all_it_needs(
    home: Path, new_database: str
) -> None:
    part = look_at_dagster({"DAGSTER_HOME": str(home), **storage_variables(new_database)})

    assert part.concerns == ()
    assert "its storage at" in part.seen


@pytest.mark.parametrize(
    ("variables", "says", "severity"),
    [
        ({}, "DAGSTER_HOME is not set here", "worth knowing"),
        ({"DAGSTER_HOME": "home"}, "not an absolute path", "stops the night"),
        ({"DAGSTER_HOME": "/no/such/folder"}, "is not a folder", "stops the night"),
        ({"DAGSTER_HOME": "/"}, "/ has no dagster.yaml", "stops the night"),
    ],
)
def test_a_folder_that_is_not_there_or_empty_is_told(
    variables: dict[str, str], says: str, severity: str
) -> None:
    [concern] = look_at_dagster(variables).concerns

    assert says in concern.what
    assert concern.severity == severity


def test_variables_that_are_not_set_are_told_by_name(home: Path, new_database: str) -> None:
    variables = storage_variables(new_database)
    del variables["DAGSTER_PG_HOST"], variables["DAGSTER_PG_PASSWORD"]

    [concern] = look_at_dagster({"DAGSTER_HOME": str(home), **variables}).concerns

    assert concern.what.endswith("not set: DAGSTER_PG_HOST, DAGSTER_PG_PASSWORD.")
    assert concern.severity == "stops the night"


def test_a_wrong_password_is_told_without_it(home: Path, new_database: str) -> None:
    variables = {**storage_variables(new_database), "DAGSTER_PG_PASSWORD": "hunter2"}

    part = look_at_dagster({"DAGSTER_HOME": str(home), **variables})

    [concern] = part.concerns
    assert concern.severity == "stops the night"
    assert "hunter2" not in repr(part)


def test_a_storage_in_the_protected_database_itself_is_told(home: Path, new_database: str) -> None:
    source = parse(new_database, origin="the test")

    part = look_at_dagster({"DAGSTER_HOME": str(home), **storage_variables(new_database)}, source=source)

    [concern] = part.concerns
    assert "Dagster's own storage is in the protected database" in concern.what


@pytest.mark.parametrize("text", ["storage: [", "\t", "{"])
def test_settings_that_are_no_yaml_are_told(home: Path, text: str) -> None:
    (home / "dagster.yaml").write_text(text)

    [concern] = look_at_dagster({"DAGSTER_HOME": str(home)}).concerns

    assert "can't be read as YAML" in concern.what


def test_a_url_in_the_place_of_the_parts_is_followed_as_well(home: Path, new_database: str) -> None:
    (home / "dagster.yaml").write_text("storage: {postgres: {postgres_url: {env: DAGSTER_URL}}}\n")

    assert look_at_dagster({"DAGSTER_HOME": str(home), "DAGSTER_URL": new_database}).concerns == ()
    [concern] = look_at_dagster({"DAGSTER_HOME": str(home), "DAGSTER_URL": "nonsense"}).concerns
    assert "nonsense" not in concern.what


def test_settings_without_postgres_keep_runs_in_files(home: Path) -> None:
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    part = look_at_dagster({"DAGSTER_HOME": str(home)})

    assert part.concerns == ()
    assert "not kept in Postgres" in part.seen
