"""The page: whole, safe, readable without colours, and on its own."""

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from hackorda_ops.config.expectations import Objectives
from hackorda_ops.config.models import Policy
from hackorda_ops.readiness.assessment import Cost, Readiness, assess
from hackorda_ops.readiness.page import page
from hackorda_ops.readiness.standing import ArtifactSeen, Standing
from hackorda_ops.readiness.survey import DrillHeld, Stored, Survey
from hackorda_ops_tests.drill import results
from hackorda_ops_tests.html_page import HtmlPage
from hackorda_ops_tests.readiness.test_judgement import IN_ORDER, LATE, NOW
from hackorda_ops_tests.readiness.test_metrics import NOTHING

HOSTILE = """</code><script>alert('x')</script><img src=http://evil.example/x onerror="alert(1)">&amp;"{{ 7 * 7 }}"""


def ready(standing: Standing = IN_ORDER, *, nights: int = 30, drills: int = 6) -> Readiness:
    """A database whose nights grow, and whose drills take longer and longer."""
    artifacts = tuple(
        ArtifactSeen(
            f"{at:%Y%m%dT%H%M%SZ}-0a1b2c", at.date(), at, sound=True, size_bytes=20_000_000 - back * 100_000
        )
        for back in range(nights - 1, -1, -1)
        if (at := NOW - timedelta(days=back))
    )
    held = tuple(
        DrillHeld(
            each.drill_id,
            each.quarter,
            each.started_at,
            each.verdict,
            each.recovery_seconds,
            1_000,
            20_000_000,
        )
        for each in results.history(drills)
    )
    stored = (
        Stored("store", "/backups", 30, 0, {"": 600_000_000}, 0),
        Stored("offsite", "s3://bucket/copies", 8, 1, {"STANDARD": 1_000, "STANDARD_IA": 160_000_000}, 1_000),
    )
    three_minutes = Policy(objectives=Objectives(recovery_time_minutes=3))
    return assess(Survey(standing, artifacts, held, stored), three_minutes)


PAGES = {
    "in order": (ready(),),
    "late": (ready(replace(IN_ORDER, overdue=(LATE,))),),
    "empty": (ready(NOTHING, nights=0, drills=0),),
    "one night, one drill": (ready(nights=1, drills=1),),
    "all": (
        ready(),
        replace(ready(replace(IN_ORDER, overdue=(LATE,))), database="late"),
        ready(NOTHING, nights=0),
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_well_formed_and_its_charts_and_tables_have_words(name: str) -> None:
    read = HtmlPage(page(PAGES[name], NOW))

    assert [text.split()[0] for text in read.texts("h1")] == ["Readiness"]
    assert [text.split()[0] for text in read.texts("h2")] == [each.database for each in PAGES[name]]
    assert len(read.all("caption")) == len(read.all("table")) == 1 + 2 * len(PAGES[name])
    assert all(element.attributes.get("scope") in {"row", "col"} for element in read.all("th"))
    for drawing in read.all("svg"):
        described = drawing.attributes.get("role") == "img" and drawing.attributes.get("aria-label")
        assert described or drawing.attributes.get("aria-hidden") == "true"
    identifiers = [element.attributes["id"] for element in read.elements if "id" in element.attributes]
    assert max(Counter(identifiers).values()) == 1


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_nothing_beside_itself(name: str) -> None:
    read = HtmlPage(page(PAGES[name], NOW))

    assert not {element.tag for element in read.elements} & {"script", "iframe", "img", "object", "base"}
    assert read.addresses() == {"data:,", *(f"#{each.database}" for each in PAGES[name])}
    assert not re.search(r"url\(|@import|@font-face|//", read.texts("style")[0])


@pytest.mark.parametrize(
    ("name", "word"),
    [("in order", "OK"), ("late", "OVERDUE"), ("empty", "UNKNOWN"), ("all", "UNKNOWN")],
)
def test_the_worst_verdict_comes_first(name: str, word: str) -> None:
    text = page(PAGES[name], NOW)
    assert HtmlPage(text).texts("title")[0].startswith(f"{word}: readiness of ")
    assert f"<strong>{word}</strong>" in text


def test_the_reasons_are_told_and_so_is_where_it_is_heading() -> None:
    text = page(PAGES["late"], NOW)
    assert "The night was not taken." in text
    assert "The last proven restore point is from 2026-11-15 02:00 UTC, 5 days old." in text
    assert "broken on" in text
    assert re.search(r"it reaches its objective, 3 min, on 202\d-", text)


def test_what_it_costs_is_told_where_there_is_a_price() -> None:
    plain = ready()
    [store, offsite] = plain.costs
    priced = replace(plain, costs=(replace(store, usd_per_month=12.5), Cost(offsite.stored, 0.001)))
    assert "no price set" in page((plain,), NOW)
    text = page((priced,), NOW)
    assert "12.50 USD" in text
    assert "under 0.01 USD" in text
    assert "STANDARD_IA 160.0 MB" in text
    assert "+ 1 damaged" in text


def test_names_and_problems_stay_text_wherever_they_are_shown() -> None:
    standing = replace(IN_ORDER, problems=(HOSTILE,), overdue=(replace(LATE, sentence=HOSTILE),))
    hostile = replace(ready(standing), database=HOSTILE, timezone=HOSTILE)
    read = HtmlPage(page((hostile,), NOW))

    assert not read.all("script")
    assert not read.all("img")
    assert not [name for element in read.elements for name in element.attributes if name.startswith("on")]
    assert HOSTILE in read.texts("li")
