"""The commands `exercise` and `history check`, as an operator calls them."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from hackorda_ops.calendar.partitions import quarter_name, quarter_of
from hackorda_ops_tests.drill.fixtures import Shipped

pytestmark = pytest.mark.server

DEADLINE_SECONDS = 600


def _run(protected: Shipped, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    config = folder / "databases.yaml"
    config.write_text(yaml.safe_dump({"databases": {"hackorda": protected.written}}))
    return subprocess.run(
        [sys.executable, "-m", "hackorda_ops.cli", *arguments, "--config", str(config)],
        cwd=folder,
        env=dict(protected.environ),
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


def test_an_exercise_writes_its_report_here_and_never_over_one_that_is_there(
    branching: Shipped, tmp_path: Path
) -> None:
    began = datetime.now(UTC)
    first = _run(branching, tmp_path, "exercise")
    assert first.returncode == 0, first.stderr
    [report] = tmp_path.glob("*.md")
    assert report.name in {
        f"{quarter_name(quarter_of(moment.date()))}-dr-test.md" for moment in (began, datetime.now(UTC))
    }
    assert "PASS  What was destroyed came back exactly" in first.stdout
    assert report.read_text().startswith("# PASS: recovery exercise")
    assert branching.environ["NEON_API_KEY"] not in first.stdout + first.stderr + report.read_text()

    report.write_text("What we learned.")
    second = _run(branching, tmp_path, "exercise", "--json")
    told = json.loads(second.stdout)
    assert (second.returncode, told["result"]["verdict"]) == (0, "PASS")
    assert told["notes"] == [f"{report.name} was not written here: File exists."]
    assert report.read_text() == "What we learned."


def test_an_exercise_that_can_not_be_held_is_wrong_use(protected: Shipped, tmp_path: Path) -> None:
    on_a_server = _run(protected, tmp_path, "exercise")
    no_year = _run(protected, tmp_path, "exercise", "--year", "Q1")

    assert (on_a_server.returncode, no_year.returncode) == (2, 2)
    assert "needs a history" in on_a_server.stderr
    assert "Write it as its number: 2026" in no_year.stderr
    assert not list(tmp_path.glob("*.md"))


def test_a_history_shorter_than_the_policy_ends_with_exit_code_1(branching: Shipped, tmp_path: Path) -> None:
    sound = _run(branching, tmp_path, "history", "check")
    short = _run(branching.changed(objectives={"history_days": 8}), tmp_path, "history", "check", "--json")

    assert sound.returncode == 0, sound.stderr
    assert "holds the past" in sound.stdout
    assert short.returncode == 1
    told = json.loads(short.stdout)
    assert told["long_enough"]["outcome"] == "failed"
    assert told["holds_the_past"]["outcome"] == "passed"
