"""The table of how long the tests take."""

import subprocess
import sys
from pathlib import Path

from hackorda_ops_tests.timings import Timings, table


def junit(path: Path, **seconds: float) -> Path:
    """A file as pytest writes it; a test's module has "__" for each dot."""
    cases = "".join(
        f'<testcase classname="hackorda_ops_tests.{module.replace("__", ".")}" name="t" time="{took}"/>'
        for module, took in seconds.items()
    )
    path.write_text(f'<testsuites><testsuite name="pytest">{cases}</testsuite></testsuites>')
    return path


def test_a_folder_has_all_that_is_below_it_and_the_slowest_comes_first(tmp_path: Path) -> None:
    run = junit(
        tmp_path / "run.xml",
        test_errors=0.4,
        drill__test_drill=2.25,
        drill__report__test_html=1,
        e2e__test_demo=1000.6,
    )

    assert list(table([Timings.read(run)])) == [
        "| Folder | Tests | Seconds |",
        "|---|--:|--:|",
        "| `e2e` | 1 | 1,001 |",
        "| `drill` | 2 | 3 |",
        "| `(top)` | 1 | 0 |",
        "| **all** | 4 | 1,004 |",
    ]


def test_two_runs_stand_side_by_side_also_where_a_folder_is_only_in_one(tmp_path: Path) -> None:
    before = junit(tmp_path / "before.xml", backup__test_night=50, drill__test_drill=20)
    after = junit(tmp_path / "after.xml", night__test_night=30, drill__test_drill=10)

    assert list(table([Timings.read(before), Timings.read(after)])) == [
        "| Folder | Tests | Seconds before | Seconds after |",
        "|---|--:|--:|--:|",
        "| `night` | 1 | 0 | 30 |",
        "| `drill` | 1 | 20 | 10 |",
        "| `backup` | 0 | 50 | 0 |",
        "| **all** | 2 | 70 | 40 |",
    ]


def test_it_runs_as_a_program_and_knows_the_folders_then_too(tmp_path: Path) -> None:
    run = junit(tmp_path / "run.xml", drill__test_drill=2.25)
    done = subprocess.run(
        [sys.executable, "-m", "hackorda_ops_tests.timings", run],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "| `drill` | 1 | 2 |" in done.stdout
