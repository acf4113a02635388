"""Missed quarters, made good from the UI: by the API that the UI calls, the real daemon and real run workers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hackorda_ops.calendar import partitions
from hackorda_ops.config.places import Folder
from hackorda_ops.drill.report import history
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.night import night as nightly
from hackorda_ops.week import week
from hackorda_ops_tests.e2e.processes import until
from hackorda_ops_tests.e2e.shop import NAME, Shop

pytestmark = [pytest.mark.server, pytest.mark.e2e]


def test_the_present_quarter_and_a_missed_one_pass_and_one_whose_artifacts_are_gone_fails_clearly(
    shop: Shop, dagster: RunningDagster, tmp_path: Path
) -> None:
    night = nightly.take_night(shop.protected)
    this_quarter = partitions.quarter_of(night.manifest.night)
    last_quarter = partitions.quarter_of(this_quarter - timedelta(days=1))
    lost_quarter = partitions.quarter_of(last_quarter - timedelta(days=1))
    of_last_quarter = shop.older(
        days=(night.manifest.night - this_quarter).days + 1, store=tmp_path / "store of last quarter"
    )
    week.ship(shop.protected, night.manifest)
    elsewhere = shop.policy.model_copy(update={"store": Folder(folder=tmp_path / "store of last quarter")})
    week.ship(replace(shop.protected, policy=elsewhere), of_last_quarter)
    began = datetime.now(UTC)

    backfill = dagster.backfill("shop/restore_drill", str(this_quarter), str(last_quarter), str(lost_quarter))

    # Dagster looks at its backfills twice a minute.
    until(lambda: len(dagster.runs_of_backfill(backfill)) == 3, "the backfill has its runs")
    runs = dagster.runs_of_backfill(backfill)
    ended = {partition: dagster.end_of(run) for partition, run in runs.items()}
    assert ended == {
        str(this_quarter): "SUCCESS",
        str(last_quarter): "SUCCESS",
        str(lost_quarter): "FAILURE",
    }
    assert dagster.materialized("shop/restore_drill") == {str(this_quarter), str(last_quarter)}
    assert dagster.materialized("shop/drill_report") == set(ended)
    results = {
        result.quarter: result
        for result in history.read_past(shop.offsite, NAME)
        if result.started_at >= began
    }
    drilled = {quarter: result.artifact for quarter, result in results.items()}
    assert drilled[lost_quarter] is None
    for quarter, artifact in ((this_quarter, night.manifest), (last_quarter, of_last_quarter)):
        facts = drilled[quarter]
        assert facts is not None
        assert facts.artifact_id == artifact.artifact_id
    # What is gone is an ERROR, and no word against a backup; nothing was made for it.
    assert results[lost_quarter].verdict == "ERROR"
    assert results[lost_quarter].scratch is None
    lost = runs[str(lost_quarter)]
    until(lambda: all(shop.alarms_of(lost)), "the webhook and the mail server are told")
    for [alarm] in shop.alarms_of(lost):
        assert alarm.startswith(f"FAILED: shop, drill of {partitions.quarter_name(lost_quarter)}\n")
        assert "No sound artifact is off-site from" in alarm
        assert "can't be drilled" in alarm
    assert shop.scratch() == set()
    assert shop.fetched() == []
