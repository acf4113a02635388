from collections.abc import Callable

import pytest

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.definitions.schema_digest import schema_digest
from hackorda_ops_tests.postgres import awkward

pytestmark = pytest.mark.server


def digest_of(each_url: str) -> str:
    with awkward.session(each_url) as connection:
        return schema_digest(connection)


def test_equal_schemas_have_equal_digests_and_rows_do_not_matter(
    awkward_url: str, each_server: PostgresServer, database_on: Callable[[PostgresServer], str]
) -> None:
    other = database_on(each_server)
    awkward.execute(
        other, "CREATE TABLE moves_the_oids (id serial)", "DROP TABLE moves_the_oids", awkward.SCHEMA
    )
    digest = digest_of(awkward_url)
    assert digest == digest_of(other)
    assert len(digest) == 64

    awkward.execute(
        other, "INSERT INTO users (name) VALUES ('new')", "ANALYZE", "REFRESH MATERIALIZED VIEW stale"
    )
    assert digest == digest_of(other)
    awkward.execute(
        other, "CREATE TABLE events_next PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')"
    )
    assert digest == digest_of(other)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE users ADD COLUMN email text",
        "ALTER TABLE users ALTER COLUMN name SET NOT NULL",
        "ALTER TABLE users ALTER COLUMN name SET DEFAULT 'x'",
        "ALTER TABLE parent ALTER COLUMN id TYPE bigint",
        "ALTER TABLE users ADD CONSTRAINT positive CHECK (id > 0)",
        "CREATE INDEX ON users (name)",
        "CREATE OR REPLACE VIEW plain_view AS SELECT * FROM users WHERE id > 1",
        "ALTER TYPE \"Odd Schema\".mood ADD VALUE 'ecstatic'",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')",
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY mine ON users USING (id = 1)",
        "CREATE SCHEMA another",
        "CREATE DOMAIN short AS text CHECK (length(VALUE) < 9)",
        "ALTER SEQUENCE never_called INCREMENT 5",
        "CREATE RULE quiet AS ON DELETE TO parent DO INSTEAD NOTHING",
        "CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ],
)
def test_a_change_of_the_schema_changes_its_digest(change: str, awkward_url: str) -> None:
    # All changes are tried on one database, each rolled back: it is the schema that takes time to make.
    with awkward.session(awkward_url) as connection:
        before = schema_digest(connection)
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL search_path = public")
            connection.execute(change.encode())
            connection.execute("SET LOCAL search_path = ''")
            assert schema_digest(connection) != before
