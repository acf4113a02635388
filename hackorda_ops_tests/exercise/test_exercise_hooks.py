"""The team's hooks in an exercise: run on the recovered branch, never taken for production's, counted into its time."""

import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.exercise import application, history
from hackorda_ops.exercise.history import read_exercise
from hackorda_ops.exercise.notes import Notes
from hackorda_ops.exercise.report import document, hold_exercise
from hackorda_ops.hooks.hooks import HookOutcome, HookRun
from hackorda_ops_tests.drill.fixtures import Shipped
from hackorda_ops_tests.readiness.kept import exercise_result

NOW = datetime(2026, 3, 25, 9, tzinfo=UTC)
# Fails where it would be production's, and where what was destroyed is not back.
VERIFY = (
    "import os, psycopg\n"
    "assert os.environ['HACKORDA_OPS_STAGE'] == 'exercise'\n"
    "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
    "    [(rows,)] = connection.execute('SELECT count(*) FROM users').fetchall()\n"
    "    connection.execute('CREATE TABLE written_by_a_hook ()')\n"
    "raise SystemExit(0 if rows else 'no users')"
)


def _python(program: str) -> str:
    return shlex.join([sys.executable, "-c", program])


@pytest.mark.server
def test_an_exercise_runs_the_hooks_on_its_branch_and_files_the_report_with_the_team(
    branching: Shipped, tmp_path: Path
) -> None:
    (tmp_path / "postmortems").mkdir()
    deploy = f"import os; open({str(tmp_path / 'deployed')!r}, 'w').write(os.environ['DEPLOY_ENV'])"
    protected = branching.changed(
        key_tables=["users", "test_cycles"],
        recover={"hooks": {"deploy": _python(deploy), "verify": _python(VERIFY)}},
        exercise={
            "run_hooks": True,
            "environment": {"DEPLOY_ENV": "dr-test", "HACKORDA_OPS_STAGE": "production"},
            "report_folder": str(tmp_path / "postmortems"),
        },
    )

    held = hold_exercise(protected)

    result = held.result
    assert (result.verdict, result.error) == ("PASS", None)
    assert [(run.name, run.outcome) for run in result.hooks] == [
        ("deploy", "succeeded"),
        ("verify", "succeeded"),
    ]
    assert (tmp_path / "deployed").read_text() == "dr-test"
    assert result.recovery_seconds is not None
    assert result.answered_seconds is not None
    hooks_seconds = sum(run.seconds for run in result.hooks)
    assert result.recovery_seconds == pytest.approx(result.answered_seconds + hooks_seconds, abs=0.01)
    assert not any("the application" in line for line in result.not_compared)
    filed = tmp_path / "postmortems" / result.report_name
    assert filed.read_text() == held.report
    assert str(filed) in held.places
    assert "## Hooks" in held.report
    assert "to the success of verify, without the comparison in between" in held.report
    assert read_exercise(protected.offsite, "hackorda", result.exercise_id) == result


def _run(outcome: HookOutcome, seconds: float) -> HookRun:
    return HookRun(
        "verify", "verify", NOW, seconds, outcome, "" if outcome == "succeeded" else "return code 1"
    )


@pytest.mark.parametrize(
    ("runs", "minutes", "outcome", "said"),
    [
        ((), 1, "passed", "The recovered branch answered after 30.0 s"),
        (
            (_run("succeeded", 20),),
            1,
            "passed",
            "verify succeeded after 50.0 s (the branch answered after 30.0 s)",
        ),
        ((_run("succeeded", 40),), 1, "failed", "verify succeeded after 70.0 s"),
        ((_run("failed", 5),), 1, "failed", "The hook verify failed after 5.0 s"),
        ((_run("timed out", 5),), 99, "failed", "The hook verify timed out after 5.0 s"),
    ],
)
def test_the_recovery_time_ends_with_the_success_of_the_last_hook(
    runs: tuple[HookRun, ...], minutes: float, outcome: str, said: str
) -> None:
    notes = Notes(
        recovery_seconds=30 + sum(run.seconds for run in runs), answered_seconds=30, hooks=list(runs)
    )
    policy = Policy.model_validate({"objectives": {"recovery_time_minutes": minutes}})

    application.judge_time(notes, policy)

    [check] = notes.checks
    assert (check.name, check.outcome) == ("within_recovery_time_objective", outcome)
    assert check.summary.startswith(said)


def test_hooks_run_in_an_exercise_only_where_that_is_switched_on() -> None:
    hooks = {"hooks": {"verify": "./verify"}}
    assert not application.runs_hooks(Policy.model_validate({"recover": hooks}))
    assert not application.runs_hooks(Policy.model_validate({"exercise": {"run_hooks": True}}))
    assert application.runs_hooks(Policy.model_validate({"recover": hooks, "exercise": {"run_hooks": True}}))


def test_reports_are_named_by_their_quarter_and_those_of_earlier_releases_stay_what_they_were() -> None:
    past = exercise_result(NOW, "PASS")
    stored = history.to_bytes(past).replace(b' "quarter": "",\n', b"")
    assert past.report_name == "2026-Q1-dr-test.md"
    assert b"quarter" not in stored
    late = replace(past, quarter="2026-Q4")
    assert late.report_name == "2026-Q4-dr-test.md"
    assert document(late).startswith("# PASS: recovery exercise 2026-Q4 of hackorda")
