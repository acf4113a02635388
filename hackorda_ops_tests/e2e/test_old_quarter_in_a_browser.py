"""A quarter that was missed ten months ago, drilled by the clicks that docs/operations.md describes.

HACKORDA_OPS_SCREENSHOTS=docs makes the document's picture again.
"""

import os
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from hackorda_ops.calendar import partitions
from hackorda_ops.config.places import Folder
from hackorda_ops.drill.report import history
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.night import night as nightly
from hackorda_ops.week import week
from hackorda_ops_tests.e2e.processes import until
from hackorda_ops_tests.e2e.shop import NAME, Shop

pytestmark = [pytest.mark.server, pytest.mark.e2e]

DOCS = Path(__file__).parents[2] / "docs"
PAGE_MILLISECONDS = 300_000


def _told() -> list[str]:
    """What the page says to click, in order."""
    steps = (DOCS / "operations.md").read_text().partition("To drill a missed quarter")[2].partition("![")[0]
    return re.findall(r"\*\*(.+?)\*\*", steps)


def _of_ten_months_ago(shop: Shop, elsewhere: Path) -> tuple[date, str]:
    """Leaves an off-site copy of that quarter, and nothing of it in the store; returns the quarter and the artifact."""
    newest = nightly.take_night(shop.protected)
    older = shop.older(days=304, store=elsewhere)
    policy = shop.policy.model_copy(update={"store": Folder(folder=elsewhere)})
    week.ship(replace(shop.protected, policy=policy), older)
    assert (newest.manifest.night - older.night).days == 304
    return partitions.quarter_of(older.night), older.artifact_id


def test_a_quarter_ten_months_ago_is_drilled_by_the_clicks_that_the_page_describes(
    shop: Shop, dagster: RunningDagster, chromium: Browser, tmp_path: Path
) -> None:
    tab, materialize, confirm, show_all, launch = _told()
    quarter, artifact = _of_ten_months_ago(shop, tmp_path / "store of then")
    with chromium.new_page(viewport={"width": 1280, "height": 760}, device_scale_factor=2) as page:
        page.set_default_timeout(PAGE_MILLISECONDS)
        expect.set_options(timeout=PAGE_MILLISECONDS)
        page.goto(f"{dagster.url}/assets/{NAME}/restore_drill")
        page.get_by_role("tab", name=tab).click()
        page.get_by_role("textbox").first.fill(str(quarter))
        page.keyboard.press("Enter")
        expect(page.get_by_text("Missing (1)")).to_be_visible()

        page.get_by_role("button", name=materialize).first.click()
        selection = page.get_by_text("Partition selection")
        asks = page.get_by_role("button", name=confirm)
        expect(selection.or_(asks)).to_be_visible()
        if asks.is_visible():
            asks.click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("Showing the last 90 days")).to_be_visible()
        dialog.get_by_text(show_all).click()
        expect(dialog.get_by_role("textbox")).to_have_value(str(quarter))
        expect(dialog.get_by_text("Loading")).to_have_count(0)
        if "HACKORDA_OPS_SCREENSHOTS" in os.environ:
            page.screenshot(
                path=Path(os.environ["HACKORDA_OPS_SCREENSHOTS"], "missed-quarter.png"), scale="css"
            )
        dialog.get_by_role("button", name=launch).click()

        until(lambda: str(quarter) in dagster.materialized(f"{NAME}/restore_drill"), "the quarter is drilled")
        expect(page.get_by_text("Materialized (1)")).to_be_visible()
    drilled = [
        result.artifact.artifact_id
        for result in history.read_past(shop.offsite, NAME)
        if result.quarter == quarter and result.verdict == "PASS" and result.artifact
    ]
    assert drilled == [artifact]
