"""Connection strings: what they mean, what tools are told of them, and what is never shown of them."""

from collections.abc import Callable
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.errors import ConfigError
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.sessions.connection import (
    ConnectionTarget,
    direct,
    environment,
    parse,
    redact,
    secret_files,
    with_database,
)
from hackorda_ops.postgres.sessions.settings import options
from hackorda_ops.processes import child

HONEYDUE_POOLED = "ep-floral-truth-amttbc5a-pooler.c-5.us-east-1.aws.neon.tech"
HONEYDUE_DIRECT = "ep-floral-truth-amttbc5a.c-5.us-east-1.aws.neon.tech"

AWKWARD_PASSWORDS = [
    "p@ss:w/rd%41?x=1&y#z",
    'it\'s "quoted" \\ and blank',
    "kazakh-пароль-құпия",
    "100%",
    "sec+ret=abc;",
]


def read(text: str) -> ConnectionTarget:
    return parse(text, origin="DATABASE_URL")


def test_a_url_and_the_keyword_form_say_the_same() -> None:
    by_url = read("postgres://app:se%40cret@db.example.com:6432/honeyDue?sslmode=require&connect_timeout=5\n")
    by_keywords = read(
        "host=db.example.com port=6432 user=app password=se@cret dbname=honeyDue "
        "sslmode=require connect_timeout=5"
    )

    assert by_url == by_keywords
    assert (by_url.host, by_url.port, by_url.user) == ("db.example.com", 6432, "app")
    assert by_url.database == "honeyDue"
    assert by_url.password == "se@cret"
    assert by_url.describe() == "app@db.example.com:6432/honeyDue"


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://app@%2Fvar%2Frun%2Fpostgresql:6432/db",
        "postgresql:///db?host=/var/run/postgresql&port=6432&user=app",
        "host=/var/run/postgresql port=6432 user=app dbname=db",
    ],
)
def test_a_unix_socket_is_understood_in_every_spelling(text: str) -> None:
    target = read(text)

    assert (target.host, target.port) == ("/var/run/postgresql", 6432)
    assert target.password is None


def test_several_hosts_and_ipv6_addresses_are_kept() -> None:
    target = read("postgres://app@[fd00::1]:1111,second.example.com:2222/db?target_session_attrs=read-write")

    assert target.describe() == "app@[fd00::1]:1111,second.example.com:2222/db"
    assert (target.host, target.port) == ("fd00::1", 1111)
    assert target.parameters["target_session_attrs"] == "read-write"


def test_parameters_of_application_drivers_are_left_out_and_noted() -> None:
    target = read(
        "postgres://app:x@h/db?schema=public&pgbouncer=true&sslmode=require&connection_limit=5&uselibpqcompat=true"
    )

    assert target.ignored_parameters == ("schema", "pgbouncer", "connection_limit", "uselibpqcompat")
    assert dict(target.parameters) == {"host": "h", "user": "app", "dbname": "db", "sslmode": "require"}


@pytest.mark.parametrize(
    ("query", "sslmode"),
    [
        ("ssl=true", "require"),
        ("ssl=1", "require"),
        ("sslmode=verify-full&ssl=true", "verify-full"),
        ("sslmode=no-verify", "require"),
        ("sslrootcert=system", "verify-full"),
        ("ssl=false", None),
    ],
)
def test_other_drivers_words_for_tls_are_translated(query: str, sslmode: str | None) -> None:
    assert read(f"postgres://app@h/db?{query}").parameters.get("sslmode") == sslmode


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("postgres:///db", "no host"),
        ("postgres://h/db", "no user"),
        ("postgres://app@h", "no database"),
        ("postgres://app@h:65536/db", "port"),
        ("host=h1,h2 port=1,2,3 user=app dbname=db", "different number of ports"),
        ("postgres://app@h/db?sslmode=strict", "verify-full"),
        ("postgres://app@h/db?service=prod", "service"),
        ("postgres://app@h/db?sslpassword=x", "sslpassword"),
        ("mysql://app@h/db", "libpq"),
        ("", "no host"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)

    assert str(caught.value).startswith("DATABASE_URL ")
    assert named in caught.value.what


