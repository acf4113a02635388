"""A drill's report where it is read: on a phone, and on paper."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from pypdf import PageObject, PdfReader

from hackorda_ops.drill.report.html import page
from hackorda_ops.drilling.result import DrillResult, Instead
from hackorda_ops.findings import Finding
from hackorda_ops_tests.drill import results
from hackorda_ops_tests.drill.report.generated import drill

pytestmark = pytest.mark.e2e

INSTEAD = Instead(
    "20261114T210000Z-0a1b2c",
    "s3://hackorda-offsite/backups/hackorda/20261114T210000Z-0a1b2c",
    "proven (drill 20261115T040007Z-4c5d6e)",
)
DAMAGED = results.unjudged(
    verdict="FAIL",
    error=None,
    findings=(Finding("file changed", "dump/3395.dat.zst", "a hash", "another", "Use another artifact."),),
    checks=(results.check("offsite_equals_manifest", "failed"),),
    instead=INSTEAD,
    tables=tuple(replace(each, restored_rows=None, restored_digest=None) for each in results.tables(20)),
    run="https://dagster.example/runs/c0ffee00-aaaa-bbbb-cccc-000000000000",
)
DRILLS = {
    "PASS": results.sound(tables=results.tables(40)),
    "FAIL": results.bad(instead=INSTEAD, tables=results.tables(40)),
    "a damaged copy": DAMAGED,
    "ERROR": results.unjudged(),
    **{f"generated {seed}": drill(seed) for seed in (3, 17, 45, 74, 101, 144)},
}


@contextmanager
def shown(chromium: Browser, result: DrillResult, folder: Path, width: int, height: int) -> Iterator[Page]:
    """A report in a window of this size."""
    file = folder / "report.html"
    file.write_text(page(result, results.history(5)), encoding="utf-8")
    with chromium.new_page(viewport={"width": width, "height": height}) as window:
        window.goto(file.as_uri())
        yield window


@pytest.mark.parametrize(("width", "height"), [(390, 844), (360, 640)])
@pytest.mark.parametrize("name", DRILLS)
def test_a_phone_shows_the_next_step_first_and_nothing_to_the_side(
    chromium: Browser, tmp_path: Path, name: str, width: int, height: int
) -> None:
    result = DRILLS[name]
    with shown(chromium, result, tmp_path, width, height) as window:
        assert window.evaluate("document.documentElement.scrollWidth") <= width
        wider = window.evaluate(
            "[...document.querySelectorAll('body *')].filter(e => e.scrollWidth > e.clientWidth + 1 && "
            "['auto', 'scroll'].includes(getComputedStyle(e).overflowX)).map(e => e.outerHTML.slice(0, 120))"
        )
        assert wider == []
        if result.verdict == "PASS":
            assert window.locator("header .next").count() == 0
            return
        box = window.locator("header .next").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height


# Below the last line of text is the page's number, in a margin of 17 mm.
_MARGIN_POINTS = 50


def lowest(sheet: PageObject) -> float:
    """How far down the text of a page reaches, as a share of the room for it."""
    ends: list[float] = []

    def visit(text: str, whole: list[float], of_text: list[float], *_: object) -> None:
        end = whole[1] * of_text[4] + whole[3] * of_text[5] + whole[5]
        if text.strip() and end > _MARGIN_POINTS:
            ends.append(end)

    sheet.extract_text(visitor_text=visit)
    room = float(sheet.mediabox.height) - 2 * _MARGIN_POINTS
    return 1 - (min(ends) - _MARGIN_POINTS) / room if ends else 0.0


@pytest.mark.parametrize("name", DRILLS)
def test_on_paper_no_page_but_the_last_is_half_empty(chromium: Browser, tmp_path: Path, name: str) -> None:
    with shown(chromium, DRILLS[name], tmp_path, 1000, 800) as window:
        printed = PdfReader(BytesIO(window.pdf(prefer_css_page_size=True, print_background=False)))

    assert len(printed.pages) >= 2
    reached = [round(lowest(each), 2) for each in printed.pages]
    assert all(share > 0.75 for share in reached[:-1]), reached
    first = printed.pages[0].extract_text()
    assert DRILLS[name].verdict in first
    assert ("Next step:" in first) is (DRILLS[name].verdict != "PASS")


def test_the_report_leads_to_its_run(chromium: Browser, tmp_path: Path) -> None:
    with shown(chromium, DAMAGED, tmp_path, 1000, 800) as window:
        assert window.get_by_role("link", name="its run in Dagster").get_attribute("href") == DAMAGED.run
    with shown(chromium, replace(DAMAGED, run="javascript:alert(1)"), tmp_path, 1000, 800) as window:
        assert window.get_by_role("link").count() == 0
        assert "run javascript:alert(1)" in window.locator("header .when").inner_text()
