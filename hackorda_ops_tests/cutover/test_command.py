"""`hackorda-ops cutover`, as a process of its own: killed in the middle, asked, run again."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import yaml

from hackorda_ops.cutover.emptying import spare_name
from hackorda_ops.cutover.state import load, save
from hackorda_ops.cutover.target import claim, comment_of
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops_tests.cutover.moving import Move, execute, relations, rows
from hackorda_ops_tests.e2e.processes import until
from hackorda_ops_tests.forms import also_long

pytestmark = pytest.mark.server

_COMMAND = ("hackorda_ops.cli", "cutover")


def command(shop: Move, *arguments: str, module: tuple[str, ...] = _COMMAND) -> subprocess.Popen[str]:
    path = shop.folder / "databases.yaml"
    policy = shop.policy.model_dump(mode="json", exclude_unset=True)
    path.write_text(yaml.safe_dump({"databases": {"shop": policy}}))
    return subprocess.Popen(
        [sys.executable, "-m", *module, *arguments, "--config", str(path), "--json"],
        env={**os.environ, **shop.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_in_a_hook_it_goes_on_there_and_asks_before_what_cannot_be_undone(shop: Move) -> None:
    begun: Path = shop.folder / "begun"
    slow = shop.changed(
        hooks={
            "quiesce": ["sh", "-c", f"if [ ! -e {begun} ]; then touch {begun}; exec sleep 600; fi"],
            "repoint": "true",
        }
    )
    first = command(slow, "run", "shop")
    until(begun.exists, "the hook runs")
    first.send_signal(signal.SIGKILL)
    first.communicate()
    # What a killed run leaves half restored is emptied under its label alone.
    status, _ = command(slow, "status", "shop").communicate()
    assert json.loads(status)["began"] == "quiesce"

    second = command(slow, "run", "shop")
    _, said = second.communicate()

    assert second.returncode == 2
    assert "The cutover stopped before repoint, which nobody has confirmed" in said
    assert "The way back is in" in said
    third = command(slow, "run", "shop", "--yes")
    shown, _ = third.communicate()
    assert third.returncode == 0
    assert json.loads(shown)["next_step"] is None
    assert rows(shop.new) == rows(shop.old)


def databases_of_the_server(url: str) -> set[str]:
    with psycopg.connect(url) as session:
        return {name for (name,) in session.execute("SELECT datname FROM pg_database")}


def test_killed_within_pg_restore_it_empties_what_was_restored_and_restores_again(shop: Move) -> None:
    before = databases_of_the_server(shop.new)
    with psycopg.connect(shop.new) as other:
        # Not committed: pg_restore waits here, when it has made a part of the database.
        other.execute("CREATE TABLE users (id int)")
        first = command(shop, "run", "shop", "--yes")
        until(lambda: waits(shop.new), "pg_restore waits for the other session")
        first.send_signal(signal.SIGKILL)
        first.communicate()
        until(lambda: not waits(shop.new), "pg_restore ended with the command")
    # Somebody's settings of the new database, and the comment that it had, outlive the emptying.
    execute(shop.new, f'ALTER DATABASE {name_of(shop.new)} SET work_mem = "7MB"')
    assert "issues" in relations(shop.new)

    second = command(shop, "run", "shop", "--yes")
    shown, said = second.communicate()

    assert second.returncode == 0, said
    assert "an interrupted restore filled it" in said
    assert json.loads(shown)["next_step"] is None
    assert rows(shop.new) == rows(shop.old)
    assert setting(shop.new, "work_mem") == "7MB"
    assert databases_of_the_server(shop.new) == before


@pytest.mark.parametrize(
    "point",
    also_long(
        ["create_like", "set_label", "_drop", "_rename", "set_comment"], short=["set_label", "_rename"]
    ),
)
@pytest.mark.parametrize("restarted", also_long([False, True], short=[False]))
def test_killed_while_it_empties_the_new_database_it_goes_on_and_loses_nothing_of_it(
    shop: Move, point: str, restarted: bool, postgres_server: PostgresServer
) -> None:
    before = databases_of_the_server(postgres_server.url())
    execute(shop.new, f"COMMENT ON DATABASE {name_of(shop.new)} IS 'the new one'")
    execute(shop.new, f'ALTER DATABASE {name_of(shop.new)} SET work_mem = "7MB"')
    command(shop, "run", "shop", "--until", "restore" if restarted else "dump").communicate()
    if not restarted:
        fill_as_an_interrupted_restore(shop)
    options = ["run", "shop", "--yes", *(["--restart"] if restarted else [])]

    killed = command(shop, *options, module=("hackorda_ops_tests.cutover.killed_cutover", point))
    _, said = killed.communicate()
    assert killed.returncode == -signal.SIGKILL, said
    second = command(shop, *options)
    _, said = second.communicate()

    assert second.returncode == 0, said
    assert rows(shop.new) == rows(shop.old)
    assert setting(shop.new, "work_mem") == "7MB"
    assert comment(shop.new) == "the new one"
    assert databases_of_the_server(postgres_server.url()) == before


def test_a_database_in_between_that_is_not_ours_is_neither_dropped_nor_renamed(
    shop: Move, postgres_server: PostgresServer
) -> None:
    command(shop, "run", "shop", "--until", "dump").communicate()
    fill_as_an_interrupted_restore(shop)
    state = load(shop)
    assert state is not None
    name = spare_name(state.cutover_id)
    theirs = create_database(postgres_server, name)
    execute(theirs, "CREATE TABLE somebodys (id int)")

    run = command(shop, "run", "shop", "--yes")
    _, said = run.communicate()

    assert run.returncode != 0
    assert f"The database {name} on 127.0.0.1 is not empty" in said
    assert relations(theirs) == ["somebodys"]
    assert relations(shop.new) == ["half"]
    execute(postgres_server.url(), f'DROP DATABASE "{name}"')


def fill_as_an_interrupted_restore(shop: Move) -> None:
    """The new database as a killed restore leaves it, with the state file's word for that."""
    state = load(shop)
    assert state is not None
    save(shop, state.beginning("restore"))
    with psycopg.connect(shop.new, autocommit=True) as session:
        claim(session, shop.name, state.cutover_id)
        session.execute("CREATE TABLE half (id int)")


def waits(url: str) -> bool:
    with psycopg.connect(url) as session:
        return bool(
            session.execute(
                "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchall()
        )


def name_of(url: str) -> str:
    with psycopg.connect(url) as session:
        return f'"{session.info.dbname}"'


def setting(url: str, name: str) -> str:
    with psycopg.connect(url) as session:
        [(value,)] = session.execute(f"SHOW {name}".encode()).fetchall()
    return str(value)


def comment(url: str) -> str | None:
    with psycopg.connect(url) as session:
        return comment_of(session)


def test_without_a_repoint_hook_nobody_is_bypassed(shop: Move) -> None:
    by_hand = shop.changed(hooks={})
    run = command(by_hand, "run", "shop", "--yes")
    _, said = run.communicate()

    assert run.returncode == 2
    assert "--yes needs a repoint hook" in said
    assert relations(shop.new) == []


def test_a_rehearsal_prints_its_timings_and_problems_for_scripts(shop: Move) -> None:
    execute(shop.old, "CREATE TABLE more AS SELECT n FROM generate_series(1, 10) n")
    run = command(shop, "rehearse", "shop")
    shown, _ = run.communicate()

    answer = json.loads(shown)
    assert run.returncode == 0
    assert answer["rows"] == 310
    assert answer["downtime_seconds"] > 0
    assert answer["problems"] == []
