"""A store that has lost its disk is no new store: off-site knows better."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hackorda_ops.errors import OpsError
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.night.night import take_night
from hackorda_ops.preflight.preflight import preflight
from hackorda_ops.week import week
from hackorda_ops_tests.drill.fixtures import Night, Shipped, night_of
from hackorda_ops_tests.stores.s3_proxy import Forward, Reply, Request, proxied

pytestmark = pytest.mark.server


def test_a_night_into_an_empty_store_is_compared_with_what_is_off_site(
    night: Night, ship: Callable[[Night], Shipped], tmp_path: Path
) -> None:
    protected = ship(night).changed(store=str(tmp_path / "not mounted"))

    parts = preflight(protected)
    taken = take_night(protected)

    [noted] = [each for part in parts if part.part == "night before" for each in part.concerns]
    assert "is the store's disk mounted?" in noted.what
    assert taken.compared_with == night.manifest.artifact_id
    assert any("is the store's disk mounted?" in each for each in taken.manifest.warnings)
    assert taken.manifest.sound


def test_a_store_that_has_what_is_off_site_raises_no_concern(
    night: Night, ship: Callable[[Night], Shipped]
) -> None:
    protected = ship(night)
    parts = preflight(protected)
    assert [each for part in parts if part.part == "night before" for each in part.concerns] == []


def test_a_bucket_that_does_not_answer_stops_no_night(
    night: Night, ship: Callable[[Night], Shipped], tmp_path: Path
) -> None:
    protected = ship(night_of(night.url, tmp_path / "store"))
    silent = protected.changed(
        environ={"OFFSITE_SECRET_ACCESS_KEY": "wrong", "OFFSITE_ENDPOINT_URL": "http://127.0.0.1:9"}
    )

    taken = take_night(silent)

    assert taken.compared_with is not None
    assert any("Off-site could not be asked" in each for each in taken.manifest.warnings)


@pytest.mark.parametrize("minutes", [20, 90])
def test_a_buckets_clock_that_is_off_is_named_by_a_night_and_far_off_it_takes_no_copy(
    minutes: int, night: Night, ship: Callable[[Night], Shipped], s3_server: S3Server, tmp_path: Path
) -> None:
    def ahead(request: Request, forward: Forward) -> Reply:
        reply = forward(request)
        there = datetime.now(UTC) + timedelta(minutes=minutes)
        headers = {name: value for name, value in reply.headers.items() if name.lower() != "date"}
        return replace(reply, headers={**headers, "Date": f"{there:%a, %d %b %Y %H:%M:%S GMT}"})

    protected = ship(night_of(night.url, tmp_path / "store"))
    with proxied(s3_server, ahead) as proxy:
        skewed = protected.changed(environ={"OFFSITE_ENDPOINT_URL": proxy.endpoint_url})
        taken = take_night(skewed)
        if minutes > 60:
            with pytest.raises(OpsError, match="clock of the bucket is 90 minutes ahead"):
                week.ship(skewed, taken.manifest)
        else:
            week.ship(skewed, taken.manifest)

    assert any(f"clock of the bucket is {minutes} minutes ahead" in each for each in taken.manifest.warnings)
