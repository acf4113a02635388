"""Tables that get another file while they are read."""

import psycopg
import pytest

from hackorda_ops.errors import SourceBusy
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.rewrites import require_not_rewritten, rewritten, table_files
from hackorda_ops_tests.postgres.awkward import execute, target_of

pytestmark = pytest.mark.server
USERS = TableName("public", "users")


@pytest.mark.parametrize(
    ("statement", "is_rewritten"),
    [
        ("TRUNCATE users", True),
        ("ALTER TABLE users ALTER id TYPE bigint", True),
        ("VACUUM FULL users", True),
        ("ALTER TABLE users ADD COLUMN age int", False),
        ("REINDEX TABLE users", False),
        ("DELETE FROM users", False),
        ("DROP TABLE users", False),
        ("DROP TABLE users; CREATE TABLE users (id int)", False),
        ("BEGIN; TRUNCATE users; ROLLBACK", False),
    ],
)
def test_a_table_that_is_emptied_or_written_anew_is_noticed(
    each_url: str, statement: str, is_rewritten: bool
) -> None:
    execute(each_url, "CREATE TABLE users (id int PRIMARY KEY)", "CREATE TABLE quiet (id int)")
    before = table_files(target_of(each_url))
    execute(each_url, *statement.split("; ")) if "BEGIN" not in statement else execute(each_url, statement)

    assert rewritten(before, table_files(target_of(each_url))) == ((USERS,) if is_rewritten else ())


def test_what_was_read_meanwhile_does_not_count(each_url: str) -> None:
    execute(each_url, "CREATE TABLE users (id int)")
    before = table_files(target_of(each_url))
    with psycopg.connect(each_url, autocommit=True) as old:
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT 1")
        execute(each_url, "TRUNCATE users")

        with pytest.raises(SourceBusy, match=r"rewritten while they were read: public\.users"):
            require_not_rewritten(before, table_files(target_of(each_url)))
