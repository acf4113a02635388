"""The auditor's page: every verdict of a period, its gaps and failures, held against the schedule."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from pypdf import PdfReader

from hackorda_ops.audit.evidence import Evidence, gather, strips
from hackorda_ops.audit.page import page
from hackorda_ops.config.models import Policy
from hackorda_ops.errors import UsageError
from hackorda_ops.receipts import keys, reading
from hackorda_ops.receipts.chain import ChainWriter
from hackorda_ops.receipts.draft import Draft, begun, ended
from hackorda_ops.receipts.keys import SigningKey
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.html_page import HtmlPage
from hackorda_ops_tests.receipts.examples import Shop

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, LAST = date(2026, 1, 5), date(2026, 2, 28)
FAILED, ERRORED, MISSED = date(2026, 1, 20), date(2026, 2, 3), date(2026, 2, 10)
HOSTILE = "<script>alert(1)</script>"


def _draft(kind: Any, about: str, at: datetime, verdict: Any = "PASS", **said: Any) -> Draft:
    draft = ended(begun(kind, "shop", about, at), verdict, about=about)
    told = {"ended_at": (at + timedelta(minutes=3)).isoformat(), **said}
    return Draft(draft.receipt_id, "shop", kind, {**draft.said, **told})


def nights() -> Iterator[Draft]:
    """Two months: one night failed and was taken again, one errored, one was never begun."""
    for number in range((LAST - FIRST).days + 1):
        night = FIRST + timedelta(days=number)
        at = datetime(night.year, night.month, night.day, 2, tzinfo=UTC)
        if night == MISSED:
            continue
        if night == FAILED:
            findings = [{"code": "table vanished", "severity": "fatal", "count": 2}]
            yield _draft("night", str(night), at, "FAIL", findings=findings)
            at += timedelta(hours=3)
        if night == ERRORED:
            yield _draft("night", str(night), at, "ERROR", error="StoreUnreachable")
            continue
        artifact = f"{at:%Y%m%dT%H%M%SZ}-0a1b2c"
        yield _draft("night", str(night), at, artifact={"id": artifact})
        if night.day % 2:
            yield _draft("proof", artifact, at + timedelta(hours=1), "FAIL" if night.day == 9 else "PASS")
        if night.weekday() == 6:
            yield _draft("copy", f"week of {night - timedelta(days=6)}", at + timedelta(hours=2))
    yield _draft("drill", "2026-Q1", datetime(2026, 1, 11, 6, tzinfo=UTC), "FAIL", artifact={"id": HOSTILE})
    yield _draft("drill", "2026-Q1", datetime(2026, 1, 12, 6, tzinfo=UTC))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = Shop(tmp_path_factory.mktemp("audited")).with_key()
    key: SigningKey = keys.read_private_file(made.folder / "key.pem")
    (made.folder / "backups").mkdir(mode=0o700)
    chain = ChainWriter("shop", FolderStore(made.folder / "backups"), [], key)
    for draft in nights():
        chain.append(draft, None, lambda _: None)
    return made


def evidence_of(shop: Shop, first: date = FIRST, last: date = LAST) -> Evidence:
    policy = Policy.model_validate({"schedule": {"since": "2026-01-05"}, "scratch": {"server": {}}})
    # The chain's beginning is dated by this machine, later than the nights of the example.
    return gather(policy, reading.check(shop.protected), first=first, last=last, now=NOW)


def test_every_night_copy_and_drill_counts_by_its_last_attempt(shop: Shop) -> None:
    found = evidence_of(shop)

    assert (found.count("night", "PASS"), found.count("night", "ERROR"), found.count("night", "FAIL")) == (
        53,
        1,
        0,
    )
    assert found.count("quarter", "PASS") == 1
    assert found.count("week", "PASS") == 7
    assert found.verdicts["night"] == {"PASS": 53, "FAIL": 1, "ERROR": 1}


def test_nights_are_proven_by_the_proof_of_their_artifact(shop: Shop) -> None:
    found = evidence_of(shop)
    assert found.proven == (25, 53)
    assert found.verdicts["proof"] == {"PASS": 25, "FAIL": 2}


def test_a_night_that_was_never_begun_is_a_gap(shop: Shop) -> None:
    gaps = [each.name for each in evidence_of(shop).gaps if not each.name.startswith("proof of ")]
    assert gaps == [str(MISSED)]


def test_the_proof_of_a_night_that_was_never_begun_is_a_gap(shop: Shop) -> None:
    found = [each.name for each in evidence_of(shop).unproven]
    # Those with an odd day have one; a failed one is a failure and no gap. The first is of 2026-01-05.
    assert found[:2] == ["proof of 2026-01-06", "proof of 2026-01-08"]
    assert not {f"proof of {MISSED}", f"proof of {ERRORED}", "proof of 2026-01-09"} & set(found)
    assert len(found) == 26
    assert "proof of 2026-01-06" in page(evidence_of(shop))


@pytest.mark.parametrize(("proof", "count"), [({"every": "off"}, 0), ({"every": "week"}, 0), ({}, 26)])
def test_what_is_asked_for_decides_which_proofs_are_missing(
    shop: Shop, proof: dict[str, str], count: int
) -> None:
    policy = Policy.model_validate(
        {"schedule": {"since": "2026-01-05"}, "scratch": {"server": {}}, "proof": proof}
    )
    found = gather(policy, reading.check(shop.protected), first=FIRST, last=LAST, now=NOW)
    assert len(found.unproven) == count


def test_each_failure_is_told_with_its_reason(shop: Shop) -> None:
    told = {(each.kind, each.about, each.verdict): each.detail for each in evidence_of(shop).failures}
    assert told == {
        ("night", str(FAILED), "FAIL"): "table vanished (fatal, 2)",
        ("night", str(ERRORED), "ERROR"): "StoreUnreachable",
        ("drill", "2026-Q1", "FAIL"): "",
        ("proof", "20260109T020000Z-0a1b2c", "FAIL"): "",
        ("proof", "20260209T020000Z-0a1b2c", "FAIL"): "",
    }


def test_a_period_leaves_out_what_is_before_and_after_it(shop: Shop) -> None:
    found = evidence_of(shop, date(2026, 2, 9), date(2026, 2, 11))
    assert [each.name for each in found.expected["night"]] == ["2026-02-09", "2026-02-10", "2026-02-11"]
    assert [each.about for each in found.entries if each.kind == "night"] == ["2026-02-09", "2026-02-11"]
    with pytest.raises(UsageError):
        evidence_of(shop, LAST, FIRST)


def test_the_calendar_has_a_cell_for_each_day(shop: Shop) -> None:
    [strip] = strips(evidence_of(shop))
    outcomes = [each.outcome for each in strip.cells]
    assert len(outcomes) == 55
    assert (outcomes.count("PASS"), outcomes.count("ERROR"), outcomes.count("missing")) == (53, 1, 1)
    assert [name for _, name in strip.months] == ["Jan", "Feb"]


def test_the_page_needs_nothing_else_and_shows_what_is_hostile_as_text(shop: Shop) -> None:
    found = evidence_of(shop)
    text = page(found)
    read = HtmlPage(text)

    assert read.addresses() <= {None, "data:,"}
    assert not read.all("script")
    assert str(found.checked.chain.head) in text
    for each in found.entries:
        assert each.sha256 in text
    assert "taken on trust" in text
    assert HOSTILE not in text


def test_a_broken_chain_is_said_first(shop: Shop, tmp_path: Path) -> None:
    path = shop.folder / "backups" / "shop" / "receipts" / "00000020.json"
    kept = path.read_bytes()
    path.unlink()
    try:
        found = evidence_of(shop)
    finally:
        path.write_bytes(kept)
    text = page(found)
    assert "BROKEN" in text
    assert "Receipt 20 is missing." in text


def test_it_prints_on_paper(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "evidence.html"
    file.write_text(page(evidence_of(shop)), encoding="utf-8")
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        window = browser.new_page()
        window.goto(file.as_uri())
        assert window.evaluate("document.documentElement.scrollWidth") <= window.evaluate("innerWidth")
        printed = PdfReader(BytesIO(window.pdf(prefer_css_page_size=True, print_background=False)))
        window.screenshot(path=str(tmp_path / "evidence.png"), full_page=True)
        browser.close()

    text = "\n".join(each.extract_text() for each in printed.pages)
    assert len(printed.pages) >= 3
    assert "WHOLE" in printed.pages[0].extract_text()
    for word in (str(MISSED), "table vanished", "StoreUnreachable", "A.8.13", "A1.2", "21(2)(c)"):
        assert word in text
