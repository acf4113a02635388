"""`hackorda-ops cutover`, as a process of its own: killed in the middle, asked, run again."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hackorda_ops_tests.cutover.moving import Move, execute, relations, rows
from hackorda_ops_tests.e2e.processes import until

pytestmark = pytest.mark.server


def command(shop: Move, *arguments: str) -> subprocess.Popen[str]:
    path = shop.folder / "databases.yaml"
    policy = shop.policy.model_dump(mode="json", exclude_unset=True)
    path.write_text(yaml.safe_dump({"databases": {"shop": policy}}))
    return subprocess.Popen(
        [sys.executable, "-m", "hackorda_ops.cli", "cutover", *arguments, "--config", str(path), "--json"],
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
