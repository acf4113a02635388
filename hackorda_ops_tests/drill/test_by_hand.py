"""The commands of a report never restore what failed, and nothing in it is said from a backup that failed. Pure."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from hackorda_ops.drill.by_hand import instead_commands, must_not_be_restored
from hackorda_ops.drill.causes import BESIDE_THE_DATA, said
from hackorda_ops.drill.report.html import page
from hackorda_ops.drill.report.markdown import document
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.finding_kinds import KINDS
from hackorda_ops.findings import Finding
from hackorda_ops_tests.drill import results
from hackorda_ops_tests.html_page import HtmlPage

FATAL = [code for code, kind in KINDS.items() if kind.severity == "fatal"]


def failed(code: str, **changes: Any) -> DrillResult:
    """A drill that failed about this alone."""
    found = Finding(code, "public.users", "x", "y", "Look.")
    return results.sound(verdict="FAIL", findings=(found,), **changes)


@pytest.mark.parametrize("code", FATAL)
def test_only_what_is_about_the_data_keeps_the_artifact_from_being_restored(code: str) -> None:
    assert must_not_be_restored(failed(code)) is (KINDS[code].about not in BESIDE_THE_DATA)


def test_a_pass_and_an_error_forbid_nothing() -> None:
    assert not must_not_be_restored(results.sound())
    assert not must_not_be_restored(results.unjudged())


def test_an_artifact_that_came_back_in_place_of_a_damaged_newer_one_may_be_restored() -> None:
    newer = Finding("artifact damaged", "hackorda/20261128T210000Z-bbbbbb", "a manifest", "none", "Look.")
    checks = [results.check(each.name) for each in results.sound().checks]
    checks[0] = results.check("offsite_equals_manifest", "failed")
    result = results.sound(verdict="FAIL", findings=(newer,), checks=tuple(checks))
    assert not must_not_be_restored(result)
    word = said(result)
    assert word is not None
    assert (word.came_back, word.causes) == (True, ())


def test_the_commands_after_a_fail_name_what_not_to_restore_and_take_the_best() -> None:
    result = failed("file changed", checks=(results.check("offsite_equals_manifest", "failed"),))
    assert result.artifact is not None
    first, *_, last = instead_commands(result).splitlines()
    assert first == f"# Do not restore {result.artifact.artifact_id} from off-site: the copy is damaged."
    assert last == "hackorda-ops restore hackorda --to-env RESTORE_URL"


def ended_early(result: DrillResult, reached: int) -> DrillResult:
    """The same drill, ended after so many checks."""
    return replace(
        result,
        checks=result.checks[:reached],
        key_tables=() if reached < 5 else result.key_tables,
        migration=None if reached < 7 else result.migration,
    )


@pytest.mark.parametrize(("code", "reached"), list(itertools.product(FATAL, (0, 1, 4, 9))))
def test_no_sentence_of_a_report_contradicts_its_result(code: str, reached: int) -> None:
    result = ended_early(failed(code), reached)
    if must_not_be_restored(result):
        result = replace(result, how_to_repeat=instead_commands(result))
    for text in (document(result, ()), " ".join(HtmlPage(page(result, ())).texts("body"))):
        # What wasn't reached isn't blamed on a configuration that wasn't asked.
        assert "names no" not in text
        assert ("restore hackorda --artifact 2026" in text) is not must_not_be_restored(result)
        assert ("To restore another backup by hand" in text) is must_not_be_restored(result)
        assert "Next step" in text
    # What is lost can't be counted from a backup that failed.
    assert ("| Data loss | not counted |" in document(result, ())) is must_not_be_restored(result)
