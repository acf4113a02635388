"""What the tools' tables say besides what is in force: failed, rolled back, locked; and tables that are not theirs."""

from pathlib import Path

import pytest

from hackorda_ops.migrations.measure import marked_findings
from hackorda_ops.postgres.catalogs.inventory import MigrationState, TableName
from hackorda_ops.postgres.catalogs.migration_state import ToolStates, migration_words, read_tool_states
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops_tests.migration_tools.examples import EXAMPLES
from hackorda_ops_tests.migration_tools.real.projects import write
from hackorda_ops_tests.migrations.commands import found_in, migrated
from hackorda_ops_tests.postgres import awkward

pytestmark = pytest.mark.server


def read(url: str, configured: str | None = None) -> ToolStates:
    with awkward.session(url) as connection:
        return read_tool_states(connection, read_catalog(connection).tables, configured)


FLYWAY = "INSERT INTO flyway_schema_history VALUES ({}, {}, 'x', '{}', '{}', 1, 'app', now(), 1, {})"
MARKS = {
    "goose": (
        [f"INSERT INTO goose_db_version (version_id, is_applied) VALUES {rows}" for rows in ("(0, true)",)]
        + [
            "INSERT INTO goose_db_version (version_id, is_applied)"
            " VALUES (1, true), (2, true), (10, true), (2, false), (3, true), (3, false), (3, true)"
        ],
        (("1", "3", "10"), (), ("2",)),
    ),
    "golang-migrate": (["INSERT INTO schema_migrations VALUES (3, true)"], ((), ("3",), ())),
    "prisma": (
        [
            "INSERT INTO _prisma_migrations VALUES ('1', 'c', 'began', NULL, NULL),"
            " ('2', 'c', 'back', NULL, now()), ('3', 'c', 'again', NULL, now()), ('4', 'c', 'again', now(), NULL),"
            " ('5', 'c', 'back', NULL, now())"
        ],
        (("again",), ("began",), ("back",)),
    ),
    "flyway": (
        [
            FLYWAY.format(*row)
            for row in (
                (0, "NULL", "SCHEMA", "<< Flyway Schema Creation >>", "true"),
                (1, "'1'", "SQL", "V1__a.sql", "true"),
                (2, "'2'", "SQL", "V2__b.sql", "false"),
                (3, "'3'", "SQL", "V3__c.sql", "true"),
                (4, "'3'", "UNDO_SQL", "U3__c.sql", "true"),
                (5, "'4'", "SQL", "V4__d.sql", "false"),
                (6, "'4'", "DELETE", "V4__d.sql", "true"),
                (7, "NULL", "SQL", "R__x.sql", "true"),
            )
        ],
        (("1", "R x"), ("V2__b.sql",), ("U3__c.sql",)),
    ),
    "liquibase": (
        [
            "INSERT INTO databasechangelog (id, author, filename, dateexecuted, orderexecuted, exectype) VALUES"
            " ('1', 'a', 'db/x.sql', now(), 1, 'EXECUTED'), ('2', 'a', 'x.sql', now(), 2, 'FAILED'),"
            " ('3', 'a', 'x.sql', now(), 3, 'SKIPPED'), ('4', 'a', 'x.sql', now(), 4, 'MARK_RAN')"
        ],
        (("1::a::x.sql", "4::a::x.sql"), ("x.sql::2::a",), ()),
    ),
}


@pytest.mark.parametrize("tool", MARKS)
def test_what_failed_or_was_rolled_back_is_not_in_force(tool: str, new_database: str) -> None:
    rows, expected = MARKS[tool]
    awkward.execute(new_database, EXAMPLES[tool].table, *rows)
    [state] = read(new_database).states
    assert (state.tool, (state.applied, state.half_applied, state.rolled_back)) == (tool, expected)
    codes = [finding.code for finding in marked_findings([state])]
    assert codes == (["migration rolled back"] if state.rolled_back else [])


def test_a_lock_of_liquibase_that_is_held_is_a_finding(new_database: str) -> None:
    awkward.execute(
        new_database,
        EXAMPLES["liquibase"].table,
        "CREATE TABLE databasechangeloglock (id int PRIMARY KEY, locked boolean NOT NULL, lockgranted timestamp,"
        " lockedby varchar(255))",
        "INSERT INTO databasechangeloglock VALUES (1, true, '2026-01-01 10:00', 'ci-7 (10.0.0.7)')",
    )
    [state] = read(new_database).states
    [finding] = marked_findings([state])
    assert (finding.code, finding.severity) == ("migration lock held", "warning")
    assert finding.observed == "held by ci-7 (10.0.0.7) since 2026-01-01 10:00:00"
    awkward.execute(new_database, "UPDATE databasechangeloglock SET locked = false")
    assert list(marked_findings(read(new_database).states)) == []


