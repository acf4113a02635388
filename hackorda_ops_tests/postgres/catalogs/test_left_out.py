"""What lies around a database, read by name."""

import psycopg
import pytest

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.catalogs.left_out import read_left_out
from hackorda_ops_tests.postgres import awkward
from hackorda_ops_tests.postgres.access.examples import drop_roles
from hackorda_ops_tests.postgres.dumping import execute

pytestmark = pytest.mark.server


def test_all_that_a_dump_leaves_to_others_is_named_by_any_role(
    each_url: str, each_server: PostgresServer
) -> None:
    with psycopg.connect(each_server.url(), autocommit=True) as admin:
        try:
            with awkward.new_role(each_url, "passer_by") as url:
                execute(
                    each_url,
                    "CREATE TABLE notes (id int)",
                    "CREATE ROLE policed",
                    "CREATE ROLE mapped",
                    "CREATE POLICY mine ON notes TO policed",
                    "CREATE FOREIGN DATA WRAPPER wrapper",
                    "CREATE SERVER far FOREIGN DATA WRAPPER wrapper",
                    "CREATE USER MAPPING FOR mapped SERVER far OPTIONS (password 'a secret word')",
                    "CREATE USER MAPPING FOR PUBLIC SERVER far",
                    "CREATE PUBLICATION changes FOR TABLE notes",
                    "CREATE FUNCTION look_on() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
                    "CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION look_on()",
                    "SET allow_in_place_tablespaces = on",
                    "CREATE TABLESPACE beside LOCATION ''",
                    "CREATE INDEX ON notes (id) TABLESPACE beside",
                )
                with awkward.session(url) as connection:
                    left = read_left_out(connection)
        finally:
            execute(each_url, "DROP TABLE IF EXISTS notes", "DROP SERVER IF EXISTS far CASCADE")
            admin.execute("DROP TABLESPACE IF EXISTS beside")
            drop_roles(admin, "policed", "mapped")

    assert "passer_by" in left.login_roles
    assert "policed" not in left.login_roles
    assert left.required_roles == ("mapped", "policed")
    assert left.user_mappings == ("PUBLIC on far", "mapped on far")
    assert left.publications == ("changes",)
    assert left.event_triggers == ("watch",)
    assert left.tablespaces == ("beside",)
    assert left.replication_slots == ()
    assert "secret word" not in repr(left)
