"""The retention job, for real: it deletes what the policy lets go, says why it keeps the rest, and fails clearly."""

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterInstance, ExecuteInProcessResult

from hackorda_ops.artifacts.manifest import Manifest, to_bytes
from hackorda_ops.artifacts.operations_log import read_log
from hackorda_ops.config.models import Config, Policy, Schedule
from hackorda_ops.config.retention import Retention
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.orchestration.protected import CodeLocation, log_lines
from hackorda_ops_tests.retention.places import artifact, dated_ahead, put_artifact

SHOP = Config(databases={"shop": Policy(schedule=Schedule(timezone="Asia/Almaty"))})


@pytest.fixture
def nights() -> list[Manifest]:
    """Forty of them, tonight's first."""
    now = datetime.now(UTC).replace(microsecond=0)
    return [artifact(age, now=now, database="shop") for age in range(40)]


def put_nights(store: FolderStore, nights: Iterable[Manifest]) -> None:
    """Stores artifacts as if that had been days ago: nothing goes that was written within the last day."""
    written = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    for made in nights:
        put_artifact(store, made)
        for path in (store.root / made.prefix).rglob("*"):
            os.utime(path, (written, written))


@pytest.fixture
def full(protected: CodeLocation, nights: list[Manifest]) -> CodeLocation:
    """A store with forty nights, and a policy that keeps seven of them."""
    store = FolderStore(protected.store)
    store.check()
    put_nights(store, nights)
    retention = Retention.model_validate({"store": {"nights": 7, "weeks": 0, "months": 0, "years": 0}})
    database = protected.config.databases["shop"].model_copy(update={"retention": retention})
    return replace(protected, config=Config(databases={"shop": database}))


def metadata_of(result: ExecuteInProcessResult) -> dict[str, Any]:
    """What a run shows of itself."""
    [output] = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    return {name: value.value for name, value in output.step_output_data.metadata.items()}


def size_in_the_store(made: Manifest) -> int:
    """Its files and its manifest."""
    return made.size_bytes + len(to_bytes(made))


@pytest.mark.server
def test_a_run_deletes_what_the_policy_lets_go_and_tells_of_all(
    full: CodeLocation, nights: list[Manifest], instance: DagsterInstance
) -> None:
    result = full.run("shop_retention", None, instance)

    assert result.success
    shown = metadata_of(result)
    assert full.artifacts() == sorted(each.artifact_id for each in nights[:7])
    assert (shown["kept"], shown["deleted"]) == (7, 33)
    assert shown["bytes freed"] == sum(size_in_the_store(each) for each in nights[7:])
    assert nights[39].artifact_id in str(shown["what was deleted"])
    lines = list(log_lines(instance, result))
    assert any(line.startswith(f"To be deleted: {nights[39].artifact_id} (store, night ") for line in lines)
    assert any(line.startswith("Kept: ") for line in lines)
    [event] = read_log(FolderStore(full.store), "shop")
    assert (event.kind, event.outcome) == ("delete", "success")


@pytest.mark.server
def test_what_is_dated_after_now_takes_no_nights_place_is_kept_and_told(
    full: CodeLocation, nights: list[Manifest], instance: DagsterInstance
) -> None:
    ahead = [dated_ahead(nights[0], days) for days in (1, 30)]
    put_nights(FolderStore(full.store), ahead)

    result = full.run("shop_retention", None, instance)

    assert result.success
    shown = metadata_of(result)
    assert full.artifacts() == sorted(each.artifact_id for each in (*nights[:7], *ahead))
    assert (shown["kept"], shown["deleted"]) == (7, 33)
    lines = list(log_lines(instance, result))
    for each in ahead:
        assert any(f"Kept, because it is dated in the future: {each.prefix}" in line for line in lines)


@pytest.mark.server
def test_a_place_that_can_not_be_read_fails_the_run_with_what_to_do(
    full: CodeLocation, instance: DagsterInstance
) -> None:
    result = full.run("shop_retention", None, instance, OFFSITE_BUCKET="no-such-bucket")

    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    told = failure.step_failure_data.user_failure_data
    assert told is not None
    assert "NoSuchBucket" in str(told.description)
    assert len(full.artifacts()) == 40


def test_it_runs_every_week_after_the_drill_and_never_beside_a_copy() -> None:
    definitions = build_defs(SHOP)

    schedule = definitions.resolve_schedule_def("shop_prune_every_week")
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 7 * * 0", "Asia/Almaty")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    [step] = definitions.resolve_job_def("shop_retention").nodes
    assert step.definition.pools == {"shop_offsite"}


def test_without_any_policy_there_is_nothing_that_deletes() -> None:
    shop = Policy.model_validate({"retention": {"store": None}})

    definitions = build_defs(Config(databases={"shop": shop}))

    assert "shop_retention" not in {job.name for job in definitions.resolve_all_job_defs()}