def test_tables_of_one_name_are_told_apart(new_database: str) -> None:
    awkward.execute(
        new_database,
        *(
            f"CREATE SCHEMA {schema}; SET search_path = {schema}; {EXAMPLES[tool].table}; {EXAMPLES[tool].steps[0]}"
            for schema, tool in (("a", "dbmate"), ("b", "golang-migrate"), ("c", "rails"))
        ),
        "CREATE SCHEMA d CREATE TABLE schema_migrations (version bigint, inserted_at timestamp)",
    )
    found = read(new_database)
    assert [(state.table.schema, state.tool) for state in found.states] == [
        ("a", "dbmate"),
        ("b", "golang-migrate"),
        ("c", "rails"),
    ]
    assert found.unread == ()


def test_a_table_by_another_name_is_the_teams_when_it_is_configured(new_database: str) -> None:
    awkward.execute(
        new_database,
        "CREATE SCHEMA ops CREATE TABLE history (version_num varchar(32))",
        "INSERT INTO ops.history VALUES ('9a1c')",
        EXAMPLES["goose"].table,
    )
    assert [state.tool for state in read(new_database).states] == ["goose"]
    for name in ("ops.history", "history"):
        [state] = read(new_database, name).states
        assert (state.tool, state.table, state.applied) == ("alembic", TableName("ops", "history"), ("9a1c",))
    assert read(new_database, "ops.nothing").unread == ("there is no table ops.nothing",)
    awkward.execute(new_database, "CREATE TABLE notes (note text)")
    assert read(new_database, "notes").unread == ("notes has not the columns of a known tool's table",)


HOSTILE = {
    "golang-migrate": "CREATE TABLE schema_migrations (version jsonb, dirty jsonb)",
    "goose": "CREATE TABLE goose_db_version (id text, version_id text, is_applied text);"
    " INSERT INTO goose_db_version VALUES ('x', 'secret', 'y')",
    "drizzle": "CREATE TABLE __drizzle_migrations (hash bytea, created_at text);"
    " INSERT INTO __drizzle_migrations VALUES ('secret', 'secret')",
    "dbmate": "CREATE TABLE schema_migrations (version text); INSERT INTO schema_migrations VALUES ('')",
    "node-pg-migrate": "CREATE TABLE pgmigrations AS"
    " SELECT n AS id, repeat('x', 10) AS name, now() AS run_on FROM generate_series(1, 100001) AS n",
}


@pytest.mark.parametrize("tool", HOSTILE)
def test_a_table_with_other_contents_is_not_read_and_nothing_of_it_is_shown(
    tool: str, new_database: str, tmp_path: Path
) -> None:
    awkward.execute(new_database, HOSTILE[tool])
    found = read(new_database)
    assert found.states == ()
    [reason] = found.unread
    assert "can't be read: " in reason
    assert "secret" not in reason
    # The drill says so, and goes on.
    run = migrated(new_database, command="true", working_directory=tmp_path)
    assert (run.result.not_measured, run.result.pending_after) == (found.unread, None)


def test_a_huge_name_is_cut_and_a_role_without_the_right_is_named(new_database: str) -> None:
    awkward.execute(
        new_database,
        "CREATE TABLE alembic_version (version_num text)",
        "INSERT INTO alembic_version VALUES (repeat('x', 1000000))",
    )
    [state] = read(new_database).states
    assert len(state.applied[0]) == 1_000
    with awkward.new_role(new_database, "looker") as role_url:
        assert read(role_url).unread == ("public.alembic_version can't be read: the role lacks the right",)


def test_a_migration_that_goose_rolled_back_is_a_finding_and_pending(
    new_database: str, tmp_path: Path
) -> None:
    example = EXAMPLES["goose"]
    write(tmp_path, example.files)
    awkward.execute(
        new_database,
        example.table,
        *example.steps,
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, false)",
    )
    run = migrated(new_database, command="true", working_directory=tmp_path)
    assert found_in(run) == [("migrations pending", "fatal"), ("migration rolled back", "warning")]
    assert run.result.pending_after == (example.names[1],)


def test_a_manifest_has_no_number_of_a_tool_that_keeps_the_newest_only() -> None:
    table = TableName("public", "x")
    assert migration_words(MigrationState("alembic", table, 1, "9a1c")) == "alembic: newest 9a1c"
    assert migration_words(MigrationState("goose", table, 2, "10")) == "goose: 2 applied, newest 10"
    assert migration_words(MigrationState("unheard-of", table, 0, "")) == "unheard-of: 0 applied, newest none"
