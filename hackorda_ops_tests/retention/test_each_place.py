"""Several copies off-site: each place is pruned by its own policy."""

import itertools
from pathlib import Path

import pytest

from hackorda_ops.local.s3 import S3Server
from hackorda_ops.retention.prune import prune
from hackorda_ops_tests.retention.places import KEEP, NOW, ages, artifact, put_artifact
from hackorda_ops_tests.week.several import Several, several

pytestmark = pytest.mark.server
_numbers = itertools.count(1)
NIGHTS = range(12)
ALL = [*NIGHTS]


def filled(shop: Several) -> None:
    for place in ("store", "long", "short", "forever"):
        for age in NIGHTS:
            put_artifact(shop.place(place), artifact(age))


@pytest.fixture
def buckets() -> dict[str, str]:
    number = next(_numbers)
    return {name: f"pruned-{number}-{name}" for name in ("long", "short", "forever")}


def test_each_place_keeps_what_its_own_policy_says(
    s3_server: S3Server, tmp_path: Path, buckets: dict[str, str]
) -> None:
    with several(
        s3_server,
        tmp_path,
        buckets,
        long={"retention": {**KEEP, "nights": 10}},
        short={"retention": KEEP},
        retention={"store": {**KEEP, "nights": 8}, "offsite": None},
    ) as shop:
        filled(shop)
        prune(shop.protected, now=NOW)

        kept = {place: len(ages(shop.place(place))) for place in ("store", *buckets)}
        assert kept == {"store": 8, "long": 10, "short": 7, "forever": 12}
        # The newest stay everywhere.
        assert all(ages(shop.place(place))[:7] == ALL[:7] for place in kept)
