"""The report as Markdown."""

import re

import pytest

from hackorda_ops.drill.report.markdown import TABLES_SHOWN, document
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.engines.postgres.recovery.by_hand import ByHand
from hackorda_ops.findings import Finding
from hackorda_ops.markdown import escaped, fenced, table
from hackorda_ops_tests.drill import results


@pytest.mark.parametrize(
    ("drill", "first_line"),
    [
        (results.sound(), "# PASS: restore drill 2026-Q4 of hackorda"),
        (results.bad(), "# FAIL: restore drill 2026-Q4 of hackorda"),
        (results.unjudged(), "# ERROR: restore drill 2026-Q4 of hackorda"),
        (results.unjudged(artifact=None, stages=(), checks=()), "# ERROR: restore drill 2026-Q4 of hackorda"),
    ],
)
def test_a_document_begins_with_its_verdict(drill: DrillResult, first_line: str) -> None:
    text = document(drill, results.history(3))

    assert text.splitlines()[0] == first_line
    assert "\n\n\n" not in text


def test_a_failed_drill_tells_what_was_expected_and_what_to_do() -> None:
    text = document(results.bad(), ())

    assert (
        "- **table missing: public.projects** (fatal)\n  - expected: 12,280 rows\n  - observed: no such table"
        in text
    )
    assert "| failed | The restored database is what the manifest says |" in text
    assert "| public.projects | missing | 12,280 | – | – | – |" in text  # noqa: RUF001  # what is written


def test_an_unjudged_drill_tells_the_next_step() -> None:
    assert "- Next step: Delete a branch that nobody needs" in document(results.unjudged(), ())


def test_every_table_has_as_many_cells_in_each_line() -> None:
    hostile = results.sound(
        tables=(results.table("public.a|b\n| c |`d`", 2),),
        findings=(Finding("a|b", "c\n# d", "<b>e</b>", "[f](g)", "*h*"),),
    )
    text = document(hostile, results.history(3))

    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(cells) == 1, block
    assert "\n# d" not in text
    assert "<b>" not in text.replace("\\<", "")


def test_long_lists_of_tables_are_bounded() -> None:
    text = document(results.sound(tables=results.tables(TABLES_SHOWN + 7)), ())

    assert "7 more in comparison.csv." in text


def test_text_stays_text() -> None:
    assert escaped("a*b_c`d|e<f>\ng") == r"a\*b\_c\`d\|e\<f\> g"
    assert table(("A", "B#"), [("x", "1")]) == "| A | B |\n|:--|--:|\n| x | 1 |"


def test_a_block_can_not_be_left_from_inside() -> None:
    assert fenced("echo 1\n") == "```\necho 1\n```"
    assert fenced("```\n# heading") == "````\n```\n# heading\n````"
    assert fenced(" \n") == ""


def test_what_is_left_to_do_by_hand_is_listed_with_its_commands() -> None:
    to_do = (
        ByHand("Set the passwords <b>anew</b>.", ('\\password "app"', '\\password "`odd`"')),
        ByHand("Point the application to it."),
    )
    text = document(results.sound(by_hand=to_do), ())

    assert (
        "## What a real recovery would still need by hand\n\n"
        "- Set the passwords \\<b\\>anew\\</b\\>.\n\n"
        '  ```\n  \\password "app"\n  \\password "`odd`"\n  ```\n\n'
        "- Point the application to it.\n"
    ) in text
    assert "by hand" not in document(results.sound(by_hand=(), how_to_repeat=""), ())


def test_a_check_of_a_later_release_is_shown_with_what_it_saw() -> None:
    text = document(results.with_unknown_check(), ())

    assert "| passed | Indexes are valid | All 14 indexes were looked at. |" in text
