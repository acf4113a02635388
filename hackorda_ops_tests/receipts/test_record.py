"""Receipts as they are made: chained, copied, kept while a place is down, and never in anybody's way."""

import multiprocessing
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hackorda_ops.errors import ArtifactDamaged, StoreUnreachable, UsageError
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.receipts import chain as chains
from hackorda_ops.receipts.record import recorded
from hackorda_ops.receipts.verify import check_chain, read_receipt
from hackorda_ops_tests.receipts.examples import Shop, digests, files_of, whole, with_bucket


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """With a store alone, and a key."""
    return Shop(tmp_path).with_key()


@pytest.fixture
def two_places(tmp_path: Path, s3_server: S3Server, new_bucket: str) -> Shop:
    return with_bucket(tmp_path, s3_server, new_bucket).with_key()


def test_every_verdict_is_a_signed_receipt_that_names_the_one_before(shop: Shop) -> None:
    heads = [shop.night(verdict).receipt for verdict in ("PASS", "FAIL", "ERROR")]

    chain = whole(shop.protected.store)
    assert [receipt.predicate["verdict"] for receipt in chain.receipts.values()] == [
        None,
        "PASS",
        "FAIL",
        "ERROR",
    ]
    assert [receipt.kind for receipt in chain.receipts.values()] == [
        "beginning",
        "night",
        "night",
        "night",
    ]
    assert chain.unsigned == 0
    assert heads[-1] == chain.head
    assert [head and head.sequence for head in heads] == [2, 3, 4]
    assert shop.waiting == 0


def test_without_a_key_receipts_are_chained_all_the_same(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.night()
    shop.night("FAIL")

    assert whole(shop.protected.store).unsigned == 3


def test_a_key_that_comes_later_is_introduced_by_a_receipt(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.night()
    shop.with_key().night()

    chain = whole(shop.protected.store)
    assert [receipt.kind for receipt in chain.receipts.values()] == [
        "beginning",
        "night",
        "key adoption",
        "night",
    ]
    assert chain.unsigned == 2


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (StoreUnreachable("s3cret", meaning="m", next_step="n"), "ERROR"),
        (ArtifactDamaged("s3cret", meaning="m", next_step="n"), "FAIL"),
        (RuntimeError("s3cret"), "ERROR"),
        (KeyboardInterrupt(), "ERROR"),
    ],
)
def test_what_fails_has_a_receipt_without_its_message(shop: Shop, error: BaseException, verdict: str) -> None:
    with pytest.raises(type(error)), recorded("night", shop.protected, subject="2026-11-22"):
        raise error

    [_, receipt] = whole(shop.protected.store).receipts.values()
    assert receipt.predicate["verdict"] == verdict
    assert receipt.predicate["error"] == type(error).__name__
    [_, data] = files_of(shop.protected.store).values()
    assert b"s3cret" not in read_receipt(data).payload


def test_wrong_use_has_no_receipt_because_nothing_was_attempted(shop: Shop) -> None:
    with pytest.raises(UsageError), recorded("night", shop.protected, subject="2026-11-22"):
        raise UsageError("No.", meaning="m", next_step="n")

    assert not (shop.folder / "backups").exists()
    assert shop.waiting == 0


def test_a_machine_that_only_rescues_makes_no_chain(shop: Shop) -> None:
    with recorded("restore", shop.protected, subject="an artifact", stores=()) as line:
        line.outcome = "PASS"

    assert line.receipt is None
    assert not (shop.folder / "backups").exists()
    assert shop.waiting == 0


@pytest.mark.server
def test_each_place_has_the_receipts_the_key_and_the_program_that_checks_them(two_places: Shop) -> None:
    two_places.night()
    two_places.night()

    protected = two_places.protected
    store, offsite = files_of(protected.store), files_of(protected.offsite)
    assert store == offsite
    assert len(store) == 3
    chain = whole(protected.offsite)
    for place in (protected.store, protected.offsite):
        assert place.read_small("shop/receipts/verify.py") == chains.verifier()
        assert place.read_small(f"shop/receipts/keys/{chain.first_key}.pem").startswith(
            b"-----BEGIN PUBLIC KEY"
        )


