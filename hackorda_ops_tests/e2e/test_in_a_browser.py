"""What people see and click: Dagster's own UI over the demo's stack, and the report's page, in a real browser.

HACKORDA_OPS_SCREENSHOTS=docs makes the documents' pictures again.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from hackorda_ops.calendar import partitions
from hackorda_ops.config import file as config_file
from hackorda_ops.drill.report import html
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.local.dagster import running_dagster, storage_variables
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.local.example import example_file
from hackorda_ops.local.postgres import delete_server
from hackorda_ops.local.stack import running_stack
from hackorda_ops_tests.drill import results
from hackorda_ops_tests.e2e.processes import ENVIRONMENT

pytestmark = [pytest.mark.server, pytest.mark.e2e]

ASSETS = ("source", "nightly_dump", "offsite_copy", "restore_drill", "drill_report", "recovery_exercise")
PAGE_MILLISECONDS = 300_000
DRILL_MILLISECONDS = 1_800_000
SCREENSHOTS_VARIABLE = "HACKORDA_OPS_SCREENSHOTS"


@dataclass(frozen=True)
class Demo:
    """The demo's stack with a night and a week, and a quarter that was missed.

    Attributes:
        dagster: what runs them.
        quarter: the partition that is still open.
        quarters: how many there are, all of them missing.
        drills: the folder of the drills' reports.
    """

    dagster: RunningDagster
    quarter: str
    quarters: int
    drills: Path

    @property
    def graph_url(self) -> str:
        return f"{self.dagster.url}/locations/hackorda_ops/asset-groups/hackorda/lineage"

    def partition_url(self, asset: str) -> str:
        return f"{self.dagster.url}/assets/hackorda/{asset}?view=partitions&partition={self.quarter}"


@pytest.fixture(scope="module")
def demo(server_folder: Path) -> Iterator[Demo]:
    folder = server_folder / "demo"
    folder.mkdir()
    folder.chmod(0o711)
    config = Path(shutil.copy(example_file("databases.yaml"), folder))
    schedule = config_file.load(config).databases["hackorda"].schedule
    night = partitions.night_of(datetime.now(UTC), schedule)
    # The example's migrate command is `python -m …`: it must be this Python.
    path = os.pathsep.join((str(Path(sys.executable).parent), ENVIRONMENT["PATH"]))
    with (
        running_stack(folder / "stack", scale=0.05) as stack,
        running_dagster(
            folder / "dagster",
            config=config,
            storage=storage_variables(stack.dagster_url),
            environ={**ENVIRONMENT, "PATH": path, **stack.environment()},
        ) as dagster,
    ):
        for asset, partition in (("nightly_dump", night), ("offsite_copy", partitions.week_of(night))):
            run = dagster.materialize(f"hackorda/{asset}", str(partition))
            assert dagster.end_of(run) == "SUCCESS", dagster.messages(run)
        yield Demo(
            dagster,
            quarter=str(partitions.quarter_of(night)),
            # The configuration doesn't say since when, so it begins today.
            quarters=1,
            drills=folder / "backups" / "hackorda" / "drills",
        )
    delete_server(folder / "stack" / "postgres")


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    # Wide enough for the asset graph to show more of its assets than their names.
    with chromium.new_page(viewport={"width": 1480, "height": 900}, device_scale_factor=2) as page:
        page.set_default_timeout(PAGE_MILLISECONDS)
        expect.set_options(timeout=PAGE_MILLISECONDS)
        yield page


def _shown(page: Page, text: str) -> Locator:
    """A text as people see it; the UI keeps hidden copies to measure with."""
    return page.get_by_text(text, exact=True).filter(visible=True).first


def _row(page: Page, label: str) -> Locator:
    """A row of the metadata of what is selected."""
    return page.get_by_role("row").filter(has=page.get_by_text(label, exact=True)).first


def _picture(page: Page, name: str, **options: Any) -> None:
    """A picture for the documents, where somebody asked for them."""
    if SCREENSHOTS_VARIABLE in os.environ:
        page.screenshot(path=Path(os.environ[SCREENSHOTS_VARIABLE], f"{name}.png"), **options)


def test_a_missed_quarter_is_made_good_by_clicks_and_shows_its_verdict_report_and_plots(
    demo: Demo, chromium: Browser, page: Page
) -> None:
    page.goto(demo.graph_url)
    for asset in ASSETS:
        expect(_shown(page, asset)).to_be_visible()
    _shown(page, "restore_drill").click()
    page.get_by_role("link", name="View in Asset Catalog").click()
    page.get_by_role("tab", name="Partitions").click()
    expect(page.get_by_text(f"Missing ({demo.quarters})")).to_be_visible()
    expect(page.get_by_text("Materialized (0)")).to_be_visible()

    page.get_by_role("textbox").first.fill(demo.quarter)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Missing (1)")).to_be_visible()
    page.get_by_text(demo.quarter, exact=True).filter(visible=True).last.click()
    expect(page.get_by_role("button", name="View all historical events (0)")).to_be_visible()
    expect(page.locator("[class*=pinner]")).to_have_count(0)
    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Partition selection")).to_be_visible()
    # On a quarter's last days its first day is out of the range that the dialog begins with.
    if demo.quarters > 1:
        dialog.get_by_text("Show all partitions").click()
    expect(dialog.get_by_role("textbox")).to_have_value(demo.quarter)
    dialog.get_by_role("button", name="Launch 1 run").click()

    expect(page.get_by_text("Materialized (1)")).to_be_visible(timeout=DRILL_MILLISECONDS)
    page.goto(demo.partition_url("restore_drill"))
    expect(_row(page, "verdict")).to_contain_text("PASS")
    page.goto(demo.partition_url("drill_report"))
    expect(_row(page, "verdict")).to_contain_text("PASS")
    expect(_row(page, "report in the store")).to_contain_text(f"{demo.drills}/")
    expect(_row(page, "report off-site")).to_contain_text("s3://hackorda-offsite/hackorda/drills/")
    _row(page, "report").get_by_text("Show Markdown").click()
    expect(page.get_by_role("dialog").get_by_text("Restore drill").first).to_be_visible()

    page.goto(f"{demo.dagster.url}/assets/hackorda/restore_drill?view=overview")
    page.get_by_role("button", name="Plots").click()
    for plotted in ("bytes", "recovery seconds", "data loss seconds"):
        expect(_shown(page, plotted)).to_be_visible()
    # A plot is drawn on a canvas as large as its place.
    expect(page.locator("canvas").first).to_be_visible()
    _picture(page, "drill-plots", scale="css")

    [report] = demo.drills.glob("*/report.html")
    with chromium.new_page() as another:
        _opens_on_its_own(another, report, "PASS")

    page.goto(demo.graph_url)
    page.get_by_text("Hide navigation").click()
    page.reload()
    for passed in ("3 / 3 Passed", "2 / 2 Passed", "10 / 10 Passed"):
        expect(_shown(page, passed)).to_be_visible()
    expect(page.get_by_text("Materializing")).to_have_count(0)
    _take_the_graph(page)


def _take_the_graph(page: Page) -> None:
    """The assets and a margin, without Dagster's frame around them."""
    margin_pixels = 24
    nodes = [
        page.locator("foreignObject").filter(has=page.get_by_text(asset, exact=True)).first.bounding_box()
        for asset in ASSETS
    ]
    boxes = [box for box in nodes if box]
    left, top = (min(box[side] for box in boxes) - margin_pixels for side in ("x", "y"))
    right = max(box["x"] + box["width"] for box in boxes) + margin_pixels
    bottom = max(box["y"] + box["height"] for box in boxes) + margin_pixels
    clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    _picture(page, "asset-graph", clip=clip, scale="css")


@pytest.mark.parametrize(
    "drill", [results.sound(), results.bad(), results.unjudged()], ids=lambda each: each.verdict
)
def test_the_reports_page_needs_nothing_but_itself(drill: DrillResult, page: Page, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text(html.page(drill, results.history(8)), encoding="utf-8")

    _opens_on_its_own(page, report, drill.verdict)

    # The times against their objectives, and the trend over past drills.
    charts = page.get_by_role("img").all()
    assert len(charts) >= 2
    for chart in charts:
        expect(chart).to_be_visible()


def _opens_on_its_own(page: Page, report: Path, verdict: str) -> None:
    """Opens a report as an auditor does who was sent the file."""
    said: list[str] = []
    asked_for: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked_for.append(request.url))
    page.goto(report.as_uri())
    expect(page.get_by_role("heading", level=1)).to_contain_text("Restore drill")
    expect(page.get_by_role("banner")).to_contain_text(verdict)
    assert said == []
    assert asked_for == [report.as_uri()]
