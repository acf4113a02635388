"""Moving a database from Postgres 15 to 17, while its application writes until it's stopped."""

import json
import re
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.artifacts.operations_log import read_log
from hackorda_ops.cutover import work
from hackorda_ops.cutover.run import NotConfirmed
from hackorda_ops.cutover.state import load
from hackorda_ops.cutover.steps import NAMES, StepName
from hackorda_ops.errors import PermanentError, TargetRefused, ToolFailed, UsageError
from hackorda_ops_tests.cutover.moving import Move, Writer, application, execute, relations, rows
from hackorda_ops_tests.forms import also_long

pytestmark = pytest.mark.server


def trace(shop: Move) -> list[str]:
    path = shop.folder / "trace"
    return path.read_text().split() if path.exists() else []


def test_a_database_that_is_written_to_until_it_is_quiesced_moves_with_every_row(shop: Move) -> None:
    with application(200) as url, Writer(shop.old, shop.stopped):
        moving = shop.changed(smoke=[url])

        state = moving.run()

    assert [each.name for each in state.done] == list(NAMES)
    assert rows(shop.new) == rows(shop.old)
    assert len(rows(shop.new)["issues"]) > 0
    assert trace(shop) == ["announce", "quiesce", "repoint", "resume"]
    assert (shop.folder / "url").read_text().startswith(shop.new.partition("?")[0])
    # The final dump is kept, and is an artifact like any other.
    assert [path.parent.name for path in shop.folder.glob("store/shop/*/manifest.json")] == [
        state.artifact_id
    ]
    with psycopg.connect(shop.new) as session:
        [label] = session.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        ).fetchall()
    assert label == (None,)
    assert [event.subject for event in read_log(shop.store, "shop") if event.kind == "cutover"] == [
        "quiesce",
        "repoint",
        "resume",
    ]
    assert_private(shop)


def assert_private(shop: Move) -> None:
    """What is shown and written holds no password, and only its owner can read it."""
    password = re.search(r":([^:@/]+)@", shop.new)
    assert password is not None
    folder = shop.folder / "work" / "cutover"
    texts = ["\n".join(shop.shown), *(path.read_text() for path in folder.iterdir())]
    assert all(password[1] not in text for text in texts)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    variables = (folder / "shop-variables.txt").read_text()
    assert "SHOP_URL=postgresql://postgres:<the password in $MANAGED_DATABASE_URL>@127.0.0.1" in variables
    assert "connections" in variables
    sheet = (folder / "shop-rollback.md").read_text()
    assert "SHOP_URL" in sheet
    assert "hackorda-ops restore shop --from store --artifact" in sheet


def test_a_writer_that_does_not_stop_is_found_and_nothing_is_moved(shop: Move) -> None:
    stubborn = shop.changed(still_within_seconds=4)
    with Writer(shop.old, shop.folder / "never"), pytest.raises(PermanentError) as stopped:
        stubborn.run()

    assert "is still written to" in stopped.value.what
    assert "stopped at still (step 4 of 12)" in stopped.value.what
    assert "Start the application again" in stopped.value.next_step
    assert relations(shop.new) == []
    assert "repoint" not in trace(shop)


def test_an_open_transaction_that_has_written_and_a_prepared_one_are_not_stillness(shop: Move) -> None:
    quick = shop.changed(still_within_seconds=1)
    with psycopg.connect(shop.old) as session:
        session.execute("INSERT INTO users (name) VALUES ('later')")

        with pytest.raises(PermanentError, match="Transactions that have written are open: process"):
            quick.run()


def test_what_is_written_after_the_final_dump_stops_it_before_the_application_moves(shop: Move) -> None:
    shop.run(until="dump")
    execute(shop.old, "UPDATE users SET name = 'renamed' WHERE id = 7")

    with pytest.raises(
        PermanentError, match=r"written to after the final dump: content differs public\.users"
    ):
        shop.run()

    assert "repoint" not in trace(shop)
    # Quiesced again, a new cutover begins with an empty database, emptied of what this one had restored.
    shop.run(restart=True)
    assert rows(shop.new) == rows(shop.old)