@pytest.mark.server
def test_a_place_that_was_down_gets_what_it_lacks_later(
    two_places: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    two_places.night()
    endpoint = two_places.bucket["endpoint_url"] if two_places.bucket else ""
    two_places.bucket = {**(two_places.bucket or {}), "endpoint_url": "http://127.0.0.1:9"}
    line = two_places.night("FAIL")

    assert line.receipt is not None
    assert "not copied to every place" in caplog.text
    two_places.bucket = {**two_places.bucket, "endpoint_url": endpoint}
    assert len(files_of(two_places.protected.offsite)) == 2
    two_places.night()
    assert files_of(two_places.protected.offsite) == files_of(two_places.protected.store)
    assert len(whole(two_places.protected.offsite).receipts) == 4


@pytest.mark.server
def test_without_its_store_a_chain_gets_no_second_beginning(two_places: Shop) -> None:
    two_places.night()
    before = files_of(two_places.protected.offsite)
    (two_places.folder / "backups").rename(two_places.folder / "lost")
    bucket = two_places.bucket or {}
    two_places.bucket = {**bucket, "endpoint_url": "http://127.0.0.1:9"}
    assert two_places.night().receipt is None
    assert two_places.waiting == 1

    two_places.bucket = bucket
    two_places.night()

    after = files_of(two_places.protected.store)
    assert after == files_of(two_places.protected.offsite)
    assert {number: after[number] for number in before} == before
    assert len(whole(two_places.protected.store).receipts) == 4
    assert two_places.waiting == 0


def test_while_the_store_is_down_receipts_wait_and_are_sent_in_order(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.night(subject="2026-11-20")
    (shop.folder / "backups").rename(shop.folder / "unmounted")
    (shop.folder / "backups").write_text("no folder")
    for night in ("2026-11-21", "2026-11-22"):
        assert shop.night("FAIL", night).receipt is None

    assert shop.waiting == 2
    assert "its receipt waits on this machine" in caplog.text
    private = [path.stat().st_mode & 0o077 for path in (shop.folder / "work" / "receipts").rglob("*")]
    assert private
    assert not any(private)

    (shop.folder / "backups").unlink()
    (shop.folder / "unmounted").rename(shop.folder / "backups")
    shop.night(subject="2026-11-23")
    told = [receipt.predicate["about"] for receipt in whole(shop.protected.store).receipts.values()]
    assert sorted(told[1:]) == ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]
    assert shop.waiting == 0


def test_another_key_than_the_chains_signs_nothing(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.night()
    shop.with_key("another.pem").night()
    shop.receipts = {}
    shop.night()

    assert shop.waiting == 2
    assert "receipts rotate" in caplog.text
    shop.with_key("key.pem").night()
    assert len(whole(shop.protected.store).receipts) == 5


def test_a_key_that_everybody_can_read_is_refused(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    (shop.folder / "key.pem").chmod(0o644)
    shop.night()

    assert shop.waiting == 1
    assert "chmod 600" in caplog.text


@pytest.mark.parametrize("moment", ["at work", "before it is sent", "after it was sent"])
def test_a_process_that_is_killed_leaves_one_receipt(shop: Shop, moment: str) -> None:
    program = f"""
import os, signal
from pathlib import Path
from hackorda_ops.receipts import chain, record
from hackorda_ops_tests.receipts.examples import Shop

def die(*_arguments): os.kill(os.getpid(), signal.SIGKILL)

shop = Shop(Path({str(shop.folder)!r})).with_key()
if {moment!r} == "before it is sent": record.open_chain = die
if {moment!r} == "after it was sent": record.UnsentReceipt.sent = die
with record.recorded("night", shop.protected, subject="killed") as line:
    line.outcome = "FAIL"
    if {moment!r} == "at work": die()
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == -signal.SIGKILL
    shop.night()

    told = [receipt.predicate for receipt in whole(shop.protected.store).receipts.values()]
    [killed] = [each for each in told if each["about"] == "killed"]
    at_work = moment == "at work"
    assert (killed["verdict"], killed["error"]) == (("ERROR", "interrupted") if at_work else ("FAIL", None))
    assert len(told) == 3
    assert shop.waiting == 0


def test_work_that_goes_on_is_sent_by_nobody_else(shop: Shop) -> None:
    with recorded("night", shop.protected, subject="slow") as line:
        with recorded("night", shop.protected, subject="fast"):
            pass
        assert len(files_of(shop.protected.store)) == 2
        line.outcome = "FAIL"

    told = [receipt.predicate for receipt in whole(shop.protected.store).receipts.values()]
    assert [(each["about"], each["verdict"]) for each in told[1:]] == [("fast", "PASS"), ("slow", "FAIL")]


def _nights(folder: Path, work: str, bucket: dict[str, str], environ: dict[str, str]) -> None:
    shop = Shop(folder, bucket or None, environ, {"key_file": str(folder / "key.pem")})
    for number in range(5):
        with recorded("night", _elsewhere(shop, work), subject=f"{work} {number}"):
            pass


def _elsewhere(shop: Shop, work: str):  # type: ignore[no-untyped-def]
    protected = shop.protected
    dump = protected.policy.dump.model_copy(update={"work_folder": shop.folder / work})
    return type(protected)("shop", protected.policy.model_copy(update={"dump": dump}), protected.environ)


@pytest.mark.server
@pytest.mark.parametrize("machines", ["one machine", "several machines"])
def test_writers_at_the_same_time_make_one_chain(two_places: Shop, machines: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    works = ["work"] * 3 if machines == "one machine" else ["one", "two", "three"]
    writers = [
        spawn.Process(target=_nights, args=(two_places.folder, work, two_places.bucket, two_places.environ))
        for work in works
    ]
    for each in writers:
        each.start()
    for each in writers:
        each.join(120)
    assert [each.exitcode for each in writers] == [0, 0, 0]
    two_places.night()  # sends what may still wait, and copies all

    assert len(whole(two_places.protected.store).receipts) == 17
    assert digests(files_of(two_places.protected.offsite)) == digests(files_of(two_places.protected.store))


def test_what_is_not_a_receipt_stops_no_chain(shop: Shop) -> None:
    shop.night()
    folder = shop.folder / "backups" / "shop" / "receipts"
    (folder / "00000003.json").write_bytes(b"garbage")
    (folder / "README").write_bytes(b"hello")
    (folder / "1.json").write_bytes(b"{}")

    line = shop.night()

    assert line.receipt is not None
    chain = check_chain(sorted(files_of(shop.protected.store).items()))
    assert chain.head == line.receipt
    assert chain.problems == ("Receipt 3 isn't in the form of a receipt.",)