@pytest.mark.parametrize(
    "text",
    [
        "postgres://app:hush/-hush@db.example.com/db",
        "postgres://app:hush@-hush@db.example.com/db",
        "postgres://app:hush%zz-hush@db.example.com/db",
        "postgres://app:hush/?-hush@db.example.com/db",
        "postgres://app:hush@[fd00::1/db",
        'postgres://app:hush%zz"hush"@h/db',
        "postgres://app@h/db?password=hush hush",
        "postgres://app@h/db?password=hush&hush-hush",
        "host=h user=app dbname=db password=pass hush",
        "host=h user=app dbname=db password='hush",
        "host=h user=app dbname=db password=pass hush=hush",
        "'postgres://app:hush@h/db",
    ],
)
def test_a_broken_string_is_refused_without_showing_any_of_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)

    assert "hush" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("password", AWKWARD_PASSWORDS)
def test_any_password_is_read_whole_and_shown_nowhere(password: str) -> None:
    target = read(f"postgres://app:{quote(password, safe='')}@h:5432/db")

    assert target.password == password
    shown = f"{target!r} {target.describe()} {target.parameters}"
    assert password not in shown
    assert quote(password, safe="") not in shown


@pytest.mark.parametrize("password", AWKWARD_PASSWORDS)
@pytest.mark.parametrize(
    "spelled",
    [
        lambda p: p,
        lambda p: quote(p, safe=""),
        lambda p: quote(p).lower(),
        lambda p: p.replace("\\", "\\\\").replace("'", "\\'"),
        lambda p: p.replace("'", "''"),
    ],
    ids=["plain", "percent-encoded", "partly encoded", "with backslashes", "with doubled quotes"],
)
def test_a_targets_password_is_redacted_in_any_spelling(password: str, spelled: Callable[[str], str]) -> None:
    target = ConnectionTarget({"host": "h", "user": "u", "dbname": "d"}, password)

    assert redact(f"before {spelled(password)} after", target) == "before *** after"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("postgres://app:hush@h:5432/db", "postgres://app:***@h:5432/db"),
        ("postgres://app:hush@hush/hush@h/db and more", "postgres://app:***@h/db and more"),
        ("host=h password=hush dbname=d", "host=h password=*** dbname=d"),
        (r"host=h password='hu\' sh' dbname=d", "host=h password=*** dbname=d"),
        ("PGPASSWORD=hush pg_dump", "PGPASSWORD=*** pg_dump"),
        ("ALTER ROLE app PASSWORD 'hu''sh';", "ALTER ROLE app PASSWORD ***;"),
        ("OPTIONS (user 'u', password 'hush')", "OPTIONS (user 'u', password ***)"),
        ('{"password": "hush", "user": "u"}', '{"password": ***, "user": "u"}'),
        ('password authentication failed for user "app"', 'password authentication failed for user "app"'),
        ("postgres://h/db?user=a@b", "postgres://h/db?user=a@b"),
        ("fe_sendauth: no password supplied", "fe_sendauth: no password supplied"),
    ],
)
def test_passwords_are_redacted_where_they_usually_stand(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (HONEYDUE_POOLED, HONEYDUE_DIRECT),
        (HONEYDUE_DIRECT, HONEYDUE_DIRECT),
        ("ep-x-pooler.db.example.com", "ep-x.db.example.com"),
        ("EP-X-POOLER.us-east-1.aws.Neon.tech", "EP-X.us-east-1.aws.Neon.tech"),
        ("hackorda-pooler.db.example.com", "hackorda-pooler.db.example.com"),
        ("app-pooler.evilneon.tech", "app-pooler.evilneon.tech"),
        ("ep-a-pooler.aws.neon.tech,ep-b-pooler.aws.neon.tech", "ep-a.aws.neon.tech,ep-b.aws.neon.tech"),
        ("/tmp/ep-x-pooler.d", "/tmp/ep-x-pooler.d"),
        ("localhost", "localhost"),
    ],
)
def test_the_direct_way_strips_the_pooler_on_neon_only(host: str, expected: str) -> None:
    target = read(f"host={host} user=neondb_owner password=x dbname=honeyDue sslmode=require")

    assert direct(target).parameters == {**target.parameters, "host": expected}
    assert direct(target).password == "x"


