"""A source by the variables that the application reads, one for each part of the connection."""

from pathlib import Path

import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError
from hackorda_ops.hooks.parts import parts_of
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops_tests.config.test_models import load, problems

TEAM = {"user": "POSTGRES_USER", "database": "POSTGRES_DB", "password": "POSTGRES_PASSWORD"}
ENVIRON = {
    "DB_HOST": "ep-calm-sea-123-pooler.c-5.us-east-1.aws.neon.tech",
    "DB_PORT": "5432",
    "POSTGRES_USER": "neondb_owner",
    "POSTGRES_DB": "honeyDue",
    "POSTGRES_PASSWORD": "p@ss/w'ord \\1",
    "DB_SSLMODE": "require",
}


def protected(environ: dict[str, str], **source: object) -> Protected:
    given = {"variables": {"family": "DB", **TEAM}} | source
    return Protected("shop", Policy.model_validate({"source": given, "migrate": {}}), environ)


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("PG", ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGSSLMODE")),
        ("DB", ("DB_HOST", "DB_PORT", "DB_USER", "DB_NAME", "DB_PASSWORD", "DB_SSLMODE")),
        ("{}", ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGSSLMODE")),
        (
            "{family: DB, user: POSTGRES_USER, database: POSTGRES_DB, password: POSTGRES_PASSWORD}",
            ("DB_HOST", "DB_PORT", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "DB_SSLMODE"),
        ),
        (
            "{family: POSTGRES, port: PORT}",
            (
                "POSTGRES_HOST",
                "PORT",
                "POSTGRES_USER",
                "POSTGRES_DB",
                "POSTGRES_PASSWORD",
                "POSTGRES_SSLMODE",
            ),
        ),
    ],
)
def test_variables_are_a_familys_unless_single_ones_are_named(
    tmp_path: Path, written: str, names: tuple[str, ...]
) -> None:
    config = load(tmp_path, f"databases: {{shop: {{source: {{variables: {written}}}}}}}")
    found = config.databases["shop"].source.variables

    assert found
    assert (
        found.host,
        found.port,
        found.user,
        found.database,
        found.password,
        found.sslmode,
    ) == names


def test_problems_with_variables_are_reported_with_their_keys(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        """
        databases:
          one: {source: {variables: MYSQL}}
          two: {source: {variables: {hots: DB_HOST, password: "hunter2!"}}}
          three: {source: {variables: DB, url_env: DATABASE_URL}}
        """,
    )

    assert "databases.one.source.variables.family: Input should be 'PG', 'DB' or 'POSTGRES'" in said
    assert "databases.two.source.variables.hots: unknown key; did you mean host?" in said
    assert "databases.two.source.variables.password: needs the NAME of an environment variable" in said
    assert "hunter2" not in said
    assert "databases.three.source: give either variables or url_env, not both" in said


def test_two_databases_may_share_a_server_but_not_a_database(tmp_path: Path) -> None:
    load(
        tmp_path,
        "databases: {one: {source: {variables: DB}}, two: {source: {variables: {family: DB, database: TWO}}}}",
    )
    said = problems(tmp_path, "databases: {one: {source: {variables: DB}}, two: {source: {variables: DB}}}")
    assert "databases.two.source.variables: DB_HOST, DB_PORT, DB_USER, DB_NAME is already the source" in said


def test_the_source_is_what_the_applications_variables_say(tmp_path: Path) -> None:
    target = protected(ENVIRON).source(private_folder=tmp_path)

    assert target.describe() == "neondb_owner@ep-calm-sea-123.c-5.us-east-1.aws.neon.tech:5432/honeyDue"
    assert target.password == ENVIRON["POSTGRES_PASSWORD"]
    assert target.parameters["sslmode"] == "verify-full"  # the application's driver verifies, too
    application = protected(ENVIRON).application()
    assert application
    assert application.host == ENVIRON["DB_HOST"]


