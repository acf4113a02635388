"""Owners, grants and settings that are not as on the source: each is found, and named by its statement."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.access import access
from hackorda_ops.postgres.access.access import Access, Refused
from hackorda_ops_tests.postgres import awkward
from hackorda_ops_tests.postgres.access.examples import give_access, objects_on


@pytest.fixture(scope="module")
def changing(each_server: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    """A session on a database that tests change, and whose changes they roll back."""
    with objects_on(each_server, "changed") as url:
        give_access(url)
        with awkward.session(url) as connection:
            yield connection


@pytest.fixture(scope="module")
def captured(changing: psycopg.Connection[Any]) -> Access:
    """What it told before it was changed."""
    return access.capture(changing)


def test_nothing_is_found_where_nothing_is_otherwise(
    captured: Access, changing: psycopg.Connection[Any]
) -> None:
    assert access.differences(captured.statements, access.capture(changing)) == ((), ())


def test_a_refused_statement_is_found_with_what_the_server_said(captured: Access) -> None:
    wanted = "GRANT SELECT ON TABLE public.users TO nobody;"
    findings, _ = access.differences(
        (*captured.statements, wanted), captured, [Refused(wanted, 'role "nobody" does not exist')]
    )
    assert [(each.subject, each.observed) for each in findings] == [(wanted, 'role "nobody" does not exist')]


def test_a_source_without_a_schema_public_asks_nothing_of_it(captured: Access) -> None:
    without = [each for each in captured.statements if "SCHEMA public" not in each]
    findings, _ = access.differences(without, captured)
    assert [each.subject for each in findings] == [
        'GRANT CREATE, USAGE ON SCHEMA public TO "app" WITH GRANT OPTION;'
    ]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            'REVOKE SELECT ON public.users FROM "Жұмыс 100%"',
            [
                ("access missing", 'GRANT INSERT, SELECT ON TABLE public.users TO "Жұмыс 100%";'),
                ("access added", 'GRANT INSERT ON TABLE public.users TO "Жұмыс 100%";'),
            ],
        ),
        (
            "REVOKE UPDATE (name) ON public.users FROM PUBLIC",
            [("access missing", 'GRANT UPDATE ("name") ON TABLE public.users TO PUBLIC;')],
        ),
        (
            "GRANT SELECT ON public.parts TO PUBLIC",
            [("access added", "GRANT SELECT ON TABLE public.parts TO PUBLIC;")],
        ),
        (
            "GRANT EXECUTE ON FUNCTION public.answer TO PUBLIC",
            [
                (
                    "access missing",
                    "REVOKE EXECUTE ON ROUTINE public.answer(integer,pg_catalog.text[]) FROM PUBLIC;",
                )
            ],
        ),
        (
            "ALTER TABLE public.users OWNER TO postgres",
            [
                ("access missing", 'ALTER TABLE public.users OWNER TO "app";'),
                ("access missing", 'REVOKE DELETE ON TABLE public.users FROM "app";'),
                ("access added", 'REVOKE DELETE ON TABLE public.users FROM "postgres";'),
            ],
        ),
        (
            "ALTER LARGE OBJECT 4711 OWNER TO postgres",
            [("access missing", None)],
        ),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA public REVOKE SELECT ON TABLES FROM PUBLIC, "
            '"Жұмыс 100%"',
            [("access missing", None)],
        ),
        (
            "REVOKE SELECT (rolname) ON pg_catalog.pg_authid FROM app",
            [("access missing", 'GRANT SELECT ("rolname") ON TABLE pg_catalog.pg_authid TO "app";')],
        ),
        (
            'REVOKE pg_read_all_data FROM "Жұмыс 100%"',
            [("access missing", 'GRANT "pg_read_all_data" TO "Жұмыс 100%";')],
        ),
        ("ALTER DATABASE changed RESET statement_timeout", [("access missing", None)]),
        ("ALTER DATABASE changed SET work_mem = '1MB'", [("access added", None)]),
        ("GRANT CONNECT ON DATABASE changed TO PUBLIC", [("access missing", None)]),
        (
            "GRANT CREATE ON SCHEMA public TO PUBLIC",
            [
                (
                    "access missing",
                    "REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC;",
                ),
                ("access added", None),
            ],
        ),
    ],
)
def test_whatever_is_otherwise_than_on_the_source_is_found(
    captured: Access,
    changing: psycopg.Connection[Any],
    change: str,
    found: list[tuple[str, str | None]],
) -> None:
    with changing.transaction(force_rollback=True):
        changing.execute(change.encode())
        findings, notes = access.differences(captured.statements, access.capture(changing))
    assert notes == ()
    assert [each.code for each in findings] == [code for code, _ in found]
    for finding, (_, statement) in zip(findings, found, strict=True):
        assert statement in (None, finding.subject)
