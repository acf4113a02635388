"""A maintenance window: what it holds, what it compares, and that it ends."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from unittest import mock

import dagster as dg
import psycopg
import pytest
import yaml
from dagster import DagsterInstance

from hackorda_ops.artifacts.manifest import digest_of
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import UsageError
from hackorda_ops.maintenance import window as windows
from hackorda_ops.maintenance.run import Closed, close_window, open_window, run_in_window
from hackorda_ops.maintenance.window import Window, held
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops.progress import ignore
from hackorda_ops_tests.orchestration.protected import fill

NOW = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)


@pytest.fixture
def shop(new_database: str, tmp_path: Path) -> Protected:
    with psycopg.connect(new_database) as connection:
        fill(connection)
    policy = {
        "source": {"url_env": "SHOP_URL", "tls": "disable"},
        "store": str(tmp_path / "store"),
        "dump": {"work_folder": str(tmp_path / "work")},
    }
    return Protected("shop", Policy.model_validate(policy), {**os.environ, "SHOP_URL": new_database})


@pytest.fixture
def unconnected(tmp_path: Path) -> Protected:
    (tmp_path / "store").mkdir()
    return Protected("shop", Policy.model_validate({"store": str(tmp_path / "store")}), {})


def work(shop: Protected, statement: str, shown: list[str] | None = None) -> Closed:
    program = (
        "import os, psycopg; c = psycopg.connect(os.environ['SHOP_URL'], autocommit=True); "
        f"c.execute({statement!r}); print('migrated')"
    )
    return run_in_window(
        shop,
        [sys.executable, "-c", program],
        hours=1,
        reason="a migration",
        new_source=False,
        environ=shop.environ,
        on_progress=ignore,
        say=(shown if shown is not None else []).append,
    )


@pytest.mark.server
def test_work_in_a_window_is_between_two_dumps_and_its_effect_is_shown(shop: Protected) -> None:
    shown: list[str] = []

    closed = work(shop, "CREATE TABLE tags AS SELECT n FROM generate_series(1, 5) n", shown)

    assert closed.well
    assert [(each.subject, each.before, each.after) for each in closed.changes or ()] == [
        ("public.tags", "not there", "5 rows"),
        ("schema", "as before", "changed"),
    ]
    assert closed.window.before_id != closed.after_id
    assert len([*shop.policy.store.folder.glob("shop/*/manifest.json")]) == 2  # type: ignore[attr-defined]
    assert "  migrated" in shown
    assert any(line.startswith("  watch: ") and "connection" in line for line in shown)
    assert held(shop, datetime.now(UTC)) is None


@pytest.mark.server
def test_rows_that_are_gone_afterwards_are_not_well(shop: Protected) -> None:
    closed = work(shop, "DELETE FROM users WHERE id > 400")

    assert not closed.well
    [change] = closed.changes or ()
    assert (change.subject, change.before, change.after, change.lost) == (
        "public.users",
        "500 rows",
        "400 rows",
        True,
    )


@pytest.mark.server
def test_the_commands_open_show_and_close_a_window(shop: Protected, tmp_path: Path) -> None:
    path = tmp_path / "databases.yaml"
    written = shop.policy.model_dump(mode="json", exclude_unset=True)
    path.write_text(yaml.safe_dump({"databases": {"shop": written}}))

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hackorda_ops.cli", "maintenance", *arguments, "--config", str(path)],
            env=dict(shop.environ),
            capture_output=True,
            text=True,
            check=False,
        )

    assert command("begin", "shop", "--reason", "an upgrade", "--no-dump").returncode == 0
    assert json.loads(command("status", "shop", "--json").stdout)["open"] is True
    again = command("begin", "shop")
    assert again.returncode == 2
    assert "A maintenance window (an upgrade) is open until" in again.stderr
    assert command("close", "shop", "--no-dump").returncode == 0
    assert json.loads(command("status", "shop", "--json").stdout)["open"] is False


def test_a_window_ends_by_itself_and_is_never_longer_than_a_day(unconnected: Protected) -> None:
    window = Window("shop", "", NOW, NOW + timedelta(hours=2))
    windows.write(unconnected.store, window)

    assert held(unconnected, NOW) == window
    assert held(unconnected, NOW + timedelta(hours=2)) is None
    windows.write(unconnected.store, window.closed(NOW))
    assert held(unconnected, NOW) is None
    windows.write(unconnected.store, replace(window, ends_at=NOW + timedelta(days=30)))
    assert held(unconnected, NOW) is None
    with pytest.raises(UsageError, match="25 hours can't be opened"):
        open_window(unconnected, hours=25, reason="", dump=False, on_progress=ignore)


def test_a_window_that_cannot_be_read_holds_nothing(unconnected: Protected) -> None:
    data = b'{"window_version": 1, "ends_at": "never"}'
    unconnected.store.put(
        "shop/maintenance/window.json", BytesIO(data), size_bytes=len(data), sha256=digest_of(data)
    )

    assert held(unconnected, NOW) is None


def test_nothing_can_be_closed_that_is_not_open(unconnected: Protected) -> None:
    with pytest.raises(UsageError, match="No maintenance window of shop is open"):
        close_window(unconnected, dump=False, new_source=False, on_progress=ignore)


def test_a_tick_in_a_window_starts_nothing(unconnected: Protected) -> None:
    windows.write(unconnected.store, Window("shop", "an upgrade", NOW, NOW + timedelta(hours=2)))
    definitions = build_defs(Config(databases={"shop": unconnected.policy}), resource_overrides={ENVIRON: {}})

    def answer(at: datetime) -> dg.RunRequest | str | None:
        with (
            DagsterInstance.ephemeral() as instance,
            mock.patch.object(clock, "now", return_value=at),
            dg.build_schedule_context(
                instance,
                scheduled_execution_time=at,
                repository_def=definitions.get_repository_def(),
                resources={ENVIRON: {}},
            ) as context,
        ):
            data = definitions.resolve_schedule_def("shop_dump_every_night").evaluate_tick(context)
        return next(iter(data.run_requests or ()), data.skip_message)

    inside = answer(NOW)
    assert isinstance(inside, str)
    assert inside.startswith("A maintenance window (an upgrade) is open until 2026-11-27 04:00 UTC.")
    assert isinstance(answer(NOW + timedelta(days=1)), dg.RunRequest)
