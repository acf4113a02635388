"""Dagster's own scheduler and sensors over the product's definitions, at any time that a test likes.

Real storage, by the product's dagster.yaml, and the daemon's own code. Only the clock is the test's, and runs
end as the test says: they are never executed.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from unittest import mock

import dagster as dg
import yaml
from dagster import AssetKey, DagsterInstance, DagsterRun, DagsterRunStatus, MetadataValue
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.remote_representation.external import RemoteRepository
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._scheduler.scheduler import launch_scheduled_runs

import hackorda_ops
from hackorda_ops.calendar.due import DueKind
from hackorda_ops.config.file import CONFIG_VARIABLE
from hackorda_ops.local.example import example_file
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.schedules import schedule_name

NAME = "shop"
_ASSETS: dict[DueKind, str] = {
    "night": "nightly_dump",
    "week": "offsite_copy",
    "quarter": "restore_drill",
    "year": "recovery_exercise",
}
_SCHEDULES = {schedule_name(kind, NAME) for kind in _ASSETS}
_LOGGER = logging.getLogger("simulated")


@dataclass(frozen=True)
class Simulated:
    """A daemon that a test runs, look by look.

    Attributes:
        instance: its Dagster.
        workspace: what it has loaded.
    """

    instance: DagsterInstance
    workspace: WorkspaceProcessContext

    def look(self, now: datetime) -> list[str]:
        """What the schedules and the sensors start, asked once at a time: "night 2028-10-02", in order."""
        before = {run.run_id for run in self.instance.get_runs()}
        with self.at(now):
            list(launch_scheduled_runs(self.workspace, _LOGGER, now, iteration_times={}))
            list(execute_sensor_iteration(self.workspace, _LOGGER, None, None))
        started = [run for run in self.instance.get_runs() if run.run_id not in before]
        return [self.name_of(run) for run in reversed(started)]

    @contextmanager
    def at(self, now: datetime) -> Iterator[None]:
        """Makes it that time."""
        with freeze_time(now), mock.patch.object(clock, "now", return_value=now):
            yield

    def name_of(self, run: DagsterRun) -> str:
        """A run as tests write it: "night 2028-10-02"."""
        by_hand = {asset.path[-1] for asset in run.asset_selection or ()}
        [kind] = [
            kind for kind, asset in _ASSETS.items() if asset in by_hand or run.job_name == f"{NAME}_{kind}"
        ]
        return f"{kind} {run.tags['dagster/partition']}"

    def end(self, name: str, now: datetime, *, metadata: Mapping[str, str] | None = None) -> None:
        """Ends a run as a success, which materializes its partition."""
        run = self._running(name)
        self.materialize(name, now, metadata=metadata)
        with self.at(now):
            success = DagsterEvent(DagsterEventType.RUN_SUCCESS.value, run.job_name)
            self.instance.report_dagster_event(success, run.run_id)

    def materialize(self, name: str, now: datetime, *, metadata: Mapping[str, str] | None = None) -> None:
        """Materializes a partition."""
        kind, _, partition = name.partition(" ")
        event = dg.AssetMaterialization(
            AssetKey([NAME, _ASSETS[kind]]),
            partition=partition,
            metadata={label: MetadataValue.text(text) for label, text in (metadata or {}).items()},
        )
        with self.at(now):
            self.instance.report_runless_asset_event(event)

    def fail(self, name: str, now: datetime) -> None:
        """Ends a run as a failure."""
        with self.at(now):
            self.instance.report_run_failed(self._running(name))

    def start_by_hand(self, name: str, now: datetime) -> None:
        """Starts a partition as the UI's button does: not as the schedule's job."""
        kind, _, partition = name.partition(" ")
        with self.at(now):
            self.instance.add_run(
                DagsterRun(
                    "__ASSET_JOB",
                    run_id=f"by hand {name}",
                    status=DagsterRunStatus.STARTED,
                    tags={"dagster/partition": partition},
                    asset_selection=frozenset({AssetKey([NAME, _ASSETS[kind]])}),
                )
            )

    def switch_off(self, name: str, now: datetime) -> None:
        """Stops a schedule or a sensor as the UI's switch does."""
        with self.at(now):
            _switch_off(lambda each: each == name, self.instance, self.workspace)

    def switch_on(self, name: str, now: datetime) -> None:
        """Starts a schedule as the UI's switch does."""
        with self.at(now):
            for repository in _repositories(self.workspace):
                for schedule in repository.get_schedules():
                    if schedule.name == name:
                        self.instance.start_schedule(schedule)

    def _running(self, name: str) -> DagsterRun:
        [run] = [run for run in self.instance.get_runs() if not run.is_finished and self.name_of(run) == name]
        return run


@contextmanager
def simulated(
    home: Path,
    settings: Mapping[str, object],
    *,
    sensor: str,
    storage: Mapping[str, str] | None = None,
) -> Iterator[Simulated]:
    """A daemon that has never looked, over one database.

    Args:
        home: for $DAGSTER_HOME.
        settings: of the database, as databases.yaml has them.
        sensor: the one that is on, beside the schedules of the database.
        storage: the DAGSTER_PG_… variables of an empty database; None for files, which are quicker.
    """
    home.mkdir()
    dagster_yaml = yaml.safe_load(example_file("dagster.yaml").read_text())
    if storage is None:
        del dagster_yaml["storage"]
    (home / "dagster.yaml").write_text(yaml.safe_dump(dagster_yaml))
    config = home / "databases.yaml"
    config.write_text(yaml.safe_dump({"databases": {NAME: dict(settings)}}))
    target = LoadableTargetOrigin(
        executable_path=sys.executable,
        python_file=str(Path(hackorda_ops.__file__).with_name("definitions.py")),
        working_directory=str(home),
    )
    environ = {**(storage or {}), "DAGSTER_HOME": str(home), CONFIG_VARIABLE: str(config)}
    with (
        mock.patch.dict(os.environ, environ),
        DagsterInstance.from_config(str(home)) as instance,
        create_test_daemon_workspace_context(
            InProcessWorkspaceLoadTarget(InProcessCodeLocationOrigin(target)), instance
        ) as workspace,
    ):
        # The others look into stores, or at servers, which aren't there.
        _switch_off(lambda each: each not in _SCHEDULES | {sensor}, instance, workspace)
        yield Simulated(instance, workspace)


def _switch_off(
    which: Callable[[str], bool], instance: DagsterInstance, workspace: WorkspaceProcessContext
) -> None:
    for repository in _repositories(workspace):
        for sensor in repository.get_sensors():
            if which(sensor.name):
                instance.stop_sensor(sensor.get_remote_origin_id(), sensor.selector_id, sensor)
        for schedule in repository.get_schedules():
            if which(schedule.name):
                instance.stop_schedule(schedule.get_remote_origin_id(), schedule.selector_id, schedule)


def _repositories(workspace: WorkspaceProcessContext) -> Iterable[RemoteRepository]:
    [entry] = workspace.create_request_context().get_code_location_entries().values()
    assert entry.code_location, entry.load_error
    return entry.code_location.get_repositories().values()
