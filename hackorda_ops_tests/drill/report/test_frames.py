"""The tables of a report: the comparison, its CSV, the trend."""

import csv
import io
from dataclasses import replace

import pytest

from hackorda_ops.drill.report.frames import (
    DRILLS_SHOWN,
    change_percent,
    comparison,
    comparison_csv,
    records,
    trend,
)
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops_tests.drill import results


def read_csv(data: bytes) -> list[dict[str, str]]:
    """The lines of a CSV, as another program reads them."""
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_the_comparison_begins_with_what_is_not_equal() -> None:
    lines = records(comparison(results.bad()))

    assert [(line["table"], line["outcome"]) for line in lines[:3]] == [
        ("public.issues", "differs"),
        ("public.projects", "missing"),
        ("public.devices", "equal"),
    ]
    assert lines[1]["restored_rows"] is None
    assert lines[1]["restored_digest"] is None


def test_the_csv_keeps_whole_numbers_whole_and_leaves_out_what_is_missing() -> None:
    lines = {line["table"]: line for line in read_csv(comparison_csv(results.bad()))}

    assert lines["public.projects"]["expected_rows"] == "12280"
    assert lines["public.projects"]["restored_rows"] == ""
    assert lines["public.projects"]["restored_digest"] == ""
    assert lines["public.issues"]["restored_digest"] == results.digest(12345)


@pytest.mark.parametrize("name", ['public.a,"b"', "public.line\nbreak", "public.日本語"])
def test_the_csv_keeps_odd_names(name: str) -> None:
    data = comparison_csv(results.sound(tables=(results.table(name, 1),)))

    assert [line["table"] for line in read_csv(data)] == [name]


def test_no_name_becomes_a_formula_in_a_spreadsheet() -> None:
    data = comparison_csv(results.sound(tables=(results.table("=1+1.users", 1),)))

    assert [line["table"] for line in read_csv(data)] == ["'=1+1.users"]


def test_a_drill_without_tables_has_a_csv_with_a_heading_only() -> None:
    assert comparison_csv(results.unjudged()).count(b"\n") == 1


def test_the_trend_ends_with_this_drill_and_leaves_out_later_ones_and_itself() -> None:
    drill = results.history(3)[1]

    lines = records(trend(drill, [results.sound(), *reversed(results.history(3))]))

    assert [line["quarter"] for line in lines] == ["2026-Q1", "2026-Q2"]


def test_the_trend_is_bounded() -> None:
    lines = records(trend(results.sound(), results.history(40)))

    assert len(lines) == DRILLS_SHOWN
    assert lines[-1]["quarter"] == "2026-Q4"


def test_a_change_is_counted_from_the_drill_that_was_measured_before() -> None:
    before = [replace(drill, recovery_seconds=100.0) for drill in results.history(2)]
    before[1] = replace(before[1], recovery_seconds=None)

    assert change_percent(trend(results.sound(), before), "recovery_seconds") == pytest.approx(34.0)


@pytest.mark.parametrize("drill", [results.sound(recovery_seconds=None), results.unjudged(artifact=None)])
def test_without_two_measurements_there_is_no_change(drill: DrillResult) -> None:
    assert change_percent(trend(drill, results.history(2)), "recovery_seconds") is None
    assert change_percent(trend(results.sound(), ()), "rows") is None