def test_a_new_database_that_is_not_empty_is_refused_and_not_touched(shop: Move) -> None:
    execute(shop.new, "CREATE TABLE somebodys (id int)")

    with pytest.raises(TargetRefused, match="is not empty"):
        shop.run()

    assert relations(shop.new) == ["somebodys"]
    assert trace(shop) == []


def test_the_old_database_is_never_the_new_one(shop: Move) -> None:
    environ = {**shop.environ, "MANAGED_DATABASE_URL": shop.old}
    same = Move(shop.name, shop.policy, environ, shop.old, shop.old, shop.folder)

    with pytest.raises(TargetRefused, match="is the old database itself"):
        same.run()


def test_a_database_that_somebody_filled_meanwhile_is_not_emptied(shop: Move) -> None:
    shop.run(until="dump")
    execute(shop.new, "CREATE TABLE somebodys (id int)")

    with pytest.raises(TargetRefused, match="is not empty"):
        shop.run()

    assert relations(shop.new) == ["somebodys"]


def test_nothing_that_cannot_be_undone_happens_unasked(shop: Move) -> None:
    with pytest.raises(NotConfirmed, match="stopped before repoint"):
        shop.run(confirmed=False)

    assert trace(shop) == ["announce", "quiesce"]
    found = load(shop)
    assert found is not None
    assert found.next_step == "repoint"
    assert (shop.folder / "work" / "cutover" / "shop-rollback.md").exists()
    shop.run()
    assert trace(shop) == ["announce", "quiesce", "repoint", "resume"]


def test_an_application_that_answers_500_is_not_resumed_and_the_way_back_is_shown(shop: Move) -> None:
    with application(500) as url:
        broken = shop.changed(smoke=[url], smoke_within_seconds=2)
        with pytest.raises(PermanentError) as stopped:
            broken.run()

    assert "answered 500 instead of 200" in stopped.value.what
    assert "shop-rollback.md" in stopped.value.next_step
    assert "resume" not in trace(shop)
    with pytest.raises(UsageError, match="has begun to point the application"):
        broken.run(restart=True)
    assert rows(shop.new) == rows(shop.old)


def test_a_hook_that_fails_or_hangs_stops_it_with_what_it_said(shop: Move) -> None:
    failing = shop.changed(hooks={"quiesce": ["sh", "-c", "echo no such container; exit 4"]})
    with pytest.raises(ToolFailed, match=r"quiesce hook .* failed: return code 4: no such container"):
        failing.run()

    hanging = shop.changed(hooks={"quiesce": {"command": ["sleep", "600"], "timeout_minutes": 0.02}})
    with pytest.raises(ToolFailed, match=r"quiesce hook .* timed out"):
        hanging.run()


def test_a_finished_cutover_is_not_done_again(shop: Move) -> None:
    shop.run()

    with pytest.raises(UsageError, match="was cut over to"):
        shop.run()
    assert trace(shop).count("quiesce") == 1


def test_other_variables_than_those_it_began_with_are_refused(
    shop: Move, postgres_server: object, tmp_path: Path
) -> None:
    shop.run(until="announce")
    environ = {**shop.environ, "MANAGED_DATABASE_URL": shop.new.replace("Test", "Other")}

    with pytest.raises(UsageError, match="is of other databases than are named now"):
        Move(shop.name, shop.policy, environ, shop.old, shop.new, shop.folder).run()


@pytest.mark.parametrize(
    "killed_at",
    also_long(["announce", "dump", "restore", "migrate", "sheets", "repoint"], short=["restore", "repoint"]),
)
def test_it_goes_on_where_it_was_interrupted(
    shop: Move, killed_at: StepName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by Ctrl-C at the end of a step's work, before its end was noted: the step is done again."""
    does = work.WORK[killed_at]

    def interrupted(site: object) -> None:
        does(site)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setitem(work.WORK, killed_at, interrupted)  # type: ignore[arg-type]
        with pytest.raises(KeyboardInterrupt):
            shop.run()
    state = json.loads((shop.folder / "work" / "cutover" / "shop.json").read_text())
    assert state["began"] == killed_at

    done = shop.run()

    assert done.next_step is None
    assert rows(shop.new) == rows(shop.old)
    assert trace(shop).count("quiesce") == 1
