"""Whole recovery exercises on the local control plane: real branches, real branches of branches."""

import signal
import subprocess
import sys
import textwrap
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest
import yaml

from hackorda_ops.artifacts.manifest import digest_of
from hackorda_ops.artifacts.operations_log import read_log
from hackorda_ops.calendar.partitions import quarter_name, quarter_of
from hackorda_ops.errors import ConfigError, NeonUnavailable, OpsError, Problem, UsageError
from hackorda_ops.exercise import exercise as exercises
from hackorda_ops.exercise import history
from hackorda_ops.exercise.checks import complete, judge
from hackorda_ops.exercise.destroy import destroy, make_marker
from hackorda_ops.exercise.exercise import run_exercise
from hackorda_ops.exercise.history import read_exercise
from hackorda_ops.exercise.report import document, hold_exercise
from hackorda_ops.exercise.result import ExerciseResult
from hackorda_ops.exercise.state import read_state, to_destroy
from hackorda_ops.histories.neon.history import NeonHistory
from hackorda_ops.history.points import AtHead, AtTime
from hackorda_ops.local.neon import LocalNeon
from hackorda_ops.local.neon.faults import Fault, ProjectPlan
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.neon import own_branch
from hackorda_ops.neon.own_branch import OwnBranch, opened
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops.progress import ignore
from hackorda_ops.proof.check import Check
from hackorda_ops.scratch.sweep import sweep
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.drill.branched_sources import subscribed
from hackorda_ops_tests.drill.fixtures import Shipped, own_branches
from hackorda_ops_tests.readiness.kept import exercise_result

NEEDS_A_SERVER = pytest.mark.server
DEADLINE_SECONDS = 600
ROWS = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM test_cycles)"


def _held(protected: Shipped, **options: Any) -> ExerciseResult:
    return run_exercise(protected, **options)


def _outcomes(result: ExerciseResult) -> dict[str, str]:
    return {check.name: check.outcome for check in result.checks}


@NEEDS_A_SERVER
def test_what_was_destroyed_comes_back_exactly_and_the_report_says_how(branching: Shipped) -> None:
    protected = branching.changed(key_tables=["users", "test_cycles"])
    with psycopg.connect(protected.environ["DATABASE_URL"]) as connection:
        before = connection.execute(ROWS).fetchone()

    held = hold_exercise(protected)

    result = held.result
    assert (result.verdict, result.error) == ("PASS", None)
    assert set(_outcomes(result).values()) == {"passed"}
    assert result.recovery_seconds is not None
    assert result.lost_seconds is not None
    # Tables that refer to the dropped one lost a constraint, and those that refer to the truncated one their rows.
    assert any("constraint" in finding for finding in result.findings)
    quarter = quarter_name(quarter_of(result.started_at.date()))
    assert result.report_name == f"{quarter}-dr-test.md"
    for text in (
        "# PASS: recovery exercise",
        'DROP TABLE "public"."users" CASCADE;',
        'TRUNCATE "public"."test_cycles" CASCADE;',
        "parent_timestamp=",
        "on branches made for it, never on the source; none of them is left",
        "## Timeline",
    ):
        assert text in held.report
    key = f"hackorda/exercises/{result.exercise_id}/{result.report_name}"
    assert protected.offsite.read_small(key).decode() == held.report
    assert [place.endswith(key) for place in held.places] == [True, True]
    assert held.not_stored == ()
    assert read_exercise(protected.offsite, "hackorda", result.exercise_id) == result
    event = read_log(protected.offsite, "hackorda")[-1]
    assert (event.kind, event.outcome, event.subject) == ("exercise", "PASS", quarter)
    assert result.exercise_id in event.detail
    with psycopg.connect(protected.environ["DATABASE_URL"]) as connection:
        assert connection.execute(ROWS).fetchone() == before
        assert connection.execute("SELECT to_regnamespace('hackorda_ops_exercise')").fetchone() == (None,)


