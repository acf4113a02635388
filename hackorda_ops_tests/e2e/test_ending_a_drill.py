"""A drill that is ended while it runs: nothing of it goes on, nothing stays on scratch, the next one works."""

import os
import signal
import subprocess
from collections.abc import Collection, Iterator
from datetime import UTC, datetime

import pytest

from hackorda_ops.calendar import partitions
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.night import night as nightly
from hackorda_ops.week import week
from hackorda_ops_tests.e2e.processes import descendants, is_alive, until
from hackorda_ops_tests.e2e.shop import Shop

pytestmark = [pytest.mark.server, pytest.mark.e2e]


def _this_quarter() -> str:
    return partitions.quarter_of(datetime.now(UTC).date()).isoformat()


@pytest.fixture(scope="module", autouse=True)
def _copied(shop: Shop) -> None:
    """There is something to drill."""
    night = nightly.take_night(shop.protected)
    week.ship(shop.protected, night.manifest)


@pytest.fixture
def _waiting_migrations(shop: Shop) -> Iterator[None]:
    shop.migrations_wait.touch()
    yield
    shop.migrations_wait.unlink(missing_ok=True)
    shop.migrating.unlink(missing_ok=True)


def _in_mid_drill(shop: Shop, dagster: RunningDagster) -> tuple[str, dict[int, str]]:
    """Starts a drill and waits until it migrates the restored copy; returns the run and its processes."""
    run = dagster.materialize("shop/restore_drill", _this_quarter())
    worker = dagster.worker_of(run)
    until(shop.migrating.exists, "the drill migrates")
    family = descendants(worker)
    assert any(str(shop.migrating) in arguments for arguments in family.values()), family
    assert shop.scratch()
    assert shop.fetched()
    return run, family


def _all_end(family: Collection[int]) -> None:
    until(lambda: not any(map(is_alive, family)), "the worker and all below it have ended")


def _production(shop: Shop) -> object:
    return shop.ask(
        "SELECT (SELECT md5(string_agg(u::text, '' ORDER BY id)) FROM users u),"
        " (SELECT md5(string_agg(p::text, '' ORDER BY id)) FROM pictures p),"
        " (SELECT array_agg(oid ORDER BY oid) FROM pg_class), (SELECT count(*) FROM pg_database)"
    )


@pytest.mark.usefixtures("_waiting_migrations")
def test_a_drill_terminated_in_the_middle_takes_its_scratch_down(shop: Shop, dagster: RunningDagster) -> None:
    production = _production(shop)
    run, family = _in_mid_drill(shop, dagster)
    on_command_lines = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True)

    dagster.terminate(run)

    assert dagster.end_of(run) == "CANCELED", dagster.messages(run)
    _all_end(family)
    assert shop.scratch() == set()
    assert shop.fetched() == []
    assert _production(shop) == production
    said = "\n".join(dagster.messages(run))
    for secret in shop.secrets:
        assert secret not in on_command_lines.stdout
        assert secret not in said


@pytest.mark.usefixtures("_waiting_migrations")
def test_a_drill_whose_worker_is_killed_leaves_no_child_and_the_next_one_clears_its_scratch(
    shop: Shop, dagster: RunningDagster
) -> None:
    production = _production(shop)
    run, family = _in_mid_drill(shop, dagster)
    left = shop.scratch()

    os.kill(dagster.worker_of(run), signal.SIGKILL)

    assert dagster.end_of(run) == "FAILURE"
    _all_end(family)
    assert shop.scratch() == left
    assert _production(shop) == production
    until(lambda: all(shop.alarms_of(run)), "the webhook and the mail server are told")
    for [alarm] in shop.alarms_of(run):
        assert alarm.startswith("FAILED: shop, drill of ")

    shop.migrations_wait.unlink()
    again = dagster.materialize("shop/restore_drill", _this_quarter())
    assert dagster.end_of(again) == "SUCCESS", dagster.messages(again)
    assert shop.scratch() == set()
    assert shop.fetched() == []
