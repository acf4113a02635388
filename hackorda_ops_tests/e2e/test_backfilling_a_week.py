"""Missed weeks, made good from the UI: by the API that the UI calls, the real daemon and real run workers."""

from datetime import timedelta

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.calendar import partitions
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops_tests.e2e.nights import tonight
from hackorda_ops_tests.e2e.processes import until
from hackorda_ops_tests.e2e.shop import NAME, Shop

pytestmark = [pytest.mark.server, pytest.mark.e2e]


def _offsite(shop: Shop) -> list[str]:
    return [artifact.artifact_id for artifact in catalog.read(shop.offsite, NAME).artifacts]


def test_missed_weeks_are_backfilled_from_their_nights_and_one_without_a_night_stays_open(
    shop: Shop, dagster: RunningDagster
) -> None:
    night = dagster.materialize("shop/nightly_dump", tonight())
    assert dagster.end_of(night) == "SUCCESS", dagster.messages(night)
    of_this_week = shop.artifacts[-1]
    of_last_week = shop.older(days=7, store=shop.store)
    before = _offsite(shop)
    this_week = partitions.week_of(of_this_week.night)
    weeks = [str(this_week - timedelta(weeks=weeks)) for weeks in (4, 1, 0)]

    backfill = dagster.backfill("shop/offsite_copy", *weeks)

    # Dagster looks at its backfills twice a minute.
    until(lambda: len(dagster.runs_of_backfill(backfill)) == 3, "the backfill has its runs")
    ended = {partition: dagster.end_of(run) for partition, run in dagster.runs_of_backfill(backfill).items()}
    assert ended == {weeks[0]: "FAILURE", weeks[1]: "SUCCESS", weeks[2]: "SUCCESS"}
    assert dagster.materialized("shop/offsite_copy") == set(weeks[1:])
    assert set(_offsite(shop)) - set(before) == {of_last_week.artifact_id, of_this_week.artifact_id}
