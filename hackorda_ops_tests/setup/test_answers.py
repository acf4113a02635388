"""The files that follow from init's answers: a configuration that loads, and every variable it names."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from hackorda_ops.config import file as config_file
from hackorda_ops.config.expectations import KeyTable
from hackorda_ops.config.models import Policy
from hackorda_ops.config.places import S3, Folder
from hackorda_ops.setup.answers import Answers, databases_yaml, env_example, sane_name

PLAIN = Answers(
    name="shop",
    engine="postgres",
    url_env="DATABASE_URL",
    store="backups",
    offsite="",
    scratch="server",
    timezone="Europe/Berlin",
)


def loaded(tmp_path: Path, answers: Answers) -> Policy:
    path = tmp_path / "databases.yaml"
    path.write_text(databases_yaml(answers))
    return config_file.load(path).databases[answers.name]


def test_what_was_answered_is_what_applies(tmp_path: Path) -> None:
    policy = loaded(
        tmp_path,
        replace(
            PLAIN,
            offsite="s3://far/prefix",
            key_tables=(KeyTable(table="users"), KeyTable(table="billing.invoices", timestamp=None)),
            migrate='sh -c "echo: #1"',
            migrate_in="../app",
            tool="drizzle",
        ),
    )

    assert policy.store == Folder(folder=tmp_path / "backups")
    assert (policy.offsite.bucket, policy.offsite.prefix) == ("far", "prefix")
    assert policy.scratch.provider == "server"
    assert policy.schedule.timezone == "Europe/Berlin"
    assert [(each.table, each.timestamp) for each in policy.key_tables] == [
        ("users", "created_at"),
        ("billing.invoices", None),
    ]
    assert policy.migrate is not None
    assert (policy.migrate.command, policy.migrate.working_directory) == (
        'sh -c "echo: #1"',
        tmp_path / "../app",
    )


@pytest.mark.parametrize("name", ["no", "123", "shop_2", "on", "null"])
def test_a_name_that_yaml_would_take_for_something_else_is_quoted(tmp_path: Path, name: str) -> None:
    assert loaded(tmp_path, replace(PLAIN, name=name)).engine == "postgres"


def test_a_bucket_for_the_nights_and_another_engine_load_as_well(tmp_path: Path) -> None:
    assert isinstance(loaded(tmp_path, replace(PLAIN, store="s3://near/x")).store, S3)
    redis = loaded(tmp_path, replace(PLAIN, engine="redis", scratch=""))
    assert (redis.engine, redis.scratch.provider) == ("redis", "redis")


def test_a_tool_without_a_known_command_leaves_a_line_to_fill_in(tmp_path: Path) -> None:
    answers = replace(PLAIN, tool="flyway")

    assert "# migrate: {command: …} # flyway was found" in databases_yaml(answers)
    assert loaded(tmp_path, answers).migrate is None


@pytest.mark.parametrize(
    ("text", "name"),
    [("my-db", "my_db"), ("ünïcode", "n_code"), ("", "database"), ("shop", "shop"), ("-", "database")],
)
def test_any_database_gets_a_name_that_is_accepted(text: str, name: str) -> None:
    assert sane_name(text) == name


def test_the_example_of_the_environment_has_every_variable_once_and_no_value(tmp_path: Path) -> None:
    path = tmp_path / "databases.yaml"
    path.write_text(databases_yaml(PLAIN))

    text = env_example(*config_file.checked(path), dagster={"DAGSTER_HOME": "a folder"})

    set_here = re.findall(r"^(\w+)=(.*)$", text, re.M)
    assert set_here == [
        (name, "")
        for name in (
            "DATABASE_URL",
            "SCRATCH_ADMIN_URL",
            "OFFSITE_BUCKET",
            "OFFSITE_ACCESS_KEY_ID",
            "OFFSITE_SECRET_ACCESS_KEY",
            "DAGSTER_HOME",
        )
    ]
    optional = re.findall(r"^# (\w+)=$", text, re.M)
    assert {"DB_SSL_MODE", "OFFSITE_ENDPOINT_URL", "ALERT_URLS"} <= set(optional)
    assert len(optional) == len(set(optional))
    assert "NAME.source.url_env: Variable with the connection string" in text
