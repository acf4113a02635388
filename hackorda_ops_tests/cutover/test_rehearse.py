"""A rehearsal moves everything between the two servers, measures it, and leaves nothing."""

import psycopg
import pytest

from hackorda_ops.cutover.rehearse import rehearse
from hackorda_ops.cutover.state import load
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.progress import ignore
from hackorda_ops_tests.cutover.moving import Move, execute, relations

pytestmark = pytest.mark.server


def databases(server: PostgresServer) -> set[str]:
    with psycopg.connect(server.url()) as session:
        return {name for (name,) in session.execute("SELECT datname FROM pg_database")}


def test_everything_is_moved_compared_and_timed_and_nothing_is_left(
    shop: Move, postgres_server: PostgresServer
) -> None:
    before = databases(postgres_server)
    # A rehearsal is no reason to empty the new database first.
    execute(shop.new, "CREATE TABLE tried_out (id int)")

    killed = shop.folder / "work" / "rehearsal-shop-killed"
    killed.mkdir(parents=True)
    (killed / "dump").write_text("rows")
    killed.with_name("rehearsal-shop-killed.lock").touch(0o600)

    done = rehearse(shop, on_progress=ignore, say=shop.shown.append)

    assert done.problems == ()
    assert done.rows == 300
    assert list(done.seconds) == [
        "stillness",
        "dump and proof",
        "restore and comparison",
        "statistics",
        "last comparison",
    ]
    assert databases(postgres_server) == before
    assert relations(shop.new) == ["tried_out"]
    kept = [path.name for path in (shop.folder / "work").rglob("*") if path.is_file()]
    assert kept == ["shop.lock"]  # empty, and there for the next one
    assert not killed.exists()
    assert list(shop.store.list("")) == []
    assert not shop.stopped.exists()
    assert load(shop) is None


def test_what_would_stop_a_cutover_is_listed_with_its_remedy(shop: Move) -> None:
    lacking = shop.changed(hooks={"quiesce": "no-such-program --now"})
    execute(shop.new, "CREATE ROLE mover LOGIN PASSWORD 'm'")
    user = shop.new.replace("postgres:", "mover:", 1).replace("://postgres", "://mover")
    name, _, rest = user.partition("@")
    environ = {**lacking.environ, "MANAGED_DATABASE_URL": name.rpartition(":")[0] + ":m@" + rest}
    poor = Move(lacking.name, lacking.policy, environ, lacking.old, lacking.new, lacking.folder)
    try:
        done = rehearse(poor, on_progress=ignore, say=shop.shown.append)
    finally:
        execute(shop.new, "DROP ROLE mover")

    assert [each.what for each in done.problems] == [
        "mover may not create databases on the new server.",
        "The quiesce hook can't be started: its program 'no-such-program' is not found.",
    ]
    assert done.problems[0].next_step == 'ALTER ROLE "mover" CREATEDB;'
    assert done.rows == 0
