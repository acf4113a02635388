"""Of what an administrator runs for a restore, nothing is but what pg_dump writes for such an object."""

import pytest

from hackorda_ops.postgres.restoring.by_administrator import _WRITTEN

WRITTEN = (
    ("EVENT TRIGGER", "CREATE EVENT TRIGGER a ON ddl_command_end\n   EXECUTE FUNCTION public.f();"),
    (
        "EVENT TRIGGER",
        "CREATE EVENT TRIGGER \"a \"\"b\" ON sql_drop\n         WHEN TAG IN ('DROP TABLE', 'DROP VIEW')\n"
        '   EXECUTE FUNCTION "Odd".f();\n\nALTER EVENT TRIGGER "a ""b" DISABLE;',
    ),
    ("PUBLICATION", "CREATE PUBLICATION p FOR ALL TABLES WITH (publish = 'insert, update');"),
    ("PUBLICATION TABLES IN SCHEMA", 'ALTER PUBLICATION p ADD TABLES IN SCHEMA "Odd";'),
    ("COMMENT", "COMMENT ON PUBLICATION p IS 'it''s all';"),
)
SMUGGLED = (
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "ALTER ROLE somebody SUPERUSER",
    "SELECT pg_catalog.pg_read_file('/etc/passwd')",
)


@pytest.mark.parametrize(("kind", "text"), WRITTEN)
def test_what_pg_dump_writes_is_known(kind: str, text: str) -> None:
    assert _WRITTEN[kind].fullmatch(text) is not None


@pytest.mark.parametrize("smuggled", SMUGGLED)
@pytest.mark.parametrize(("kind", "text"), WRITTEN)
def test_nothing_else_can_be_said_with_it(kind: str, text: str, smuggled: str) -> None:
    for more in (f"{text}\n{smuggled};", f"{smuggled};\n{text}", text.removesuffix(";") + f" {smuggled};"):
        assert _WRITTEN[kind].fullmatch(more) is None
    quoted = text.replace("public.f()", f"public.f(); {smuggled}; SELECT f()").replace(
        "'insert, update'", f"'insert'); {smuggled}; SELECT ('x'"
    )
    quoted = quoted.replace('"Odd"', f'"Odd"; {smuggled}; SELECT "x"').replace(
        "'it''s all'", f"'it\\'; {smuggled}; --'"
    )
    assert quoted != text
    assert _WRITTEN[kind].fullmatch(quoted) is None
