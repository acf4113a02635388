"""Clocks that are off: a warning; beyond an hour nothing starts; what is dated in the future is never the newest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, to_bytes
from hackorda_ops.calendar import clocks
from hackorda_ops.calendar.clocks import apart, clock_concerns, told_time
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.night.night import take_night
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops_tests.builders import manifest
from hackorda_ops_tests.drill.fixtures import PROGRAMS

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("there_seconds", "expected_seconds"), [(-400, -400), (0, 0), (5, 0), (10, 0), (310, 300)]
)
def test_a_clock_is_no_further_off_than_is_certain(there_seconds: float, expected_seconds: float) -> None:
    there = NOON + timedelta(seconds=there_seconds)
    assert apart(there, NOON, NOON + timedelta(seconds=10)) == timedelta(seconds=expected_seconds)


@pytest.mark.parametrize(
    ("minutes", "severity"),
    [(4, []), (-4, []), (6, ["worth knowing"]), (-59, ["worth knowing"]), (61, ["stops the night"])],
)
def test_five_minutes_are_worth_knowing_and_an_hour_stops_the_night(
    minutes: int, severity: list[str]
) -> None:
    concerns = clock_concerns({"the source": timedelta(minutes=minutes)})
    assert [each.severity for each in concerns] == severity


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_an_answer_without_a_time_says_nothing(date: str | None) -> None:
    assert told_time(date, datetime.now(UTC)) == timedelta()


def test_the_date_of_an_answer_is_held_against_our_own() -> None:
    now = datetime.now(UTC)
    assert told_time(f"{now + timedelta(hours=2):%a, %d %b %Y %H:%M:%S GMT}", now) > timedelta(minutes=110)
    assert told_time(f"{now:%a, %d %b %Y %H:%M:%S GMT}", now) == timedelta()


@pytest.mark.server
def test_a_buckets_clock_is_read(s3_server: S3Server, new_bucket: str) -> None:
    store = S3Store(
        new_bucket,
        endpoint_url=s3_server.endpoint_url,
        access_key_id=s3_server.access_key_id,
        secret_access_key=s3_server.secret_access_key,
    )
    assert abs(store.clock_ahead()) < timedelta(minutes=1)


@pytest.mark.server
@pytest.mark.parametrize("minutes", [20, 90])
def test_a_night_warns_of_a_clock_that_is_off_and_does_not_begin_where_it_is_far_off(
    minutes: int, new_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This machine's clock, as the looking sees it, is behind.
    class Behind(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) - timedelta(minutes=minutes)

    monkeypatch.setattr(clocks, "datetime", Behind)
    database = Policy.model_validate({"store": str(tmp_path / "store")})
    environ = {**PROGRAMS, "DATABASE_URL": new_database}
    if minutes > 60:
        with pytest.raises(OpsError, match="ahead of this machine's"):
            take_night(Protected("shop", database, environ))
        assert not list((tmp_path / "store").glob("shop/2*"))
        return
    assert any(
        "ahead of this machine's" in each
        for each in take_night(Protected("shop", database, environ)).manifest.warnings
    )


def kept(store: FolderStore, *moments: datetime) -> list[Manifest]:
    made = []
    for moment in moments:
        each = manifest({"t": 1}, captured_at=moment, artifact_id=f"{moment:%Y%m%dT%H%M%SZ}-abcdef")
        folder = store.root / each.prefix
        folder.mkdir(parents=True)
        (folder / MANIFEST_NAME).write_bytes(to_bytes(each))
        made.append(each)
    return made


def test_what_is_dated_after_now_is_never_the_newest_and_can_be_restored_by_its_id(tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    store = FolderStore(tmp_path)
    today, tomorrow = kept(store, now - timedelta(hours=1), now + timedelta(days=1))

    found = catalog.read(store, today.database)
    newest = catalog.read_newest(store, today.database)

    assert (found.artifacts, found.ahead) == ((today,), (tomorrow,))
    assert newest == today
    assert catalog.newest_id(store, today.database) == today.artifact_id
    judged = read_judged({"store": store}, today.database)
    assert [each.manifest for each in choose(judged, None).candidates] == [today]
    assert [each.manifest for each in choose(judged, tomorrow.artifact_id).candidates] == [tomorrow]
    assert catalog.read(store, today.database, now=now + timedelta(days=2)).newest == tomorrow
    assert replace(found, ahead=()).newest == today
