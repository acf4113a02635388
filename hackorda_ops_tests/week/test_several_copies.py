"""A week that goes to several buckets: one reading for all, and one that is down leaves the others as they are."""

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from hackorda_ops.artifacts import sharing
from hackorda_ops.artifacts.copying import CopyResult, OtherBytes
from hackorda_ops.artifacts.fan_out import copy_to_all
from hackorda_ops.artifacts.manifest import to_bytes
from hackorda_ops.artifacts.verifications import remember, verification_of
from hackorda_ops.errors import OpsError, StoreRefused, StoreUnreachable
from hackorda_ops.judgement.reading import for_a_copy
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.patience import Patience
from hackorda_ops.week import week as weekly
from hackorda_ops.week.week import Mending
from hackorda_ops_tests.stores.examples import put
from hackorda_ops_tests.stores.s3_proxy import Forward, Reply, Request, refusal
from hackorda_ops_tests.week.several import CONTENTS, Several, night_of, several

_numbers = itertools.count(1)
SOON = Patience(attempts=1, connect_timeout_seconds=2.0, read_timeout_seconds=5.0)


@pytest.fixture
def shop(s3_server: S3Server, tmp_path: Path) -> Iterator[Several]:
    number = next(_numbers)
    with (
        patch("hackorda_ops.artifacts.fan_out.SOON", SOON),
        patch("hackorda_ops.judgement.reading.SOON", SOON),
        several(
            s3_server, tmp_path, {name: f"several-{number}-{name}" for name in ("one", "two", "three")}
        ) as made,
    ):
        yield made


def refuses_everything(_request: Request, _forward: Forward) -> Reply | None:
    """A server in trouble."""
    return refusal(500, "InternalError")


def refuses_the_key(_request: Request, _forward: Forward) -> Reply | None:
    """A server that doesn't know the key."""
    return refusal(403, "InvalidAccessKeyId")


def hangs(_request: Request, _forward: Forward) -> Reply | None:
    """A server that takes connections and says nothing."""
    time.sleep(8)
    return None


def cuts_off(_request: Request, _forward: Forward) -> Reply | None:
    """A server that cuts each connection."""
    return None


def test_each_bucket_gets_the_artifact_and_every_file_is_read_once(shop: Several) -> None:
    night = shop.take(night_of())
    read: list[str] = []
    opened = FolderStore.open

    def counting(self: FolderStore, key: str):  # type: ignore[no-untyped-def]
        read.append(key.removeprefix(f"{night.prefix}/"))
        return opened(self, key)

    with patch.object(FolderStore, "open", counting):
        week = weekly.ship(shop.protected, night)

    assert [each.place for each in week.copies] == ["one", "two", "three"]
    assert not week.missing
    assert sorted(each for each in read if each in CONTENTS) == sorted(CONTENTS)
    assert all(shop.has(name, night) for name in shop.providers)
    assert {each.copy.files_read_back for each in week.copies} == {len(CONTENTS) + 1}


@pytest.mark.parametrize("trouble", [refuses_everything, refuses_the_key, hangs, cuts_off])
def test_one_that_is_down_leaves_the_others_their_copies_and_gets_its_own_later(
    shop: Several, trouble: object
) -> None:
    night = shop.take(night_of())
    shop.providers["two"].misbehave = trouble  # type: ignore[assignment]

    week = weekly.ship(shop.protected, night)

    assert [each.place for each in week.copies] == ["one", "three"]
    assert [each.place for each in week.missing] == ["two"]
    assert isinstance(week.missing[0].error, StoreRefused | StoreUnreachable)
    assert shop.has("one", night)
    assert shop.has("three", night)

    shop.providers["two"].misbehave = None
    shop.providers["one"].asked.clear()
    again = weekly.ship(shop.protected, night, only=["two"])

    assert [each.place for each in again.copies] == ["two"]
    assert shop.has("two", night)
    assert not shop.providers["one"].stored("dump/16385.dat.zst")


def test_one_that_breaks_off_in_the_middle_leaves_no_artifact_there_and_the_others_finish(
    shop: Several,
) -> None:
    night = shop.take(night_of())

    def breaks_off(request: Request, forward: Forward) -> Reply | None:
        if request.method == "PUT" and "2.dat.zst" in request.path:
            return refusal(403, "AccessDenied")
        return forward(request)

    shop.providers["three"].misbehave = breaks_off

    week = weekly.ship(shop.protected, night)

    assert [each.place for each in week.copies] == ["one", "two"]
    shop.providers["three"].misbehave = None
    assert not shop.has("three", night)


