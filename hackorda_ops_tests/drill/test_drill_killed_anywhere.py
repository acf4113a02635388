"""A drill killed at any point: the sweep leaves nothing of it, and everything of others."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.history.alive import kept_alive
from hackorda_ops.history.labels import Label, source_id
from hackorda_ops.local.neon import LocalNeon
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.neon.client import open_client
from hackorda_ops.neon.models import CreatedBranch
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops.scratch.sweep import left_behind, sweep
from hackorda_ops_tests.drill.fixtures import EMPTY, Night, Shipped, databases_on, on_neon
from hackorda_ops_tests.drill.test_drill_interrupted import sessions_on, wait_until
from hackorda_ops_tests.forms import also_long

pytestmark = pytest.mark.server

LIVING = "20261108T060000Z-a11fe0"
DEAD = "20261108T060000Z-dead00"
ON_NEON = (
    ("STAGE fetch", 0),
    ("STAGE make scratch", 0),
    ("BEFORE POST branches", 0),
    ("AFTER POST branches", 1),
    ("AFTER GET operations/ID", 1),
    ("AFTER GET branches/ID/databases", 1),
    ("AFTER GET connection_uri", 1),
    ("STAGE restore", 1),
    ("STAGE take down", 1),
    ("BEFORE DELETE branches/ID", 1),
    # The deletion goes on without the drill.
    ("AFTER DELETE branches/ID", None),
)
# Before there is a branch, as soon as there is one, with rows in it, and when it is already going.
SOME_ON_NEON = tuple(
    (point, left)
    for point, left in ON_NEON
    if point in {"BEFORE POST branches", "AFTER POST branches", "STAGE restore", "AFTER DELETE branches/ID"}
)
ON_A_SERVER = (("STAGE make scratch", 0), ("STAGE restore", 1), ("STAGE compare the schema", 1))


def killed(protected: Shipped, point: str) -> None:
    """Runs a drill that is killed at a point, until nothing of its process is left."""
    policy = json.dumps(protected.written)
    ended = subprocess.run(
        [sys.executable, "-m", "hackorda_ops_tests.drill.killed_drill", policy, point],
        env={**os.environ, **protected.environ},
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def left_by(protected: Shipped) -> tuple[str, ...]:
    return left_behind(protected, budget_seconds=10)


@pytest.fixture
def others(neon: LocalNeon, tiny: Night) -> Iterator[set[str]]:
    """The names of branches that look like a killed drill's of this database, and are not."""
    prefix = "hackorda-ops-hackorda-drill-20261108-060000-"
    source = source_id(parse(tiny.url, origin="test"))

    def label(database: str, drill_id: str) -> dict[str, str]:
        return Label(database, source, drill_id, "drill").annotation()

    dead = label("hackorda", DEAD)
    wanted: dict[str, dict[str, str]] = {
        f"{prefix}person": {},
        f"{prefix}product": dead | {"app": "another product"},
        f"{prefix}elsewhere": dead | {"source": "another installation"},
        f"{prefix}old": {name: value for name, value in dead.items() if name != "source"},
        "feature/hackorda-ops-hackorda-drill": dead,
        f"{prefix}living": label("hackorda", LIVING),
        "hackorda-ops-honeydue-drill-20261108-060000-living": label("honeydue", LIVING),
        "hackorda-ops-honeydue-drill-20261108-060000-dead": label("honeydue", DEAD),
    }
    with (
        open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client,
        kept_alive(parse(tiny.url, origin="test"), LIVING),
    ):
        made = []
        for name, annotation in wanted.items():
            # The day on which Neon removes it makes no difference either.
            expires_at = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0).isoformat()
            answer = client.create_branch(
                {"branch": {"name": name, "expires_at": expires_at}, "annotation_value": annotation},
                name=name,
            )
            assert isinstance(answer, CreatedBranch)
            made.append(answer.branch.id)
        yield set(wanted)
        for branch_id in made:
            client.delete_branch(branch_id)


def branches_of(neon: LocalNeon) -> set[str]:
    with open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client:
        return {found.branch.name for found in client.branches() if not found.branch.default}


@pytest.mark.parametrize(("point", "left"), also_long(ON_NEON, short=SOME_ON_NEON))
def test_wherever_a_drill_on_neon_is_killed_the_sweep_leaves_nothing_of_it_and_all_of_others(
    tiny: Night,
    one_clone: None,
    neon: LocalNeon,
    others: set[str],
    *,
    postgres_server: PostgresServer,
    ship: Callable[[Night], Shipped],
    point: str,
    left: int | None,
) -> None:
    protected = on_neon(ship(tiny), neon)
    killed(protected, point)
    wait_until(lambda: [name for (name,) in sessions_on(postgres_server) if LIVING not in name] == [])

    found = left_by(protected)
    removed = sweep(protected)

    assert left is None or len(found) == len(removed) == left
    assert left_by(protected) == ()
    # A deletion that was under way ends by itself.
    wait_until(lambda: branches_of(neon) == others)


@pytest.mark.parametrize(("point", "left"), ON_A_SERVER)
def test_wherever_a_drill_on_a_server_is_killed_the_sweep_leaves_nothing_of_it_and_all_of_others(
    tiny: Night,
    scratch_server: PostgresServer,
    ship: Callable[[Night], Shipped],
    *,
    point: str,
    left: int,
) -> None:
    label = {"app": "hackorda_ops", "database": "hackorda", "drill": DEAD}
    others = {
        "hackorda_ops_drill_hackorda_mine": None,
        "hackorda_ops_drill_product": label | {"app": "another product"},
        "hackorda_ops_drill_honeydue": label | {"database": "honeydue"},
        "hackorda_ops_drill_living": label | {"drill": LIVING},
        "reports": label,
    }
    protected = ship(tiny)
    with (
        psycopg.connect(scratch_server.url(), autocommit=True) as connection,
        kept_alive(parse(scratch_server.url(), origin="test"), LIVING),
    ):
        for name, labelled in others.items():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            if labelled is not None:
                connection.execute(
                    sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                        sql.Identifier(name), sql.Literal(json.dumps(labelled))
                    )
                )
        try:
            killed(protected, point)
            wait_until(lambda: [name for (name,) in sessions_on(scratch_server) if LIVING not in name] == [])

            found = left_by(protected)
            removed = sweep(protected)

            assert found == removed
            assert bool(found) == bool(left)
            assert databases_on(scratch_server) == {*EMPTY, *others}
        finally:
            for name in others:
                connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
