"""The readiness page in a real browser: on its own, by day and by night, on a screen and on a phone."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from hackorda_ops.readiness.page import page
from hackorda_ops_tests.readiness.test_judgement import NOW
from hackorda_ops_tests.readiness.test_page import PAGES


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_needs_nothing_but_itself_and_fits_its_window(
    chromium: Browser, tmp_path: Path, scheme: Literal["light", "dark"], width: int
) -> None:
    written = tmp_path / "readiness.html"
    written.write_text(page(PAGES["all"], NOW), encoding="utf-8")
    said: list[str] = []
    asked_for: list[str] = []
    with chromium.new_page(color_scheme=scheme, viewport={"width": width, "height": 900}) as shown:
        shown.on("console", lambda message: said.append(message.text))
        shown.on("pageerror", lambda error: said.append(str(error)))
        shown.on("request", lambda request: asked_for.append(request.url))
        shown.goto(written.as_uri())

        expect(shown.get_by_role("banner").first).to_contain_text("UNKNOWN")
        charts = shown.get_by_role("img").all()
        assert len(charts) >= 8
        for chart in charts:
            expect(chart).to_be_visible()
        # Wide tables scroll in their own frames, and the page itself never sideways.
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        background = shown.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert background == {"light": "rgb(243, 245, 247)", "dark": "rgb(15, 20, 26)"}[scheme]

        shown.get_by_role("link", name="late").click()
        expect(shown.locator("#late").get_by_text("The night was not taken.")).to_be_in_viewport()
    assert said == []
    assert asked_for == [written.as_uri()]
