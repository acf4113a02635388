"""The embedded stack as a whole."""

from pathlib import Path

import psycopg
import pytest

from hackorda_ops.local.postgres import delete_server
from hackorda_ops.local.stack import OFFSITE_BUCKET, running_stack

pytestmark = pytest.mark.server


def test_the_stack_gives_a_seeded_database_a_bucket_and_a_place_for_dagster(server_folder: Path) -> None:
    folder = server_folder / "stack"
    with running_stack(folder, scale=0.01) as stack:
        environment = stack.environment()
        with psycopg.connect(environment["DATABASE_URL"]) as connection:
            rights = connection.execute(
                "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
            )
            assert rights.fetchone() == (False, False)
            before = connection.execute("SELECT count(*) FROM issues").fetchone()
            # What somebody did with the demo must survive its next start.
            connection.execute("DELETE FROM issue_payouts")
        with psycopg.connect(stack.dagster_url) as connection:
            connection.execute("CREATE TABLE made_by_dagster ()")
        stack.s3.client().head_bucket(Bucket=OFFSITE_BUCKET)
        for secret in (stack.hackorda_url, stack.dagster_url, stack.s3.secret_access_key):
            assert secret not in repr(stack)

    with running_stack(folder, scale=0.01) as stack, psycopg.connect(stack.hackorda_url) as connection:
        assert connection.execute("SELECT count(*) FROM issues").fetchone() == before
        assert connection.execute("SELECT count(*) FROM issue_payouts").fetchone() == (0,)
    delete_server(folder / "postgres")
