"""A drill that failed, as somebody on call sees it in Dagster's UI: cause, next step, report, and what is at risk."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from hackorda_ops.calendar.partitions import quarter_of
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.night.night import take_night
from hackorda_ops.week.week import ship
from hackorda_ops_tests.e2e.shop import Shop

pytestmark = [pytest.mark.server, pytest.mark.e2e]

PAGE_MILLISECONDS = 300_000


@dataclass(frozen=True)
class Failed:
    """The drill.

    Attributes:
        run: its id.
        quarter: its partition.
    """

    run: str
    quarter: str


@pytest.fixture(scope="module")
def failed(shop: Shop, dagster: RunningDagster) -> Failed:
    night = take_night(shop.protected).manifest
    ship(shop.protected, night)
    # Somebody who can write to the bucket has removed a part of it.
    shop.offsite.delete(f"{night.prefix}/{max(night.files, key=lambda each: each.size_bytes).path}")
    quarter = str(quarter_of(night.night))
    run = dagster.materialize("shop/restore_drill", quarter)
    assert dagster.end_of(run) == "FAILURE"
    return Failed(run, quarter)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_page(viewport={"width": 1480, "height": 1000}) as page:
        page.set_default_timeout(PAGE_MILLISECONDS)
        expect.set_options(timeout=PAGE_MILLISECONDS)
        yield page


def _row(page: Page, label: str) -> Locator:
    """A row of metadata."""
    return page.get_by_role("row").filter(has=page.get_by_text(label, exact=True)).first


def test_the_drills_own_page_says_why_it_failed_what_to_do_and_opens_the_report(
    failed: Failed, dagster: RunningDagster, page: Page
) -> None:
    page.goto(f"{dagster.url}/assets/shop/restore_drill?view=partitions&partition={failed.quarter}")
    expect(page.get_by_text("and did not materialize this asset")).to_be_visible()
    page.get_by_role("tab", name="Events").click()
    expect(page.get_by_text("observed in run")).to_be_visible()
    expect(_row(page, "what")).to_contain_text("The drill of shop FAILED: the copy is damaged.")
    expect(_row(page, "next step")).to_contain_text("hackorda-ops copy")
    expect(_row(page, "run")).to_contain_text(failed.run)
    expect(_row(page, "report off-site")).to_contain_text("s3://shop-offsite/shop/drills/")

    link = _row(page, "open the report").get_by_role("link").first
    with page.context.expect_page() as opened:
        link.click()
    expect(opened.value.get_by_role("banner")).to_contain_text("FAIL")
    expect(opened.value.get_by_role("heading", level=1)).to_contain_text("Restore drill")


def test_the_report_has_a_verdict_and_what_was_not_looked_at_is_not_called_failed(
    failed: Failed, dagster: RunningDagster, page: Page
) -> None:
    page.goto(f"{dagster.url}/assets/shop/drill_report?view=checks")
    expect(page.get_by_text("Checks (7)")).to_be_visible()
    # The first by name, which is selected, is in the list and on its own.
    expect(page.get_by_text(re.compile("^not evaluated$", re.IGNORECASE)).filter(visible=True)).to_have_count(
        6
    )
    expect(page.get_by_text("Passed", exact=True)).to_have_count(0)
    page.get_by_text("verdict", exact=True).first.click()
    expect(page.get_by_text("FAIL: Do not rely on this backup: the copy is damaged")).to_be_visible()
    expect(page.get_by_text("Next step: If the store still has the artifact")).to_be_visible()
    _row(page, "report").get_by_text("Show Markdown").click()
    expect(page.get_by_role("dialog").get_by_text("Restore drill").first).to_be_visible()


def test_readiness_says_of_the_database_why_it_is_at_risk_and_what_to_do_first(
    failed: Failed, dagster: RunningDagster, page: Page
) -> None:
    run = dagster.launch("all_readiness")
    assert dagster.end_of(run) == "SUCCESS"
    page.goto(f"{dagster.url}/assets/readiness?view=checks")
    expect(page.get_by_text(re.compile("^AT RISK: .*can't be relied on"))).to_be_visible()
    expect(_row(page, "next step")).to_contain_text("hackorda-ops copy")
