"""The definitions as a part of somebody else's: a prefix before every name, and nothing of theirs touched."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterInstance

from hackorda_ops.component import build_defs as embedded
from hackorda_ops.config import file as config_file
from hackorda_ops.config.models import Config
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.names import called, for_all, key, prefixed
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops_tests.e2e.teams import in_one_file
from hackorda_ops_tests.orchestration.protected import CodeLocation, checks


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The four teams: every kind of asset, job, schedule and sensor is among theirs."""
    return config_file.load(in_one_file(tmp_path_factory.mktemp("teams")))


def names(definitions: dg.Definitions) -> Iterator[tuple[str, str]]:
    """What every asset, check, job, schedule and sensor is called."""
    graph = definitions.resolve_asset_graph()
    yield from (("asset", each.to_user_string()) for each in graph.get_all_asset_keys())
    yield from (("check", each.to_user_string()) for each in graph.asset_check_keys)
    yield from (
        ("job", each.name) for each in definitions.resolve_all_job_defs() if "ASSET_JOB" not in each.name
    )
    yield from (("schedule", each.name) for each in definitions.schedules or ())
    yield from (("sensor", each.name) for each in definitions.sensors or ())


def test_a_prefix_stands_before_every_name_and_changes_nothing_else(config: Config) -> None:
    own, theirs = set(names(build_defs(config))), set(names(build_defs(config, prefix="ops")))

    assert not any("housekeeping" in name or "old_runs" in name for _, name in theirs)
    expected = {
        (kind, f"ops/{name}" if kind in {"asset", "check"} else f"ops_{name}")
        for kind, name in own
        if "housekeeping" not in name and "old_runs" not in name
    }
    assert {(kind, name.replace("check:", "")) for kind, name in theirs} == {
        (kind, name.replace("check:", "")) for kind, name in expected
    }


def test_it_goes_with_others_that_have_an_executor_and_the_same_names_of_their_own(config: Config) -> None:
    @dg.asset(key=["hackorda", "nightly_dump"])
    def theirs() -> None:
        pass

    @dg.job(name="hackorda_night")
    def job() -> None:
        pass

    others = dg.Definitions(assets=[theirs], jobs=[job], executor=dg.multiprocess_executor)

    merged = dg.Definitions.merge(others, embedded(config, prefix="ops"))

    dg.Definitions.validate_loadable(merged)
    assert merged.executor is dg.multiprocess_executor
    ours = [each for each in merged.resolve_all_job_defs() if each.name.startswith("ops_")]
    assert {each.executor_def.name for each in ours} == {dg.in_process_executor.name}


def test_two_of_them_go_into_one_location(config: Config) -> None:
    both = dg.Definitions.merge(embedded(config, prefix="one"), _without_resources(config, "two"))

    dg.Definitions.validate_loadable(both)


def _without_resources(config: Config, prefix: str) -> dg.Definitions:
    made = embedded(config, prefix=prefix)
    return dg.Definitions(
        assets=made.assets,
        asset_checks=made.asset_checks,
        jobs=made.jobs,
        schedules=made.schedules,
        sensors=made.sensors,
    )


@pytest.mark.parametrize("prefix", ["with-dash", "a/b", "a b", "é"])
def test_a_prefix_that_dagster_would_not_take_is_refused(config: Config, prefix: str) -> None:
    with pytest.raises(ValueError, match="letters, digits and underscores"):
        embedded(config, prefix=prefix)


def test_a_name_in_dagster_is_plain_text_whatever_it_was_made_of(config: Config) -> None:
    [name, *_] = prefixed(config, "ops").databases
    made: list[Any] = [called(name, "night"), for_all(name, "sweep"), *key(name, "source").path]

    assert made == [f"ops_{name}_night", "ops_sweep", "ops", str(name), "source"]
    assert {type(each) for each in made} == {str}


@pytest.fixture
def definitions(protected: CodeLocation) -> dg.Definitions:
    """The shop's, below a prefix, beside a job of others."""

    @dg.op
    def fail() -> None:
        raise dg.Failure("theirs")

    @dg.job(name="theirs")
    def theirs() -> None:
        fail()

    ours = build_defs(protected.config, prefix="ops", resource_overrides={ENVIRON: protected.environ})
    return dg.Definitions.merge(ours, dg.Definitions(jobs=[theirs]))


@pytest.mark.server
def test_nights_copies_drills_and_alarms_work_below_a_prefix(
    protected: CodeLocation, definitions: dg.Definitions, instance: DagsterInstance
) -> None:
    def run(job: str, partition: str | None) -> dg.ExecuteInProcessResult:
        return definitions.resolve_job_def(job).execute_in_process(
            instance=instance, partition_key=partition, raise_on_error=False
        )

    def look(sensor: str) -> Any:
        made = definitions.resolve_sensor_def(sensor)
        context = dg.build_sensor_context(
            instance=instance,
            definitions=definitions,
            sensor_name=sensor,
            resources={ENVIRON: protected.environ},
        )
        return made.evaluate_tick(context)

    night = run("ops_shop_night", str(protected.tonight))
    week = run("ops_shop_week", str(protected.this_week))
    assert night.success
    assert week.success
    assert all(each.passed for each in checks(night).values())

    # The store knows nothing of the prefix: the commands find the same artifact.
    assert len(protected.artifacts()) == 1
    graph = definitions.resolve_asset_graph()
    assert set(instance.all_asset_keys()) <= set(graph.get_all_asset_keys())
    assert {tuple(each.path[:2]) for each in instance.all_asset_keys()} == {("ops", "shop")}

    assert not run("theirs", None).success
    protected.execute("DELETE FROM users")
    assert not run("ops_shop_night", str(protected.tonight)).success
    told = look("ops_raise_alarms").skip_message or ""
    assert "shop" in told
    assert "theirs" not in told
    assert not look("ops_drill_changed_schemas").run_requests
