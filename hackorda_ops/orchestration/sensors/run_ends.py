"""The runs that have ended, as alarms report them: what each was meant to make, and how it ended."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Final

import dagster as dg
from dagster import AssetKey, DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus

from hackorda_ops.alerts.desk import Desk, RunEnd
from hackorda_ops.alerts.message import Subject, Tone
from hackorda_ops.engines.registry import ENGINES
from hackorda_ops.orchestration.assets import (
    DRILL_REPORT,
    NIGHT_PROOF,
    OFFSITE_COPY,
    PROVIDER_HISTORY,
    RECOVERY_EXERCISE,
    RESTORE_DRILL,
)
from hackorda_ops.orchestration.assets.readiness import READINESS
from hackorda_ops.orchestration.failures import cause_of, headline_of, loudness_of
from hackorda_ops.orchestration.labels import DATABASE, KIND, ONLY_THERE
from hackorda_ops.orchestration.names import called, key
from hackorda_ops.orchestration.runs import PARTITION_TAG, link

_BACKFILL_TAG: Final = "dagster/backfill"
_RETRY_NUMBER_TAG: Final = "dagster/retry_number"
# What is made has one name in every alarm, whether a schedule, a backfill or a person began the run.
_MADE: Final = {
    **{engine.night_asset: "night" for engine in ENGINES.values()},
    NIGHT_PROOF: "proof",
    OFFSITE_COPY: "week",
    RESTORE_DRILL: "quarter",
    DRILL_REPORT: "quarter",
    RECOVERY_EXERCISE: "year",
    PROVIDER_HISTORY: "history",
}


def subject_of(run: DagsterRun, databases: Collection[str]) -> Subject:
    """What a run is about; without a database where it concerns none of these, or several."""
    partition = run.tags.get(PARTITION_TAG)
    assets = _assets(run)
    if not assets and (labelled := run.tags.get(DATABASE)) in databases and labelled:
        return Subject(labelled, run.tags.get(KIND) or run.job_name, partition)
    # The longest name first: a database may be called like the beginning of another's job.
    for database in sorted(databases, key=len, reverse=True):
        if run.job_name.startswith(called(database, "")):
            return Subject(database, run.job_name.removeprefix(called(database, "")), partition)
    owners = {_owner(asset, databases) for asset in assets}
    made = sorted({_MADE.get(asset.path[-1], asset.path[-1]) for asset in assets})
    if len(owners) == 1 and (owner := owners.pop()) is not None:
        return Subject(owner, " and ".join(made), partition)
    names = sorted(asset.to_user_string() for asset in assets)
    return Subject(None, ", ".join(names) or run.job_name, partition)


def new_ends(
    instance: DagsterInstance,
    desk: Desk,
    *,
    database: str | None,
    databases: Collection[str],
    location: str | None,
    ui_url: str | None,
    among_others: bool = False,
) -> Iterator[RunEnd]:
    """The runs of a database that have failed or succeeded since, oldest first.

    They are found by the time of their end, and looked for again for an hour: Dagster's own cursor, the number
    of an event, skips what two processes write at once.

    Args:
        instance: whose runs.
        desk: knows which ones were processed.
        database: whose runs; None for those that are of no database.
        databases: the names of all.
        location: the code location whose runs count; None for all.
        ui_url: of the web server, for links; None if unknown.
        among_others: whether others have jobs in the code location, which raise their own alarms.
    """
    ended = dg.RunsFilter(
        statuses=[DagsterRunStatus.FAILURE, DagsterRunStatus.SUCCESS], updated_after=desk.done_until
    )
    found = [
        (
            datetime.fromtimestamp(record.end_time or record.update_timestamp.timestamp(), UTC),
            record.dagster_run,
        )
        for record in instance.get_run_records(ended)
    ]
    for ended_at, run in sorted(found, key=lambda each: each[0]):
        subject = subject_of(run, databases)
        if (
            desk.is_new(run.run_id, ended_at)
            and subject.database == database
            and (location is None or _location(run) in {location, None})
            and not _only_read_again(run)
            and not (among_others and subject.database is None and not _is_ours(run, databases))
        ):
            yield _end(instance, run, subject, ended_at, ui_url)


def _end(
    instance: DagsterInstance, run: DagsterRun, subject: Subject, ended_at: datetime, ui_url: str | None
) -> RunEnd:
    failed = run.status is DagsterRunStatus.FAILURE
    cause, headline = None, None
    tone: Tone = "failure"
    if failed:
        failures = list(_events(instance, run, DagsterEventType.STEP_FAILURE))
        headline, tone = headline_of(failures), loudness_of(failures)
        words = [event.message or "" for event in _events(instance, run, DagsterEventType.RUN_FAILURE)]
        cause = cause_of(failures, words[-1] if words else "it left no event.")
    return RunEnd(
        run_id=run.run_id,
        subject=subject,
        ended_at=ended_at,
        cause=cause,
        headline=headline,
        tone=tone,
        backfill=run.tags.get(_BACKFILL_TAG),
        failed_checks=() if failed else _failed_checks(instance, run),
        # What a copy lacks was reported when it was missed first.
        repeats=run.tags.get(_RETRY_NUMBER_TAG, "0") != "0" or ONLY_THERE in run.tags,
        run=link(run.run_id, ui_url),
    )


def _failed_checks(instance: DagsterInstance, run: DagsterRun) -> tuple[str, ...]:
    # A repeated attempt evaluates its checks again: the last evaluation counts.
    evaluations = {
        evaluation.asset_check_key: evaluation
        for event in _events(instance, run, DagsterEventType.ASSET_CHECK_EVALUATION)
        if (evaluation := event.asset_check_evaluation_data)
    }
    return tuple(
        f"{key.name}: {evaluation.description or 'no details.'}"
        for key, evaluation in evaluations.items()
        # What could not be measured is a warning, of a drill that has passed: the report shows it.
        if not evaluation.passed
        and evaluation.severity is dg.AssetCheckSeverity.ERROR
        # What readiness finds overdue or unprotected has its own alarm, from the same look.
        and key.asset_key.path[-1] != READINESS.path[-1]
    )


def _events(instance: DagsterInstance, run: DagsterRun, kind: DagsterEventType) -> Iterator[DagsterEvent]:
    for record in instance.get_records_for_run(run.run_id, of_type=kind).records:
        if record.event_log_entry.dagster_event:
            yield record.event_log_entry.dagster_event


def _assets(run: DagsterRun) -> set[AssetKey]:
    checked = {check.asset_key for check in run.asset_check_selection or ()}
    return set(run.asset_selection or ()) or checked


def _owner(asset: AssetKey, databases: Collection[str]) -> str | None:
    return next((name for name in databases if asset == key(name, asset.path[-1])), None)


def _is_ours(run: DagsterRun, databases: Collection[str]) -> bool:
    """Whether a run that is of no single database is of one of our jobs, or makes an asset of ours."""
    return KIND in run.tags or any(_owner(asset, databases) for asset in _assets(run))


def _only_read_again(run: DagsterRun) -> bool:
    """Whether a run only read a drill's report again: nothing was made, and the drill itself was reported."""
    checked = {check.asset_key.path[-1] for check in run.asset_check_selection or ()}
    return not run.asset_selection and checked == {DRILL_REPORT}


def _location(run: DagsterRun) -> str | None:
    origin = run.remote_job_origin
    return origin.location_name if origin else None
