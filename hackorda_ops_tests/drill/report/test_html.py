"""The report as a page: whole, safe, readable without colours, and on its own."""

import re
from collections import Counter
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.drill.report.html import FINDINGS_SHOWN, TABLES_SHOWN, page
from hackorda_ops.drilling.result import NotCompared
from hackorda_ops.engines.postgres.recovery.by_hand import ByHand
from hackorda_ops.findings import Finding
from hackorda_ops_tests.drill import results
from hackorda_ops_tests.html_page import HtmlPage

DRILLS = {
    "PASS": results.sound(),
    "PASS with 60 tables": results.sound(tables=results.tables(60)),
    "FAIL": results.bad(),
    "ERROR": results.unjudged(),
    "a check of a later release": results.with_unknown_check(),
    "ERROR without an artifact": results.unjudged(
        artifact=None, stages=(), checks=(), data_loss_seconds=None, how_to_repeat="", not_compared=()
    ),
}
HOSTILE = """</code><script>alert('x')</script><img src=http://evil.example/x onerror="alert(1)">&amp;"{{ 7 * 7 }}"""


@pytest.mark.parametrize("past", [0, 1, 8])
@pytest.mark.parametrize("name", DRILLS)
def test_every_page_is_well_formed_with_one_title_and_headings_in_order(name: str, past: int) -> None:
    read = HtmlPage(page(DRILLS[name], results.history(past)))

    assert read.texts("h1") == ["Restore drill 2026-Q4 hackorda"]
    assert [heading for heading in read.texts("h2") if heading[0].isdigit()] == [
        "1. Findings",
        "2. What was checked",
        "3. The backup that was drilled",
        "4. What was compared, and what was not",
        "5. Times against the recovery objectives",
        "6. Key tables against production",
        "7. Migrations on the restored database",
        "8. Past drills",
        "9. To restore another backup by hand" if name == "FAIL" else "9. To repeat the restore by hand",
        "10. Every table",
    ]
    assert read.all("html")[0].attributes["lang"] == "en"
    identifiers = [element.attributes["id"] for element in read.elements if "id" in element.attributes]
    assert max(Counter(identifiers).values()) == 1


@pytest.mark.parametrize("name", DRILLS)
def test_the_verdict_comes_first_with_what_it_means(name: str) -> None:
    drill = DRILLS[name]
    text = page(drill, ())

    assert HtmlPage(text).texts("title") == [f"{drill.verdict}: restore drill 2026-Q4 of hackorda"]
    body = text[text.index("<body>") :]
    assert (
        body.index(f"<strong>{drill.verdict}</strong>") < body.index('class="meaning"') < body.index("<main")
    )


@pytest.mark.parametrize("name", DRILLS)
def test_tables_have_captions_and_charts_have_words(name: str) -> None:
    read = HtmlPage(page(DRILLS[name], results.history(8)))

    assert len(read.all("caption")) == len(read.all("table")) >= 2
    assert all(element.attributes.get("scope") in {"row", "col"} for element in read.all("th"))
    for drawing in read.all("svg"):
        described = drawing.attributes.get("role") == "img" and drawing.attributes.get("aria-label")
        assert described or drawing.attributes.get("aria-hidden") == "true"


