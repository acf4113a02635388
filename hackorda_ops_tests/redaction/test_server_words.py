"""What a server says of rows is shown nowhere: neither in errors, nor in findings, nor in what is kept of programs."""

import psycopg
import pytest

from hackorda_ops.redaction.server_words import NOT_SHOWN, shown, shown_error, shown_line
from hackorda_ops.redaction.tool_lines import without_rows
from hackorda_ops.unforeseen import described

SECRET = "aigerim@example.kz"


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        (f'invalid input syntax for type integer: "{SECRET}"', 'invalid input syntax for type integer: "…"'),
        (f'invalid input syntax for type integer: "a "{SECRET}" b"', 'invalid input syntax for type integer: "…"'),
        (f'invalid input syntax for type integer: "{SECRET}', "invalid input syntax"),
        (f'invalid input syntax for type json: "relation "{SECRET}"', "invalid input syntax for type json"),
        (f'value "{SECRET}" is out of range for type integer', "is out of range"),
        (f'invalid input value for enum mood: "{SECRET}"', "enum mood"),
        (f'time zone "{SECRET}" not recognized', "time zone"),
        ('duplicate key value violates unique constraint "users_pkey"', 'constraint "users_pkey"'),
        ('new row for relation "users" violates check constraint "users_check"', 'relation "users"'),
        ("null value in column \"id\" of relation \"users\" violates not-null constraint", '"id"'),
        (f"no such customer: {SECRET}", NOT_SHOWN),
        (f"value too long: {SECRET}", NOT_SHOWN),
        (f"ungültige Eingabesyntax für Typ integer: »{SECRET}«", NOT_SHOWN),
    ],
)  # fmt: skip
def test_a_message_about_data_keeps_names_and_loses_values(message: str, kept: str) -> None:
    line = f'pg_restore: error: COPY failed for table "my  users": ERROR:  {message}'

    for said in (shown(message), shown(message, "22P02"), shown_line(line)):
        assert SECRET not in said
    assert kept in shown(message)
    assert 'table "my  users"' in shown_line(line)


@pytest.mark.parametrize("sqlstate", ["P0001", "P0004", "38000", "39004", "22000", "XX000", None])
def test_what_a_function_raises_is_not_shown(sqlstate: str | None) -> None:
    assert shown(f"no such customer: {SECRET}", sqlstate) == NOT_SHOWN


def test_what_describes_the_server_keeps_its_words_in_every_language() -> None:
    assert shown("nicht genug Speicher", "53200") == "nicht genug Speicher"
    assert SECRET not in shown(f"Relation »{SECRET}« existiert nicht", "42P01")
    assert shown("kein Zugriff <<users", "42501") == "kein Zugriff …"


def test_words_of_psycopg_itself_on_a_value_are_not_shown() -> None:
    assert shown_error(psycopg.DataError(f"can't parse date '{SECRET}'")) == "DataError"
    assert shown_error(psycopg.OperationalError("the connection is\nclosed")) == "the connection is closed"


@pytest.mark.parametrize(
    "said",
    [
        f"ERROR:  duplicate key value violates unique constraint \"k\"\nDETAIL:  Key (email)=({SECRET}) exists.",
        f"FEHLER:  doppelt\nDETAIL:  »(email)=(a\n{SECRET})«\nKONTEXT:  COPY t, Zeile 1: »{SECRET}\n{SECRET}«",
        f"psql:m.sql:3: ERROR:  no customer {SECRET}\nCONTEXT:  PL/pgSQL function f() line 1 at RAISE\n{SECRET}",
        f"error: invalid input syntax for type integer: \"x\n{SECRET}\"\n    at Parser.parse",
        f"  detail: 'Key (email)=({SECRET}) already exists.',\n  where: 'COPY t, line 3: \"{SECRET}\"',",
        f'psycopg.errors.UniqueViolation: duplicate key\nDETAIL:  Key (email)=(first\n{SECRET}) exists.',
        f"  [detail]: Failing row contains (1, {SECRET}).",
        f"[parameters: ('{SECRET}',)]",
        f"ERREUR:  la clé existe\nDÉTAIL : La clé « (email)=({SECRET}) » existe",
        f"\u041e\u0428\u0418\u0411\u041a\u0410:  x\n\u041f\u041e\u0414\u0420\u041e\u0411\u041d:  ({SECRET})",  # Russian
    ],
)  # fmt: skip
def test_what_a_migration_command_repeats_of_rows_is_left_out(said: str) -> None:
    lines = without_rows(f"applying 0005\n{said}\n\nErrors: 1\n")

    assert SECRET not in lines
    assert lines.startswith("applying 0005")
    assert lines.endswith("Errors: 1")


def test_a_migration_commands_own_words_stay() -> None:
    said = (
        "> hackorda@1.4.0 migrate\nError: Cannot find module './migrate.js'\n"
        "    at node:internal/x:1:2\nthe migration broke\n"
        '2026-01-01 10:00:00 applying 0005_labels ... done\nerror: relation "public.projects" does not exist'
    )
    assert without_rows(said) == said


def test_an_unforeseen_error_is_described_without_its_words() -> None:
    try:
        int(SECRET)
    except ValueError as error:
        said = described(error)

    assert said.startswith("ValueError at test_server_words.py:")
    assert SECRET not in said
    assert "No such file" in described(FileNotFoundError(2, "No such file or directory"))
