"""databases.yaml: defaults that suit the first user, and every problem told at once."""

from pathlib import Path

import pytest

from hackorda_ops.config import file as config_file
from hackorda_ops.config.models import Config
from hackorda_ops.config.places import S3, Folder
from hackorda_ops.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "databases.yaml"


def load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "databases.yaml"
    path.write_text(text, encoding="utf-8")
    return config_file.load(path)


def problems(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    return caught.value.what


def test_the_example_loads_and_names_the_first_users_key_tables() -> None:
    hackorda = config_file.load(EXAMPLE).databases["hackorda"]
    assert [key.table for key in hackorda.key_tables] == ["users", "test_cycles", "issues", "issue_payouts"]
    assert hackorda.schedule.timezone == "Asia/Almaty"


def test_a_database_needs_nothing_but_its_name(tmp_path: Path) -> None:
    hackorda = load(tmp_path, "databases: {hackorda: }").databases["hackorda"]
    assert hackorda.source.url_env == "DATABASE_URL"
    assert hackorda.store == Folder(folder=tmp_path / "backups")
    assert hackorda.scratch.provider == "neon"
    assert hackorda.objectives.recovery_time_minutes == 30


def test_a_store_may_be_written_as_a_folder_or_as_a_bucket(tmp_path: Path) -> None:
    text = """
    databases:
      one: {source: {url_env: A}, store: ../nights}
      two: {source: {url_env: B}, store: s3://bucket/some/prefix}
      three: {source: {url_env: C}, store: {bucket: b, endpoint_url: "https://s3.example"}}
      four: {source: {url_env: D}, store: {folder: /srv/backups}}
    """
    stores = {name: each.store for name, each in load(tmp_path, text).databases.items()}
    assert stores["one"] == Folder(folder=tmp_path / "../nights")
    assert isinstance(stores["two"], S3)
    assert (stores["two"].bucket, stores["two"].prefix) == ("bucket", "some/prefix")
    assert isinstance(stores["three"], S3)
    assert stores["four"] == Folder(folder=Path("/srv/backups"))


def test_every_problem_is_told_at_once_with_its_key_and_remedy(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        """
        databases:
          hackorda:
            source: {urll_env: X, tls: sometimes}
            store: ftp://somewhere
            schedule: {timezone: Mars/Olympus, night: "0 25 * * *"}
            key_tables: [users, {table: issues, timestamps: x}]
            dump: {jobs: two}
          961tech: {colour: red, scratch: {neon: {}, server: {}}}
        alarts: {}
        """,
    )
    for part in (
        "databases.yaml has 10 problem(s)",
        "databases.hackorda.source.urll_env: unknown key; did you mean url_env?",
        "databases.hackorda.source.tls: Input should be 'verify'",
        "databases.hackorda.store: needs s3://bucket/prefix",
        "databases.hackorda.schedule.timezone: needs an IANA time zone name",
        "databases.hackorda.schedule.night: needs a cron expression",
        "databases.hackorda.key_tables.1.timestamps: unknown key; did you mean timestamp?",
        "databases.hackorda.dump.jobs: Input should be a valid integer",
        "databases.961tech.colour: unknown key; known here: ",
        "databases.961tech.scratch: needs exactly one of neon, server and redis",
        "alarts: unknown key; did you mean alerts?",
    ):
        assert part in said


def test_a_secret_written_where_a_variables_name_belongs_is_refused_and_not_repeated(tmp_path: Path) -> None:
    said = problems(tmp_path, "databases: {hackorda: {source: {url_env: 'postgresql://me:hunter2@db/x'}}}")
    assert "databases.hackorda.source.url_env: needs the NAME of an environment variable" in said
    assert "hunter2" not in said


def test_an_owner_that_dagster_would_refuse_is_refused_here(tmp_path: Path) -> None:
    said = problems(tmp_path, "databases: {hackorda: {owners: ['team:ops', ops@example.com, nobody]}}")
    assert "databases.hackorda.owners.2: needs an e-mail address" in said
    assert "owners.0" not in said
    assert "owners.1" not in said


def test_two_databases_may_not_read_the_same_variable(tmp_path: Path) -> None:
    said = problems(tmp_path, "databases: {one: , two: }")
    assert "databases.two.source.url_env: DATABASE_URL is already the source of 'one'" in said


def test_a_database_given_twice_is_refused_instead_of_dropped(tmp_path: Path) -> None:
    said = problems(tmp_path, "databases:\n  one: {}\n  one: {}\n")
    assert "line 3" in said
    assert "given twice" in said


@pytest.mark.parametrize("text", ["", "[]", "databases: {}", "just words"])
def test_a_file_without_databases_is_refused(tmp_path: Path, text: str) -> None:
    assert "databases" in problems(tmp_path, text)


def test_a_name_that_dagster_could_not_show_is_refused(tmp_path: Path) -> None:
    assert "databases.my-db: needs a name of letters" in problems(tmp_path, "databases: {my-db: }")


def test_broken_yaml_is_told_with_its_place(tmp_path: Path) -> None:
    assert "line 1" in problems(tmp_path, "databases: {hackorda: [}")


def test_a_missing_file_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config_file.load(tmp_path / "nowhere.yaml")
    assert "HACKORDA_OPS_CONFIG" in caught.value.next_step
    assert caught.value.exit_code == 2


def test_the_file_is_the_one_given_then_the_variables_then_the_one_here(tmp_path: Path) -> None:
    assert config_file.locate(Path("/a/b.yaml"), {}) == Path("/a/b.yaml")
    assert config_file.locate(None, {"HACKORDA_OPS_CONFIG": "/c.yaml"}) == Path("/c.yaml")
    assert config_file.locate(None, {}).name == "databases.yaml"


def test_folders_are_relative_to_the_file_and_not_to_where_it_is_run(tmp_path: Path) -> None:
    database = load(
        tmp_path,
        "databases: {x: {migrate: {working_directory: app}, source: {client_folders: [bin]}}}",
    ).databases["x"]
    assert database.migrate is not None
    assert database.migrate.working_directory == tmp_path / "app"
    assert database.source.client_folders == (tmp_path / "bin",)
    assert database.dump.work_folder == tmp_path / "work"


def test_metrics_go_to_a_file_that_node_exporter_reads(tmp_path: Path) -> None:
    text = "databases: {x: }\nmetrics_file: "
    assert load(tmp_path, f"{text}textfile/hackorda_ops.prom").metrics_file == (
        tmp_path / "textfile" / "hackorda_ops.prom"
    )
    assert load(tmp_path, "databases: {x: }").metrics_file is None
    assert "metrics_file: needs a path that ends in .prom" in problems(tmp_path, f"{text}/var/metrics.txt")
