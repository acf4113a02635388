"""`recovery_exercise` and the history checks, run for real by Dagster on the local control plane."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetCheckSeverity,
    AssetKey,
    DagsterInstance,
    ExecuteInProcessResult,
    MarkdownMetadataValue,
)

from hackorda_ops.calendar.partitions import year_of
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.local.neon import LocalNeon, running_local_neon
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.neon.branches import list_own_branches
from hackorda_ops.neon.client import open_client
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops_tests.orchestration.protected import CodeLocation, checks

pytestmark = pytest.mark.server

EXERCISE = AssetKey(["shop", "recovery_exercise"])


@pytest.fixture(scope="module")
def neon(postgres_server: PostgresServer, server_folder: Path) -> Iterator[LocalNeon]:
    with running_local_neon(postgres_server, server_folder / "neon-exercise") as neon:
        yield neon


@pytest.fixture
def on_neon(protected: CodeLocation, neon: LocalNeon) -> Iterator[CodeLocation]:
    yield replace(
        _with(protected, {"scratch": {"neon": {}}, "dump_from": "source"}),
        environ={
            **protected.environ,
            "PATH": "/usr/bin:/bin",
            "NEON_PROJECT_ID": neon.project_id,
            "NEON_API_KEY": neon.api_key,
            "NEON_API_URL": neon.base_url,
        },
    )
    with open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client:
        assert list_own_branches(client) == ()


def _with(protected: CodeLocation, settings: Mapping[str, Any]) -> CodeLocation:
    shop = {**dict(protected.config.databases["shop"]), **settings}
    shop["dump"] = {"work_folder": str(protected.store.parent / "work")}
    return replace(protected, config=Config(databases={"shop": Policy.model_validate(shop)}))


def _this_year(protected: CodeLocation) -> date:
    return year_of(protected.tonight)


def _told(result: ExecuteInProcessResult) -> str:
    [failure] = result.get_step_failure_events()
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    return str(data.metadata["what"].value)


def test_an_exercise_materializes_its_year_with_the_report(
    on_neon: CodeLocation, instance: DagsterInstance
) -> None:
    year = _this_year(on_neon)

    result = on_neon.run("shop_year", year, instance)

    assert result.success
    found = checks(result)
    assert {name: each.passed for name, each in found.items()} == dict.fromkeys(
        (
            "destroyed",
            "recovered_exactly",
            "recovery_point_kept",
            "within_recovery_time_objective",
            "branches_gone",
        ),
        True,
    )
    assert {each.partition for each in found.values()} == {str(year)}
    [record] = instance.fetch_materializations(EXERCISE, limit=2).records
    assert record.asset_materialization is not None
    assert record.asset_materialization.partition == str(year)
    report = record.asset_materialization.metadata["report"]
    assert isinstance(report, MarkdownMetadataValue)
    assert str(report.value).startswith(f"# PASS: recovery exercise {year.year}-Q")
    [stored] = on_neon.store.glob(f"shop/exercises/*/{year.year}-Q?-dr-test.md")
    assert stored.read_text() == report.value


def test_an_exercise_that_takes_too_long_fails_and_leaves_its_year_open(
    on_neon: CodeLocation, instance: DagsterInstance
) -> None:
    late = _with(on_neon, {"objectives": {"recovery_time_minutes": 0.000001}})

    result = late.run("shop_year", _this_year(late), instance)

    assert not result.success
    failed = [name for name, each in checks(result).items() if not each.passed]
    assert failed == ["within_recovery_time_objective"]
    assert "within_recovery_time_objective: The recovered branch answered after" in _told(result)
    assert not instance.get_materialized_partitions(EXERCISE)


def test_the_history_is_checked_with_nothing_of_that_time_as_a_warning(
    on_neon: CodeLocation, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Here no night is old enough to lie near the far end.
    monkeypatch.setattr("hackorda_ops.exercise.history_check._FAR_SHARE", 0)
    before = on_neon.run("history", None, instance)
    assert on_neon.run("shop_night", on_neon.tonight, instance).success
    after = on_neon.run("history", None, instance)

    for result in (before, after):
        assert result.success
        assert {each.asset_key for each in checks(result).values()} == {
            AssetKey(["shop", "provider_history"])
        }
        assert checks(result)["history_window_long_enough"].passed
    unmeasured = checks(before)["history_holds_the_past"]
    assert (unmeasured.passed, unmeasured.severity) == (False, AssetCheckSeverity.WARN)
    assert checks(after)["history_holds_the_past"].passed


def test_a_window_shorter_than_the_policy_fails_the_check_and_the_run(
    on_neon: CodeLocation, instance: DagsterInstance
) -> None:
    result = _with(on_neon, {"objectives": {"history_days": 30}}).run("history", None, instance)

    assert not result.success
    found = checks(result)["history_window_long_enough"]
    assert (found.passed, found.severity) == (False, AssetCheckSeverity.ERROR)
    assert "7 d" in _told(result)


def test_a_database_that_is_drilled_on_a_plain_server_has_neither() -> None:
    database = Policy.model_validate({"scratch": {"server": {}}})

    definitions = build_defs(Config(databases={"shop": database}))

    keys = definitions.resolve_asset_graph().get_all_asset_keys()
    assert not keys & {EXERCISE, AssetKey(["shop", "provider_history"])}
    names = {schedule.name for schedule in definitions.get_repository_def().schedule_defs}
    assert {"shop_dump_every_night", "shop_copy_every_week", "shop_drill_every_quarter"} < names
    assert not names & {"shop_exercise_every_year", "check_histories_every_week"}