def test_each_missing_variable_is_reported_with_its_key() -> None:
    with pytest.raises(ConfigError) as caught:
        protected({"DB_PORT": "5432"}).require("source")

    for part in (
        "databases.shop.source.variables.host: set DB_HOST to",
        "databases.shop.source.variables.user: set POSTGRES_USER to",
        "databases.shop.source.variables.database: set POSTGRES_DB to",
    ):
        assert part in caught.value.what


@pytest.mark.parametrize(
    "wrong",
    [
        {"DB_HOST": "postgres://me:hunter2@db:5432/x"},
        {"DB_HOST": "me:hunter2@db"},
        {"DB_HOST": "host=db password=hunter2"},
        {"DB_PORT": "hunter2"},
        {"DB_PORT": "70000"},
    ],
)
def test_a_part_that_is_something_else_is_refused_and_not_shown(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match=r"\$DB_HOST, \$DB_PORT") as caught:
        protected(ENVIRON | wrong).source(private_folder=tmp_path)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("sslmode", "host", "found"),
    [
        ("disable", "localhost", "disable"),
        ("prefer", "localhost", "prefer"),
        ("prefer", "db.example.com", "require"),
        ("allow", "db.example.com", "require"),
        ("verify-ca", "db.example.com", "verify-ca"),
        ("verify-full", "localhost", "verify-full"),
        ("", "db.example.com", "verify-full"),
        ("", "postgres", "disable"),
    ],
)
def test_the_applications_sslmode_is_followed_but_never_to_no_encryption_elsewhere(
    tmp_path: Path, sslmode: str, host: str, found: str
) -> None:
    environ = ENVIRON | {"DB_HOST": host, "DB_SSLMODE": sslmode}

    target = protected(environ).source(private_folder=tmp_path)

    assert target.parameters["sslmode"] == found


def test_an_unencrypted_connection_with_a_remote_host_is_refused_unless_it_is_written_down(
    tmp_path: Path,
) -> None:
    environ = ENVIRON | {"DB_HOST": "db.example.com", "DB_SSLMODE": "disable"}

    with pytest.raises(ConfigError, match=r"DB_SSLMODE turns TLS off, and db\.example\.com") as caught:
        protected(environ).source(private_folder=tmp_path)
    accepted = protected(environ, tls="disable").source(private_folder=tmp_path)

    assert "tls: disable" in caught.value.next_step
    assert accepted.parameters["sslmode"] == "disable"


def test_the_configuration_decides_where_it_differs_from_the_application(tmp_path: Path) -> None:
    target = protected(ENVIRON, tls="no-verify").source(private_folder=tmp_path)

    assert target.parameters["sslmode"] == "require"


def test_the_migration_command_finds_the_copy_in_the_same_variables() -> None:
    migrate = protected(ENVIRON).policy.migrate
    assert migrate
    copy = parse("postgresql://drill:s%40cret@scratch.internal:6543/restored", origin="copy")

    assert parts_of(migrate.variables, copy, encrypted=True) == {
        "DB_HOST": "scratch.internal",
        "DB_PORT": "6543",
        "POSTGRES_USER": "drill",
        "POSTGRES_DB": "restored",
        "POSTGRES_PASSWORD": "s@cret",
        "DB_SSLMODE": "require",
    }


def test_a_command_may_have_variables_of_its_own_or_none() -> None:
    own = Policy.model_validate({"source": {"variables": "DB"}, "migrate": {"variables": "PG"}}).migrate
    none = Policy.model_validate({"migrate": {}}).migrate
    copy = parse("postgresql://drill@/restored?host=/run/postgresql&sslmode=verify-full", origin="copy")

    assert own
    assert none
    assert parts_of(none.variables, copy, encrypted=False) == {}
    assert parts_of(own.variables, copy, encrypted=False) == {
        "PGHOST": "/run/postgresql",
        "PGPORT": "5432",
        "PGUSER": "drill",
        "PGDATABASE": "restored",
        "PGSSLMODE": "verify-full",
    }