def test_another_database_keeps_server_and_login() -> None:
    target = with_database(read("postgres://app:x@h:1/db"), "Scratch 'n\" odd")

    assert target.describe() == "app@h:1/Scratch 'n\" odd"
    assert target.password == "x"


def test_a_tool_gets_the_target_and_nothing_of_the_callers_own_postgres_variables() -> None:
    target = read(
        f"postgres://neondb_owner:p%40%2F%25@{HONEYDUE_DIRECT}/honeyDue"
        "?sslmode=require&channel_binding=require&keepalives_idle=9&options=endpoint%3Dep-x"
    )
    base = {
        "PATH": "/usr/bin",
        "HOME": "/root",
        "LC_ALL": "kk_KZ.UTF-8",
        "PGSERVICE": "elsewhere",
        "PGOPTIONS": "-c statement_timeout=1",
        "PGHOST": "elsewhere",
        "PGSSLMODE": "disable",
        "AWS_SECRET_ACCESS_KEY": "not for pg_dump",
    }

    assert environment(target, settings={"TimeZone": "UTC"}, base=base) == {
        "PATH": "/usr/bin",
        "HOME": "/root",
        "LC_ALL": "C",
        "PGHOST": HONEYDUE_DIRECT,
        "PGUSER": "neondb_owner",
        "PGDATABASE": "honeyDue",
        "PGSSLMODE": "require",
        "PGCHANNELBINDING": "require",
        "PGOPTIONS": "endpoint=ep-x -c TimeZone=UTC",
        "PGCONNECT_TIMEOUT": "30",
    }
    assert secret_files(target) == {"PGPASSFILE": "*:*:*:*:p@/%\n"}


def test_a_password_with_a_line_break_is_refused_because_no_password_file_can_hold_it() -> None:
    target = ConnectionTarget({"host": "h", "user": "u", "dbname": "d"}, "hush\nhush")

    with pytest.raises(ConfigError, match="line break") as caught:
        secret_files(target)

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("password", ["a:b", "back\\slash", "'quoted\" #ü*", ":\\:", "  blanks  "])
def test_a_tool_logs_in_with_any_password_and_nothing_in_its_environment(
    postgres_server: PostgresServer, password: str
) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE odd_password LOGIN PASSWORD {}").format(sql.Literal(password))
        )
        try:
            target = read(postgres_server.url(user="odd_password", password=password))
            finished = child.run(
                [
                    postgres_server.bin_dir / "psql",
                    *("--no-psqlrc", "--no-password", "--tuples-only", "--no-align"),
                    "--command=SELECT session_user",
                ],
                environment=environment(target, base={}),
                secret_files=secret_files(target),
                capture_stdout=True,
                deadline_seconds=30,
            )
        finally:
            connection.execute("DROP ROLE odd_password")

    assert (finished.stdout, finished.stderr_tail) == (b"odd_password\n", "")


def test_settings_come_after_those_of_the_connection_string_with_blanks_escaped() -> None:
    assert (
        options({"search_path": "", "x.y": r"a b\c"}, " -c x.y=1 ")
        == r"-c x.y=1 -c search_path= -c x.y=a\ b\\c"
    )


def test_psql_works_under_the_environment_whatever_role_and_connection_string_have_set(
    postgres_server: PostgresServer, new_database: str
) -> None:
    url = f"{new_database}?options=-c%20TimeZone%3DAsia/Almaty%20-c%20hackorda.note%3Dkept"
    target = read(url)

    answer = child.run(
        [
            postgres_server.bin_dir / "psql",
            "--no-psqlrc",
            "--no-password",
            "--tuples-only",
            "--no-align",
            "--command=SELECT current_setting('TimeZone'), current_setting('bytea_output'), "
            "current_setting('client_encoding'), current_setting('search_path'), "
            "current_setting('row_security'), current_setting('hackorda.note'), current_database()",
        ],
        environment=environment(target, base={}),
        secret_files=secret_files(target),
        capture_stdout=True,
        deadline_seconds=30,
    )

    assert answer.stdout.decode().strip() == f"UTC|hex|UTF8||off|kept|{target.database}"
