"""What people see and click: Dagster's own UI over the demo's stack, and the report's page, in a real browser.

HACKORDA_OPS_SCREENSHOT=docs/asset-graph.png makes the README's picture again.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from hackorda_ops import config_file
from hackorda_ops.backup import calendar
from hackorda_ops.drill import report_html
from hackorda_ops.drill.result import DrillResult
from hackorda_ops.local.dagster import running_dagster, storage_variables
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.local.example import example_file
from hackorda_ops.local.postgres import delete_server
from hackorda_ops.local.stack import running_stack
from hackorda_ops_tests.drill import results
from hackorda_ops_tests.e2e.processes import ENVIRONMENT

pytestmark = [pytest.mark.server, pytest.mark.e2e]

ASSETS = ("source", "nightly_dump", "offsite_copy", "restore_drill", "drill_report")
PAGE_MILLISECONDS = 60_000
DRILL_MILLISECONDS = 180_000
SCREENSHOT_VARIABLE = "HACKORDA_OPS_SCREENSHOT"


@dataclass(frozen=True)
class Demo:
    """The demo's stack with a night and a week, and a quarter that was missed.

    Attributes:
        dagster: what runs them.
        quarter: the partition that is still open.
        drills: the folder of the drills' reports.
    """

    dagster: RunningDagster
    quarter: str
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
    night = calendar.night_of(datetime.now(UTC), schedule)
    # The example's migrate command is `python -m …`: it has to be this very Python.
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
        for asset, partition in (("nightly_dump", night), ("offsite_copy", calendar.week_of(night))):
            run = dagster.materialize(f"hackorda/{asset}", str(partition))
            assert dagster.end_of(run) == "SUCCESS", dagster.messages(run)
        yield Demo(dagster, str(calendar.quarter_of(night)), folder / "backups" / "hackorda" / "drills")
    delete_server(folder / "stack" / "postgres")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's own Chromium, which calls nobody."""
    executable = shutil.which("chromium")
    if executable is None:
        message = "no chromium on PATH (apt install chromium)"
        if "CI" in os.environ:
            pytest.fail(message)
        pytest.skip(message)
    flags = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
    quiet = ("--disable-background-networking", "--disable-component-update")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=[*flags, *quiet])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    # Wide enough for the asset graph to show more of its assets than their names.
    with chromium.new_page(viewport={"width": 1480, "height": 760}, device_scale_factor=2) as page:
        page.set_default_timeout(PAGE_MILLISECONDS)
        expect.set_options(timeout=PAGE_MILLISECONDS)
        yield page


def _shown(page: Page, text: str) -> Locator:
    """A text as people see it; the UI keeps hidden copies to measure with."""
    return page.get_by_text(text, exact=True).filter(visible=True).first


def _row(page: Page, label: str) -> Locator:
    """A row of the metadata of what is selected."""
    return page.get_by_role("row").filter(has=page.get_by_text(label, exact=True)).first


def test_a_missed_quarter_is_made_good_by_clicks_and_shows_its_verdict_and_report(
    demo: Demo, chromium: Browser, page: Page
) -> None:
    page.goto(demo.graph_url)
    for asset in ASSETS:
        expect(_shown(page, asset)).to_be_visible()
    _shown(page, "restore_drill").click()
    page.get_by_role("link", name="View in Asset Catalog").click()
    page.get_by_role("tab", name="Partitions").click()
    expect(page.get_by_text("Materialized (0)")).to_be_visible()

    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Latest", exact=True).click()
    dialog.get_by_role("button", name="Launch 1 run").click()

    expect(page.get_by_text("Materialized (1)")).to_be_visible(timeout=DRILL_MILLISECONDS)
    page.goto(demo.partition_url("restore_drill"))
    expect(_row(page, "verdict")).to_contain_text("PASS")
    page.goto(demo.partition_url("drill_report"))
    expect(_row(page, "verdict")).to_contain_text("PASS")
    expect(_row(page, "page 1")).to_contain_text(f"{demo.drills}/")
    expect(_row(page, "page 2")).to_contain_text("s3://hackorda-offsite/hackorda/drills/")
    _row(page, "report").get_by_text("Show Markdown").click()
    expect(page.get_by_role("dialog").get_by_text("Restore drill").first).to_be_visible()

    [report] = demo.drills.glob("*/report.html")
    with chromium.new_page() as another:
        _opens_on_its_own(another, report, "PASS")

    page.goto(demo.graph_url)
    page.get_by_text("Hide navigation").click()
    page.reload()
    for passed in ("3 / 3 Passed", "2 / 2 Passed", "9 / 9 Passed"):
        expect(_shown(page, passed)).to_be_visible()
    expect(page.get_by_text("Materializing")).to_have_count(0)
    if SCREENSHOT_VARIABLE in os.environ:
        _take_the_graph(page, Path(os.environ[SCREENSHOT_VARIABLE]))


def _take_the_graph(page: Page, picture: Path) -> None:
    """The five assets and a margin, without Dagster's frame around them."""
    margin_pixels = 24
    first, last = _shown(page, "source").bounding_box(), _shown(page, "html").bounding_box()
    assert first is not None
    assert last is not None
    left, top = first["x"] - 15, first["y"]
    page.screenshot(
        path=picture,
        clip={
            "x": left - margin_pixels,
            "y": top - margin_pixels,
            "width": last["x"] + last["width"] - left + 2 * margin_pixels,
            "height": last["y"] + last["height"] - top + 2 * margin_pixels,
        },
    )


@pytest.mark.parametrize(
    "drill", [results.sound(), results.bad(), results.unjudged()], ids=lambda each: each.verdict
)
def test_the_reports_page_needs_nothing_but_itself(drill: DrillResult, page: Page, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text(report_html.page(drill, results.history(8)), encoding="utf-8")

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
