"""What keeps the histories that somebody has to look after: base backups, and a watch over their reception.

Reception itself is a service of its own (`hackorda-ops history receive`): a run that never ends would take a slot of
the queue, and would end with every restart of Dagster.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import dagster as dg
from pydantic import TypeAdapter, ValidationError

from hackorda_ops.config.models import Config, Policy
from hackorda_ops.environment import Protected
from hackorda_ops.exercise.history_check import KEPT_WELL, check_kept
from hackorda_ops.histories.registry import base_backup_cron, keeper_of, kind_of
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.assets import BASE_BACKUP, PROVIDER_HISTORY
from hackorda_ops.orchestration.assets.history_base import base_backup
from hackorda_ops.orchestration.jobs import AssetJob, of_assets
from hackorda_ops.orchestration.labels import labels
from hackorda_ops.orchestration.names import called, for_all, key
from hackorda_ops.orchestration.schedules import without_catching_up
from hackorda_ops.orchestration.sensors.side_by_side import SideBySide, sentences

WATCH: Final = "watch_histories"
"""The name of the sensor."""
KEPT: Final = "history_kept"
"""What a look whether a history is kept is called: after the database's name, its job."""

_LOOK_EVERY_SECONDS: Final = 300


@dataclass(frozen=True)
class WatchedHistory:
    """What the watch remembers of a database.

    Attributes:
        bad: whether its history was not kept well when that was last reported.
        bad_on: the day of the last report.
        backed_up_on: the day when a base backup was last asked for.
    """

    bad: bool = False
    bad_on: str = ""
    backed_up_on: str = ""


@dataclass(frozen=True)
class HistorySeen:
    """What was seen of a database now.

    Attributes:
        well: whether its history is kept well.
        lacks_base_backup: whether nothing but a base backup is missing, and can be taken.
    """

    well: bool
    lacks_base_backup: bool


_CURSOR: Final = TypeAdapter(dict[str, WatchedHistory])


def of_all(config: Config) -> dg.Definitions:
    """The base backups that are taken here, and one sensor that watches every history that is looked after."""
    watched = {
        name: database
        for name, database in config.databases.items()
        if (kind := kind_of(database)) is not None and kind.traits.looked_after
    }
    if not watched:
        return dg.Definitions()
    own = {name: cron for name, database in watched.items() if (cron := base_backup_cron(database))}
    backups = {name: _base_backup_job(name) for name in own}
    looks = {name: _look_job(name) for name in watched}
    return dg.Definitions(
        assets=[base_backup(name, watched[name]) for name in own],
        jobs=[*backups.values(), *looks.values()],
        schedules=[
            without_catching_up(
                backups[name],
                cron,
                timezone=watched[name].schedule.timezone,
                name=called(name, "take_base_backups"),
                description=f"Takes a base backup of {name}.",
                tags=labels(name, BASE_BACKUP),
            )
            for name, cron in own.items()
        ],
        sensors=[_watch(watched, [*backups.values(), *looks.values()])],
    )


def _base_backup_job(name: str) -> AssetJob:
    return of_assets(
        dg.AssetSelection.assets(key(name, BASE_BACKUP)),
        name=called(name, BASE_BACKUP),
        description=f"Takes a base backup of {name}: recoveries to later moments begin with it.",
        tags=labels(name, BASE_BACKUP),
    )


def _look_job(name: str) -> AssetJob:
    return of_assets(
        dg.AssetSelection.checks(dg.AssetCheckKey(key(name, PROVIDER_HISTORY), KEPT_WELL.name)),
        # A name of its own in alarms: that it's kept says nothing of the weekly check, which opens it.
        name=called(name, KEPT),
        description=f"Looks whether the history of {name} is kept: WAL received, nothing lost, a base backup there. "
        "It makes no copy.",
        tags=labels(name, KEPT),
    )


def _watch(watched: Mapping[str, Policy], jobs: list[AssetJob]) -> dg.SensorDefinition:
    databases = SideBySide(watched)

    @dg.sensor(
        name=for_all(next(iter(watched)), WATCH),
        jobs=jobs,
        description="Looks every few minutes whether every history that is kept by Barman still is. A run that fails, "
        "and so an alarm, says when it is not, once a day; a run that succeeds, when it is again. A base backup that "
        "is missing is taken at once.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
    )
    def watch(
        context: dg.SensorEvaluationContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> dg.SensorResult:
        known, now = _remembered(context.cursor), clock.now()
        asked: list[dg.RunRequest] = []
        said: list[tuple[str, str]] = []
        for look in databases.look(lambda name: _see(Protected(name, watched[name], environ))):
            name = look.database
            if look.made is None:
                # A night that meets the same trouble fails and raises an alarm.
                said.append((name, look.error.what if look.error else look.put_off or ""))
                continue
            known[name], job = what_to_do(known.get(name, WatchedHistory()), look.made, now)
            said.append((name, "Its history is kept." if look.made.well else "Its history is not kept well."))
            if job is not None:
                asked.append(dg.RunRequest(job_name=called(name, job)))
        return dg.SensorResult(
            run_requests=asked,
            skip_reason=None if asked else sentences(said),
            cursor=_CURSOR.dump_json(
                {name: each for name, each in known.items() if name in watched}
            ).decode(),
        )

    return watch


def what_to_do(known: WatchedHistory, seen: HistorySeen, now: datetime) -> tuple[WatchedHistory, str | None]:
    """What to remember of a database, and which of its jobs to start, by the end of its name; None for none. Pure.

    Args:
        known: what was remembered.
        seen: what is seen now.
        now: aware.
    """
    today = f"{now:%Y-%m-%d}"
    if seen.lacks_base_backup:
        # The run reports for itself. While it runs, or has failed, a second one a day is enough.
        asked = known.backed_up_on == today
        return WatchedHistory(known.bad, known.bad_on, today), None if asked else BASE_BACKUP
    if seen.well:
        return WatchedHistory(backed_up_on=known.backed_up_on), KEPT if known.bad else None
    told = known.bad and known.bad_on == today
    return WatchedHistory(True, today, known.backed_up_on), None if told else KEPT


def _see(protected: Protected) -> HistorySeen:
    keeper = keeper_of(protected)
    if keeper is not None and not keeper.has_begun:
        return HistorySeen(well=False, lacks_base_backup=False)
    if keeper is not None and keeper.receives() and keeper.lacks_base_backup():
        return HistorySeen(well=False, lacks_base_backup=True)
    return HistorySeen(check_kept(protected).outcome == "passed", lacks_base_backup=False)


def _remembered(cursor: str | None) -> dict[str, WatchedHistory]:
    try:
        return _CURSOR.validate_json(cursor or "{}")
    except ValidationError:
        return {}
