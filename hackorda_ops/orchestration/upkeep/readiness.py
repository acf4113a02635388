"""When readiness is assessed: every day, after each drill, and for the metrics every few minutes."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import dagster as dg

from hackorda_ops.config.models import Config
from hackorda_ops.environment import Protected
from hackorda_ops.errors import Stalled
from hackorda_ops.in_time import within
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration import instance as known
from hackorda_ops.orchestration.assets import DRILL_REPORT
from hackorda_ops.orchestration.assets.readiness import readiness, readiness_key
from hackorda_ops.orchestration.jobs import AssetJob, of_assets
from hackorda_ops.orchestration.labels import KIND
from hackorda_ops.orchestration.names import for_all, key
from hackorda_ops.orchestration.schedules import without_catching_up
from hackorda_ops.readiness.metrics import write_metrics
from hackorda_ops.readiness.standing import Standing, read_standing, unread

_METRICS_EVERY_SECONDS: Final = 300
# A database whose store doesn't answer must not make the others late: Dagster gives a tick a minute.
_READERS: Final = 8
_READING_SECONDS: Final = 40.0


def of_all(config: Config) -> dg.Definitions:
    """The asset of all databases, and what refreshes it."""
    job = of_assets(
        dg.AssetSelection.assets(readiness_key(config)),
        name=for_all(config, "all_readiness"),
        tags={KIND: "readiness"},
        description="Checks how ready every database is, and writes the page.",
    )
    every_day = without_catching_up(
        job,
        "0 9 * * *",
        name=for_all(config, "assess_readiness_every_day"),
        description="Checks how ready every database is, even if nothing has run.",
    )
    sensors = [_after_drills(config, job)]
    if config.metrics_file is not None:
        sensors.append(_metrics(config, config.metrics_file))
    return dg.Definitions(assets=[readiness(config)], jobs=[job], schedules=[every_day], sensors=sensors)


def _after_drills(config: Config, job: AssetJob) -> dg.SensorDefinition:
    reports = [key(name, DRILL_REPORT) for name in config.databases]

    @dg.sensor(
        name=for_all(config, "assess_readiness_after_drills"),
        job=job,
        description="Checks how ready every database is after each drill, whatever its verdict.",
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def look(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        instance = context.instance
        written = [event for each in reports if (event := instance.get_latest_materialization_event(each))]
        newest = max(written, key=lambda event: event.timestamp, default=None)
        if newest is None:
            return dg.SkipReason("Nothing was drilled yet.")
        # One look is at all databases, so it is asked for once however many drills have ended since. The key itself
        # is the cursor, and survives a change of this sensor's name.
        run_key = f"{newest.run_id} {newest.timestamp}"
        if known.requested(instance, run_key):
            return dg.SkipReason("It was checked after the newest drill.")
        return dg.RunRequest(run_key=run_key)

    return look


def _metrics(config: Config, path: Path) -> dg.SensorDefinition:
    @dg.sensor(
        name=for_all(config, "write_metrics"),
        description=f"Writes metrics of every database to {path}, for Prometheus.",
        minimum_interval_seconds=_METRICS_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def write(
        _context: dg.SensorEvaluationContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> dg.SkipReason:
        now = clock.now()
        ends = time.monotonic() + _READING_SECONDS

        def one(name: str) -> Standing:
            def read() -> Standing:
                protected = Protected(name, config.databases[name], environ)
                return read_standing(protected, now=now, counting=True)

            try:
                return within(max(ends - time.monotonic(), 0), f"Reading the state of {name}", read)
            except Stalled as error:
                return unread(name, now, error.what)

        with ThreadPoolExecutor(_READERS) as readers:
            standings = list(readers.map(one, config.databases))
        write_metrics(path, standings, config.databases, now)
        return dg.SkipReason(f"The metrics of {len(standings)} database(s) are written; this starts no run.")

    return write
