"""`hackorda-ops status`, as an operator runs it: a process, its exit code, what it prints and writes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hackorda_ops_tests.html_page import HtmlPage
from hackorda_ops_tests.readiness.kept import Kept

PROGRAM = Path(sys.executable).with_name("hackorda-ops")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(kept: Kept, tmp_path: Path) -> Run:
    policy = kept.policy.model_dump(mode="json", include={"store", "offsite", "scratch"})
    config = tmp_path / "databases.yaml"
    config.write_text(json.dumps({"databases": {"hackorda": policy}}), encoding="utf-8")

    def runs(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, "status", *arguments],
            env={"PATH": os.environ["PATH"], **kept.environ, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return runs


def test_a_database_in_order_ends_with_0_and_writes_a_private_page_and_public_metrics(
    kept: Kept, run: Run, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    night = kept.night(now - timedelta(hours=1))
    kept.copy(night)
    kept.drill(night, now - timedelta(minutes=30))
    page, metrics = tmp_path / "page.html", tmp_path / "hackorda_ops.prom"
    page.write_text("older", encoding="utf-8")

    done = run("--html", str(page), "--metrics", str(metrics))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "hackorda: The last proven restore point is from " in done.stdout
    assert page.stat().st_mode & 0o777 == 0o600
    assert HtmlPage(page.read_text(encoding="utf-8")).texts("title")[0] == "OK: readiness of 1 database"
    ready = [
        sample.value
        for family in text_string_to_metric_families(metrics.read_text(encoding="utf-8"))
        for sample in family.samples
        if sample.name == "hackorda_ops_ready"
    ]
    assert ready == [1]
    for secret in (kept.environ["OFFSITE_ACCESS_KEY_ID"], kept.environ["OFFSITE_SECRET_ACCESS_KEY"]):
        assert secret not in done.stdout + done.stderr + page.read_text(encoding="utf-8")


def test_what_is_not_in_order_ends_with_1_and_tells_scripts_why(kept: Kept, run: Run) -> None:
    done = run("--json")
    assert done.returncode == 1, done.stderr
    [ready] = json.loads(done.stdout)
    assert ready["database"] == "hackorda"
    assert ready["judgement"]["word"] == "UNPROTECTED"
    assert ready["judgement"]["reasons"][0] == "No night has ever been taken: there is no backup of it."
    assert ready["standing"]["overdue"][0]["kind"] == "night"
    assert ready["costs"][0]["stored"]["bytes_by_class"] == {}


def test_what_nobody_can_tell_ends_with_3(kept: Kept, run: Run) -> None:
    done = run(OFFSITE_SECRET_ACCESS_KEY="")
    assert done.returncode == 3, done.stderr
    assert "UNKNOWN" in done.stdout
    assert "The off-site bucket can't be read: " in done.stdout


def test_a_page_that_cannot_be_written_is_an_error_of_its_own(run: Run) -> None:
    done = run("--html", "/nowhere/page.html")
    assert done.returncode == 3
    assert "Could not write the page /nowhere/page.html" in done.stderr