def test_a_slow_one_is_left_behind_and_still_gets_its_copy(shop: Several) -> None:
    night = shop.take(night_of())
    quick = threading.Event()

    def is_slow(request: Request, forward: Forward) -> Reply | None:
        if request.method == "PUT" and "16385.dat.zst" in request.path:
            quick.wait(30)
        return forward(request)

    shop.providers["two"].misbehave = is_slow
    manifests = {name: shop.providers[name] for name in ("one", "three")}

    def when_the_others_are_done() -> None:
        while not all(each.stored("manifest.json") for each in manifests.values()):
            time.sleep(0.05)
        quick.set()

    waiting = threading.Thread(target=when_the_others_are_done, daemon=True)
    waiting.start()
    with patch.object(sharing, "_PATIENCE_SECONDS", 0.3):
        week = weekly.ship(shop.protected, night)

    # Otherwise the two would have waited for it, and it for them.
    assert quick.is_set()
    assert [each.place for each in week.copies] == ["one", "two", "three"]
    assert shop.has("two", night)


def test_where_the_nights_copy_is_damaged_nobody_gets_it_and_one_error_says_so(shop: Several) -> None:
    night = shop.take(night_of())
    damaged = shop.nights.root / night.prefix / "dump" / "16385.dat.zst"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"X")

    with pytest.raises(OpsError, match=r"16385\.dat\.zst"):
        weekly.ship(shop.protected, night)

    assert not any(shop.has(name, night) for name in shop.providers)


def test_where_none_answers_one_error_names_them_all(shop: Several) -> None:
    night = shop.take(night_of())
    shop.providers["one"].misbehave = refuses_everything
    shop.providers["two"].misbehave = refuses_the_key
    shop.providers["three"].misbehave = cuts_off

    with pytest.raises(OpsError, match=r"(?s)one:.*two:.*three:"):
        weekly.ship(shop.protected, night)


def test_missing_variables_of_one_leave_the_others_their_copies(shop: Several) -> None:
    night = shop.take(night_of())
    environ = {name: value for name, value in shop.protected.environ.items() if "TWO" not in name}

    week = weekly.ship(replace(shop.protected, environ=environ), night)

    assert [each.place for each in week.copies] == ["one", "three"]
    assert "OFFSITE_TWO_ACCESS_KEY_ID" in str(week.missing[0].error)


def test_a_damaged_copy_is_repaired_from_another_where_the_store_has_lost_it(shop: Several) -> None:
    older, newer = night_of(night_of().captured_at - timedelta(days=7)), night_of()
    shop.take(older)
    weekly.ship(shop.protected, older)
    shop.take(newer)
    put(shop.place("two"), f"{older.prefix}/dump/toc.dat", b"CONTENTS")
    # Whoever looked found it.
    location = f"{shop.place('two').describe()}/{older.prefix}"
    seen = verification_of(
        older, location, by="verification", began_at=datetime.now(UTC), damaged_files=["dump/toc.dat"]
    )
    remember([shop.place("two")], seen)
    for path in sorted((shop.nights.root / older.prefix).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (shop.nights.root / older.prefix).rmdir()

    known = for_a_copy(shop.protected)
    assert known.mending == (Mending(older, "two", "one"),)
    week = weekly.ship(shop.protected, newer, mending=known.mending)

    assert any(older.artifact_id in line and "was repaired" in line for line in week.repaired)
    assert shop.place("two").read_small(f"{older.prefix}/dump/toc.dat") == CONTENTS["dump/toc.dat"]


def test_what_one_lacked_while_it_was_down_is_made_up_for_by_the_next_weeks_run(shop: Several) -> None:
    older, newer = night_of(night_of().captured_at - timedelta(days=7)), night_of()
    shop.take(older)
    shop.providers["three"].misbehave = cuts_off
    weekly.ship(shop.protected, older)
    shop.providers["three"].misbehave = None
    shop.take(newer)

    known = for_a_copy(shop.protected)
    assert known.mending == (Mending(older, "three", "store", damaged=False),)
    week = weekly.ship(shop.protected, newer, mending=known.mending)

    assert not week.missing
    assert shop.has("three", older)
    assert shop.has("three", newer)
    assert not for_a_copy(shop.protected).mending


def test_a_copy_over_a_slow_line_never_holds_more_than_the_window_of_a_file(tmp_path: Path) -> None:
    source, night = FolderStore(tmp_path / "nights"), night_of()
    for path, data in CONTENTS.items():
        put(source, f"{night.prefix}/{path}", data)
    seen: list[int] = []
    next_block = sharing.SharedReadings.next_block

    def watched(
        self: sharing.SharedReadings, reading: sharing._FileReading, copy: str, key: str
    ) -> bytes | None:
        block = next_block(self, reading, copy, key)
        seen.append(len(reading.blocks))
        return block

    places = {name: FolderStore(tmp_path / name) for name in ("one", "two")}
    with patch.object(sharing.SharedReadings, "next_block", watched):
        results = copy_to_all(
            source,
            places,
            prefix=night.prefix,
            files=lambda _: night.files,
            manifest_bytes=to_bytes(night),
            other_bytes={name: OtherBytes() for name in places},
        )

    assert all(isinstance(each, CopyResult) for each in results.values())
    assert max(seen) <= sharing._WINDOW_BLOCKS
