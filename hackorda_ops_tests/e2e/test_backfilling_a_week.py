"""Missed weeks, made good from the UI: by the API that the UI calls, the real daemon and real run workers."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hackorda_ops.backup import calendar, catalog
from hackorda_ops.backup.manifest import MANIFEST_NAME, to_bytes
from hackorda_ops.backup.s3_store import S3Store
from hackorda_ops.local.dagster import RunningDagster
from hackorda_ops.local.s3 import S3Server
from hackorda_ops_tests.e2e.processes import until
from hackorda_ops_tests.e2e.shop import BUCKET, NAME, Shop

pytestmark = [pytest.mark.server, pytest.mark.e2e]


def _a_night_of_last_week(shop: Shop) -> str:
    """Leaves an artifact as a night of last week would have; returns its id."""
    newest = shop.artifacts[-1]
    taken = newest.captured_at - timedelta(weeks=1)
    older = replace(
        newest,
        artifact_id=f"{taken:%Y%m%dT%H%M%SZ}-abcdef",
        captured_at=taken,
        night=newest.night - timedelta(weeks=1),
    )
    shutil.copytree(shop.store / newest.prefix, shop.store / older.prefix)
    (shop.store / older.prefix / MANIFEST_NAME).write_bytes(to_bytes(older))
    return older.artifact_id


def _runs_of(dagster: RunningDagster, backfill: str) -> dict[str, str]:
    """The runs that a backfill has started so far: partition to the run's id."""
    data = dagster.ask(
        "query($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results {"
        " runId tags { key value } } } } }",
        filter={"tags": [{"key": "dagster/backfill", "value": backfill}]},
    )
    return {
        tag["value"]: run["runId"]
        for run in data["runsOrError"]["results"]
        for tag in run["tags"]
        if tag["key"] == "dagster/partition"
    }


def test_missed_weeks_are_backfilled_from_their_nights_and_one_without_a_night_stays_open(
    shop: Shop, dagster: RunningDagster, s3_server: S3Server
) -> None:
    night = dagster.materialize("shop/nightly_dump", datetime.now(UTC).date().isoformat())
    assert dagster.end_of(night) == "SUCCESS", dagster.messages(night)
    of_this_week = shop.artifacts[-1]
    of_last_week = _a_night_of_last_week(shop)
    this_week = calendar.week_of(of_this_week.night)
    weeks = [str(this_week - timedelta(weeks=weeks)) for weeks in (4, 1, 0)]

    backfill = dagster.backfill("shop/offsite_copy", *weeks)

    # Dagster looks at its backfills twice a minute.
    until(lambda: len(_runs_of(dagster, backfill)) == 3, "the backfill has its runs", limit_seconds=120)
    ended = {partition: dagster.end_of(run) for partition, run in _runs_of(dagster, backfill).items()}
    assert ended == {weeks[0]: "FAILURE", weeks[1]: "SUCCESS", weeks[2]: "SUCCESS"}
    assert dagster.materialized("shop/offsite_copy") == set(weeks[1:])
    offsite = S3Store(
        BUCKET,
        endpoint_url=s3_server.endpoint_url,
        region=s3_server.region,
        access_key_id=s3_server.access_key_id,
        secret_access_key=s3_server.secret_access_key,
    )
    assert [artifact.artifact_id for artifact in catalog.read(offsite, NAME).artifacts] == [
        of_last_week,
        of_this_week.artifact_id,
    ]
