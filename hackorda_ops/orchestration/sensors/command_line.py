"""What the command line did, in Dagster: a sensor that shows it as materializations without a run, from the stores.

`hackorda-ops dump`, `copy` and `drill` work without Dagster, where their nights, weeks and quarters would show as
missing, and be caught up on. So would what a run published that was killed before it could say so.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

import dagster as dg
from dagster import AssetCheckEvaluation, AssetMaterialization, DagsterInstance, MetadataValue
from pydantic import TypeAdapter, ValidationError

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.ids import id_is_ahead, moment_of
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.calendar.partitions import week_of
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.drill.quarter import Quarter, quarters_held
from hackorda_ops.drill.report.history import DRILLS_FOLDER
from hackorda_ops.environment import Protected
from hackorda_ops.judgement.reading import answering
from hackorda_ops.orchestration import checks, clock, drill_metadata, metadata
from hackorda_ops.orchestration.assets import OFFSITE_COPY, RESTORE_DRILL, night_key
from hackorda_ops.orchestration.assets.drill_report import pages, report_key, specs_of_report
from hackorda_ops.orchestration.first_seen import seen_earlier
from hackorda_ops.orchestration.metadata import Metadata
from hackorda_ops.orchestration.names import for_all, key
from hackorda_ops.orchestration.runs import NOT_FINISHED
from hackorda_ops.orchestration.sensors.run_ends import subject_of
from hackorda_ops.orchestration.sensors.side_by_side import SideBySide, sentences
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import Store

_LOOK_EVERY_SECONDS: Final = 300
# Years of artifacts are shown over several ticks; drills, with their reports, are larger.
_ARTIFACTS_AT_ONCE: Final = 25
_DRILLS_AT_ONCE: Final = 5
# No dump, copy or drill takes as long: a folder without a manifest or report was left behind by one that was killed.
_ABANDONED_AFTER: Final = timedelta(days=2)
# A partition has had few materializations; this many are searched for an artifact or a drill.
_SEARCHED: Final = 50
_BY_HAND: Final[Metadata] = {"made by": MetadataValue.text("hackorda-ops, without a run that Dagster knows")}

Event = AssetMaterialization | AssetCheckEvaluation


@dataclass(frozen=True)
class Handled:
    """Which ids of a place were looked at. They begin with their time, so all up to one of them are a single word.

    Attributes:
        until: every id up to this one.
        beyond: those after it.
    """

    until: str = ""
    beyond: tuple[str, ...] = ()

    def lacking(self, ids: Iterable[str]) -> list[str]:
        """Those that were not looked at, oldest first."""
        return sorted(each for each in ids if each > self.until and each not in self.beyond)

    def after(self, looked_at: Iterable[str], ids: Collection[str]) -> "Handled":
        """The same after looking at some more.

        Args:
            looked_at: those.
            ids: all that the place has.
        """
        seen, until = {*self.beyond, *looked_at}, self.until
        for each in sorted(each for each in ids if each > until):
            if each not in seen:
                break
            until = each
        return Handled(until, tuple(sorted(each for each in seen if each > until and each in ids)))


@dataclass(frozen=True)
class Known:
    """What was looked at of a database: the artifacts in the store and off-site, and the drills in either."""

    store: Handled = field(default_factory=Handled)
    offsite: Handled = field(default_factory=Handled)
    drills: Handled = field(default_factory=Handled)


@dataclass(frozen=True)
class Found:
    """What was read of a database, and what is known of it once that is in Dagster.

    Attributes:
        nights: artifacts where the nights are, with their places.
        copies: those off-site, where a copy is a week's.
        drills: with their reports.
        known: what was looked at then.
    """

    nights: tuple[tuple[Manifest, str], ...]
    copies: tuple[tuple[Manifest, str], ...]
    drills: tuple[Quarter, ...]
    known: Known


_CURSOR: Final = TypeAdapter(dict[str, Known])


def command_line(config: Config) -> dg.SensorDefinition:
    """Shows what was made of all databases without a run."""
    databases = SideBySide(config.databases)

    @dg.sensor(
        name=for_all(config, "show_command_line_work"),
        description="Shows in Dagster what `hackorda-ops dump`, `copy` and `drill` made, as materializations without a "
        "run, read from the stores. Starts nothing.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
    )
    def look(
        context: dg.SensorEvaluationContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> dg.SensorResult:
        instance, now, before = context.instance, clock.now(), _cursor(context)

        def at(name: str) -> tuple[list[Event], Known] | None:
            protected = Protected(name, config.databases[name], environ)
            found = _read(protected, before.get(name, Known()), now)
            with databases.storage:
                # Asked after the stores were read: what a run published that is over by now, it has materialized.
                return (
                    None
                    if _busy(instance, name, config)
                    else (list(_events(instance, protected, found)), found.known)
                )

        events: list[Event] = []
        known, said = dict(before), list[tuple[str, str]]()
        for each in databases.look(at):
            if each.made is not None:
                events += each.made[0]
                known[each.database] = each.made[1]
            else:
                why = f"Not read: {each.error.what}" if each.error else each.put_off
                said.append((each.database, why or "It waits for its runs to end."))
        said += [
            ("", f"Shown, without a run: {event.asset_key.to_user_string()} {event.partition}.")
            for event in events
            if isinstance(event, AssetMaterialization)
        ]
        return dg.SensorResult(
            asset_events=events,
            cursor=_CURSOR.dump_json(known).decode(),
            skip_reason=sentences(said) or "Nothing was made that Dagster doesn't know.",
        )

    return look


def _busy(instance: DagsterInstance, name: str, config: Config) -> bool:
    unfinished = instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED))
    return any(
        subject_of(run, config.databases).database == name
        or any(asset == key(name, asset.path[-1]) for asset in run.asset_selection or ())
        for run in unfinished
    )


def _cursor(context: dg.SensorEvaluationContext) -> dict[str, Known]:
    try:
        return _CURSOR.validate_json(context.cursor) if context.cursor else {}
    except ValidationError:
        # Another release wrote it. What Dagster knows already isn't shown again.
        return {}


def _read(protected: Protected, known: Known, now: datetime) -> Found:
    """Reads what is new in the stores of a database. Nothing of Dagster here: it may go on when its time is up."""
    name = protected.name
    places = {place: store.with_patience(SOON) for place, store in protected.places.items()}
    if protected.several_offsite:
        # What one copy has is read from another, where it doesn't answer.
        places, silent = answering(places)
        if protected.nights_in in silent:
            raise silent[protected.nights_in]
    nights, of_store = _artifacts(places.get(protected.nights_in), name, known.store, now)
    copied_to = [places[place] for place in protected.policy.copied_to if place in places]
    copies, of_offsite = _artifacts(copied_to[0] if copied_to else None, name, known.offsite, now)
    drills, of_drills = _drills(protected, list(places.values()), known.drills, now)
    return Found(nights, copies, drills, Known(of_store, of_offsite, of_drills))


def _artifacts(
    store: Store | None, database: str, handled: Handled, now: datetime
) -> tuple[tuple[tuple[Manifest, str], ...], Handled]:
    if store is None:
        return (), handled
    ids = catalog.ids(store, database)
    found: list[tuple[Manifest, str]] = []
    looked_at: list[str] = []
    for each in _in_time(handled.lacking(ids), now)[:_ARTIFACTS_AT_ONCE]:
        artifact = next(catalog.read_each(store, database, [each]), None)
        if artifact is not None or _abandoned(each, now):
            looked_at.append(each)
        if isinstance(artifact, Manifest):
            found.append((artifact, f"{store.describe()}/{artifact.prefix}"))
    return tuple(found), handled.after(looked_at, ids)


def _drills(
    protected: Protected, places: Iterable[Store], handled: Handled, now: datetime
) -> tuple[tuple[Quarter, ...], Handled]:
    ids = {each for place in places for each in catalog.ids(place, protected.name, DRILLS_FOLDER)}
    lacking = _in_time(handled.lacking(ids), now)
    if not lacking:
        return (), handled
    held = {each.result.drill_id: each for each in quarters_held(protected)}
    looked_at = [each for each in lacking if each in held or _abandoned(each, now)][:_DRILLS_AT_ONCE]
    return tuple(held[each] for each in looked_at if each in held), handled.after(looked_at, ids)


def _in_time(ids: Iterable[str], now: datetime) -> list[str]:
    return [each for each in ids if not id_is_ahead(each, now)]


def _abandoned(made_id: str, now: datetime) -> bool:
    moment = moment_of(made_id)
    return moment is None or now - moment > _ABANDONED_AFTER


def _events(instance: DagsterInstance, protected: Protected, found: Found) -> Iterator[Event]:
    name, policy = protected.name, protected.policy
    for manifest, location in found.nights:
        seen_earlier(instance, name, manifest.night)
        shown = {**_BY_HAND, **metadata.of_stored_night(manifest, location)}
        yield from _of_artifact(instance, night_key(name, policy), manifest.night, manifest, shown)
    for manifest, location in found.copies:
        seen_earlier(instance, name, manifest.night)
        shown = {**_BY_HAND, **metadata.of_kept(manifest, location)}
        week = week_of(manifest.night)
        yield from _of_artifact(instance, key(name, OFFSITE_COPY), week, manifest, shown)
    for held in found.drills:
        yield from _of_drill(instance, protected, policy, held)


def _of_artifact(
    instance: DagsterInstance, asset: dg.AssetKey, partition: date, manifest: Manifest, shown: Metadata
) -> Iterator[Event]:
    # As a run that dumps: an artifact that failed its checks doesn't materialize its night.
    if manifest.sound and not _has(
        instance, asset, partition, lambda made: metadata.artifact_id(made) == manifest.artifact_id
    ):
        yield AssetMaterialization(asset, partition=partition.isoformat(), metadata=shown)


def _of_drill(
    instance: DagsterInstance, protected: Protected, policy: Policy, held: Quarter
) -> Iterator[Event]:
    name, result = protected.name, held.result
    artifact = result.artifact.artifact_id if result.artifact else None

    def is_it(made: AssetMaterialization) -> bool:
        # What an earlier release materialized doesn't name its drill.
        drill = metadata.drill_id(made)
        return drill == result.drill_id if drill else metadata.artifact_id(made) == artifact

    if _has(instance, report_key(name), result.quarter, is_it):
        return
    where, partition = pages(protected, held), result.quarter.isoformat()
    shown = {**_BY_HAND, **drill_metadata.of_report(held, where)}
    yield AssetMaterialization(report_key(name), partition=partition, metadata=shown)
    yield from checks.of_a_report(held, specs_of_report(name, policy), where)
    if result.verdict == "PASS":
        shown = {**_BY_HAND, **drill_metadata.of_drill(result)}
        yield AssetMaterialization(key(name, RESTORE_DRILL), partition=partition, metadata=shown)


def _has(
    instance: DagsterInstance,
    asset: dg.AssetKey,
    partition: date,
    is_it: Callable[[AssetMaterialization], bool],
) -> bool:
    of_partition = dg.AssetRecordsFilter(asset, asset_partitions=[partition.isoformat()])
    records = instance.fetch_materializations(of_partition, limit=_SEARCHED).records
    return any(record.asset_materialization and is_it(record.asset_materialization) for record in records)