@NEEDS_A_SERVER
def test_a_recovery_to_after_the_destruction_fails_and_names_what_is_gone(
    branching: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(*arguments: Any, **options: Any) -> AbstractContextManager[OwnBranch]:
        if isinstance(options["point"], AtTime):
            options["point"] = AtHead()
        return opened(*arguments, **options)

    monkeypatch.setattr(own_branch, "opened", too_late)

    result = _held(branching.changed(key_tables=["users", "test_cycles"]))

    assert (result.verdict, result.error) == ("FAIL", None)
    assert _outcomes(result) == {
        "destroyed": "passed",
        "recovered_exactly": "failed",
        "recovery_point_kept": "passed",
        "within_recovery_time_objective": "passed",
        "branches_gone": "passed",
    }
    assert any(finding.startswith("public.users: had") for finding in result.findings)
    assert any(
        finding.startswith("public.test_cycles: had") and "has 0" in finding for finding in result.findings
    )
    assert "The schema is not as it was." in result.findings
    assert "# FAIL" in document(result)


@NEEDS_A_SERVER
def test_a_recovery_to_long_before_the_destruction_fails_for_the_lost_commit(
    branching: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_early(*arguments: Any, **options: Any) -> AbstractContextManager[OwnBranch]:
        if isinstance(options["point"], AtTime):
            options |= {"point": AtHead(), "parent_id": None}
        return opened(*arguments, **options)

    monkeypatch.setattr(own_branch, "opened", too_early)

    result = _held(branching)

    assert result.verdict == "FAIL"
    assert _outcomes(result)["recovery_point_kept"] == "failed"
    assert result.lost_seconds is None


@NEEDS_A_SERVER
def test_a_recovery_later_than_agreed_fails_and_a_branch_without_an_expiry_is_told(
    branching: Shipped, neon: LocalNeon
) -> None:
    neon.change_plan(ProjectPlan(takes_expiry=False))

    result = _held(branching.changed(objectives={"recovery_time_minutes": 0.000001}))

    assert result.verdict == "FAIL"
    assert _outcomes(result)["within_recovery_time_objective"] == "failed"
    assert _outcomes(result)["recovered_exactly"] == "passed"
    assert any(finding.startswith("Neon accepted no expiry for the branch") for finding in result.findings)


@NEEDS_A_SERVER
def test_a_recovery_that_neon_refuses_is_an_error_and_leaves_no_branch(
    branching: Shipped, neon: LocalNeon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: Any, **options: Any) -> AbstractContextManager[OwnBranch]:
        if isinstance(options["point"], AtTime):
            neon.misbehave(Fault("createProjectBranch", 422, code="BRANCHES_LIMIT_EXCEEDED"))
        return opened(*arguments, **options)

    monkeypatch.setattr(own_branch, "opened", refused)

    result = _held(branching)

    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "BRANCHES_LIMIT_EXCEEDED" in result.error.what
    assert _outcomes(result)["branches_gone"] == "passed"
    assert _outcomes(result)["recovered_exactly"] == "not reached"


@NEEDS_A_SERVER
def test_a_branch_whose_making_and_deletion_both_failed_is_named_and_no_pass(
    branching: Shipped, neon: LocalNeon
) -> None:
    neon.change_plan(ProjectPlan(operations_end_as={"start_compute": "failed"}))
    neon.misbehave(Fault("deleteProjectBranch", 403, times=2))

    result = _held(branching)

    [left] = own_branches(neon)
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "start_compute" in result.error.what
    [gone] = [each for each in result.checks if each.name == "branches_gone"]
    assert gone.outcome == "failed"
    assert left in gone.summary
    assert any(f"The branch {left} could not be deleted either" in each for each in result.findings)
    assert "not all of them are gone" in document(result)
    neon.change_plan(ProjectPlan())
    assert sweep(branching) == (left,)


@NEEDS_A_SERVER
def test_branches_that_nobody_could_look_for_are_not_said_to_be_gone(
    branching: Shipped, neon: LocalNeon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_list(*_: Any, **__: Any) -> None:
        raise NeonUnavailable("Neon is away.", meaning="Nobody knows.", next_step="Wait.")

    monkeypatch.setattr(NeonHistory, "still_there", no_list)
    neon.misbehave(Fault("createProjectBranch", 422, code="BRANCHES_LIMIT_EXCEEDED"))

    result = _held(branching)

    [gone] = [each for each in result.checks if each.name == "branches_gone"]
    assert (result.verdict, gone.outcome) == ("ERROR", "not measured")
    assert "Neon is away." in gone.summary
    assert "it's unknown whether one is left" in document(result)


@NEEDS_A_SERVER
def test_a_source_whose_branch_would_act_by_itself_is_not_exercised_unasked(branching: Shipped) -> None:
    with subscribed(branching.environ["DATABASE_URL"]):
        result = _held(branching)

    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "the source's subscriptions may connect to their publishers from it" in result.error.what
    assert "dump_from: branch" in result.error.next_step
    assert _outcomes(result)["branches_gone"] == "passed"
    assert not any(moment.what.startswith("Made") for moment in result.timeline)


@NEEDS_A_SERVER
def test_what_inherits_from_the_dropped_table_is_not_chosen_to_be_truncated(
    new_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(new_database, autocommit=True) as connection:
        for statement in (
            "CREATE TABLE places AS SELECT n AS id FROM generate_series(1, 30) n",
            "CREATE TABLE cities () INHERITS (places)",
            "CREATE TABLE capitals () INHERITS (cities)",
            "INSERT INTO cities SELECT n FROM generate_series(1, 20) n",
            "INSERT INTO capitals SELECT n FROM generate_series(1, 15) n",
            "CREATE TABLE people AS SELECT n AS id FROM generate_series(1, 5) n",
        ):
            connection.execute(statement.encode())
    target = parse(new_database, origin="test")
    monkeypatch.setattr("hackorda_ops.exercise.destroy._APART_SECONDS", 0)

    tables = to_destroy(read_state(target, jobs=1, on_progress=ignore), ())
    make_marker(target)
    destruction = destroy(target, tables)

    assert [table.name for table in tables] == ["places", "people"]
    assert destruction.left == ()
    assert any("capitals" in each for each in destruction.taken_along)


@NEEDS_A_SERVER
def test_a_table_that_stays_locked_ends_the_destruction(
    new_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = parse(new_database, origin="test")
    monkeypatch.setattr("hackorda_ops.exercise.destroy._APART_SECONDS", 0)
    monkeypatch.setattr("hackorda_ops.exercise.destroy._LOCK_TIMEOUT_SECONDS", 1)
    with psycopg.connect(new_database) as holder:
        holder.execute("CREATE TABLE held AS SELECT 1 AS id")
        holder.commit()
        make_marker(target)
        holder.execute("SELECT FROM held")
        with pytest.raises(OpsError, match="Destroying on the branch"):
            destroy(target, (TableName("public", "held"),))


@NEEDS_A_SERVER
def test_a_killed_exercise_leaves_branches_that_a_sweep_removes_children_first(
    branching: Shipped, neon: LocalNeon, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    config = tmp_path / "databases.yaml"
    config.write_text(yaml.safe_dump({"databases": {"hackorda": branching.written}}))
    # It reads the state twice: kill it when the recovered branch is being read.
    program = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from hackorda_ops.config import file as config_file
        from hackorda_ops.environment import Protected
        from hackorda_ops.exercise import exercise
        reads = []
        real = exercise.read_state
        def read(*arguments, **options):
            reads.append(1)
            if len(reads) == 2:
                print("recovered", flush=True)
                sys.stdin.read()
            return real(*arguments, **options)
        exercise.read_state = read
        database = config_file.load(Path(sys.argv[1])).databases["hackorda"]
        exercise.run_exercise(Protected("hackorda", database, os.environ))
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program, str(config)],
        env=dict(branching.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "recovered\n"
        process.send_signal(signal.SIGKILL)
        process.wait(DEADLINE_SECONDS)
    left = own_branches(neon)
    assert len(left) == 2
    _wait_for_its_sessions_to_end(postgres_server)

    removed = sweep(branching)

    assert set(removed) == set(left)
    assert own_branches(neon) == []


def _wait_for_its_sessions_to_end(server: PostgresServer) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for _ in range(DEADLINE_SECONDS * 10):
            living = "SELECT FROM pg_stat_activity WHERE application_name LIKE 'hackorda_ops%'"
            if connection.execute(living).fetchone() is None:
                return
            connection.execute("SELECT pg_sleep(0.1)")
    pytest.fail("the killed exercise still has a session")


@NEEDS_A_SERVER
def test_an_interrupted_exercise_takes_both_branches_down(
    branching: Shipped, neon: LocalNeon, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def interrupt(*_: Any) -> None:
        seen.extend(own_branches(neon))
        raise KeyboardInterrupt

    monkeypatch.setattr(exercises, "last_commit", interrupt)

    with pytest.raises(KeyboardInterrupt):
        _held(branching)
    assert len(seen) == 2
    assert own_branches(neon) == []


@NEEDS_A_SERVER
def test_a_missed_year_is_made_up_for_and_says_so_and_a_coming_one_is_refused(
    branching: Shipped,
) -> None:
    this_year = datetime.now(UTC).year

    with pytest.raises(UsageError, match="has not begun"):
        _held(branching, year=date(this_year + 2, 1, 1))
    late = _held(branching, year=date(this_year - 1, 1, 1))

    assert late.verdict == "PASS"
    assert late.report_name == f"{quarter_name(quarter_of(late.started_at.date()))}-dr-test.md"
    assert late.year == date(this_year - 1, 1, 1)
    assert f"Run late: it counts for {this_year - 1}, and shows how things are now." in late.findings


@NEEDS_A_SERVER
def test_a_scratch_server_has_no_history_to_go_back_in(protected: Shipped) -> None:
    with pytest.raises(ConfigError, match="needs a history"):
        hold_exercise(protected)


PASSED = tuple(replace(check, outcome="passed") for check in complete(()))
BROKEN = Problem("It broke.", "Nobody knows.", "Try again.")


def _with(name: str, outcome: Literal["failed", "not measured", "not reached"]) -> tuple[Check, ...]:
    return tuple(replace(check, outcome=outcome) if check.name == name else check for check in PASSED)


@pytest.mark.parametrize(
    ("checks", "error", "verdict"),
    [
        (PASSED, None, "PASS"),
        (PASSED, BROKEN, "ERROR"),
        (_with("recovered_exactly", "failed"), BROKEN, "FAIL"),
        (_with("recovery_point_kept", "failed"), None, "FAIL"),
        (_with("within_recovery_time_objective", "failed"), None, "FAIL"),
        (_with("destroyed", "failed"), None, "ERROR"),
        (_with("branches_gone", "failed"), None, "ERROR"),
        (_with("recovered_exactly", "not measured"), None, "ERROR"),
        (_with("recovered_exactly", "not reached"), None, "ERROR"),
        (complete(()), None, "ERROR"),
    ],
)
def test_only_what_was_measured_and_found_good_is_a_pass(
    checks: tuple[Check, ...], error: Problem | None, verdict: str
) -> None:
    assert judge(checks, error)[0] == verdict


def test_a_result_with_a_check_of_a_later_release_is_read(tmp_path: Path) -> None:
    plain = exercise_result(datetime(2026, 1, 4, 3, tzinfo=UTC), "PASS")
    later = replace(plain, checks=(*plain.checks, Check("replica_follows", "failed", "It does not follow.")))
    store, data = FolderStore(tmp_path), history.to_bytes(later)
    key = f"{history.exercise_prefix(later.database, later.exercise_id)}/{history.RESULT_NAME}"
    store.check()
    store.put(key, BytesIO(data), size_bytes=len(data), sha256=digest_of(data))

    assert read_exercise(store, later.database, later.exercise_id) == later