@pytest.mark.parametrize("name", DRILLS)
def test_a_page_needs_nothing_beside_itself(name: str) -> None:
    read = HtmlPage(page(DRILLS[name], results.history(8)))

    assert not {element.tag for element in read.elements} & {"script", "iframe", "img", "object", "base", "a"}
    assert read.addresses() == {"data:,"}
    assert not re.search(r"url\(|@import|@font-face|//", read.texts("style")[0])
    # Should something slip in one day, the browser is told not to fetch it.
    policies = [
        element.attributes["content"] for element in read.all("meta") if "http-equiv" in element.attributes
    ]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_names_from_a_database_stay_text_wherever_they_are_shown() -> None:
    drill = results.bad(
        database=HOSTILE,
        findings=(Finding(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        tables=(results.table(HOSTILE, 3),),
        key_tables=(replace(results.sound().key_tables[0], table=HOSTILE),),
        warnings=(HOSTILE,),
        not_compared=(NotCompared(HOSTILE, HOSTILE),),
        scratch=HOSTILE,
        how_to_repeat=HOSTILE,
        by_hand=(ByHand(HOSTILE, (HOSTILE,)),),
    )
    text = page(drill, results.history(8))
    read = HtmlPage(text)

    assert not read.all("script")
    assert not read.all("img")
    assert not [name for element in read.elements for name in element.attributes if name.startswith("on")]
    assert "49" not in read.texts("title")[0]
    assert HOSTILE in read.texts("code")
    assert HOSTILE in read.texts("pre")


def test_what_is_left_to_do_by_hand_follows_the_commands_of_the_restore() -> None:
    to_do = ByHand("Set the passwords anew.", ('\\password "app"', '\\password "web"'))
    text = page(results.sound(by_hand=(to_do, ByHand("Point the application to it."))), ())
    section = text[text.index('id="repeat"') : text.index('id="tables"')]

    assert "What a real recovery would still need by hand" in section
    assert "\\password &#34;app&#34;\n\\password &#34;web&#34;</pre>" in section
    assert section.index("Set the passwords") < section.index("Point the application")


def test_terminal_colours_of_a_migration_tool_are_not_shown() -> None:
    output = HtmlPage(page(results.bad(), ())).texts("pre")[0]

    assert output == 'ERROR relation "public.projects" does not exist at migrate.ts:41:7'


def test_findings_are_shown_with_what_to_do() -> None:
    read = HtmlPage(page(results.bad(), ()))

    assert read.texts("article")[1] == (
        "table missing public.projects fatal Expected 12,280 rows Observed no such table What it means What a "
        "restore of this artifact brings back differs from what the database held. Next step Do not rely on this "
        "artifact: use another one, and keep this one to find out what happened."
    )


def test_what_is_not_equal_leads_the_tables_and_the_rest_is_bounded() -> None:
    tables = results.tables(TABLES_SHOWN + 10)
    differing = replace(tables[-1], restored_digest=results.digest(1))
    drill = results.bad(
        tables=(*tables[:-1], differing),
        findings=tuple(
            Finding("content differs", differing.table, "a", "b", "c") for _ in range(FINDINGS_SHOWN + 1)
        ),
    )
    text = page(drill, ())
    listed = text[text.index('id="tables"') :]

    assert listed.index(differing.table) < listed.index("audit.events_2026_01<")
    assert listed.count('<th scope="row"') == TABLES_SHOWN
    assert "10 more tables, all of them equal: in comparison.csv" in listed
    assert "1 more finding: in report.json" in text


def test_a_partition_that_differs_alone_is_explained() -> None:
    table = replace(results.table("public.events_1", 5), restored_rows=4, restored_digest=results.digest(4))
    text = page(results.sound(tables=(table,)), ())

    assert "differs, no finding" in text
    assert "no fault where all its partitions together are equal" in text


def test_times_are_utc_wherever_a_result_comes_from() -> None:
    local = results.STARTED_AT.astimezone(ZoneInfo("Asia/Almaty"))

    assert page(results.sound(started_at=local), ()) == page(results.sound(), ())


def test_the_same_drills_make_the_same_page() -> None:
    past = results.history(8)

    assert page(results.bad(), past) == page(results.bad(), tuple(reversed(past)))


def test_a_check_of_a_later_release_is_shown_with_what_it_saw() -> None:
    text = page(results.with_unknown_check(), ())

    assert "Indexes are valid<p>All 14 indexes were looked at.</p>" in text
    assert "10 <small>of 10</small>" in text


def test_what_failed_has_its_own_words_and_its_own_colour_in_the_banner() -> None:
    shown = page(results.bad(), [])
    follows = consequence_of(results.bad())

    assert f'<p class="headline">{follows.headline}</p>' in shown
    assert f"--verdict-bad: {follows.colour};" in shown
    assert 'class="headline"' not in page(results.sound(), [])
