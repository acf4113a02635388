"""Where the bars of a report's charts go."""

import pytest

from hackorda_ops.drill.report.charts import BASE, TOP, WIDTH, TrendChart, gauge, stage_bars, trend_chart
from hackorda_ops.drill.report.frames import records, trend
from hackorda_ops.drilling.result import DrillResult, Stage
from hackorda_ops.words import duration
from hackorda_ops_tests.drill import results


def recovery_chart(
    drill: DrillResult, past: tuple[DrillResult, ...], objective_seconds: float = 1800.0
) -> TrendChart:
    """The chart of recovery times."""
    drills = records(trend(drill, past))
    return trend_chart(
        "Recovery time", drills, "recovery_seconds", duration, objective_seconds=objective_seconds
    )


def test_stages_follow_each_other_and_fill_the_line() -> None:
    bars = stage_bars((Stage("fetch", 30, True), Stage("compare", 0, False), Stage("restore", 90, True)))

    assert [(bar.start_percent, bar.width_percent) for bar in bars] == [(0, 25), (25, 0), (25, 75)]


@pytest.mark.parametrize("stages", [(), (Stage("fetch", 0, True),)])
def test_a_drill_that_took_no_time_is_drawn_too(stages: tuple[Stage, ...]) -> None:
    assert [bar.width_percent for bar in stage_bars(stages)] == [0] * len(stages)


def test_a_gauge_says_how_a_time_stands_to_its_objective() -> None:
    assert gauge("Recovery time", 134, 1800).outcome == "within"
    assert gauge("Recovery time", 1800, 1800).outcome == "within"
    assert gauge("Recovery time", 1801, 1800).outcome == "beyond"
    assert gauge("Recovery time", None, 1800).outcome == "not measured"


def test_a_gauge_has_both_on_its_scale() -> None:
    late = gauge("Recovery time", 3600, 1800)

    assert late.value_percent == pytest.approx(2 * late.objective_percent)
    assert late.value_percent < 100


@pytest.mark.parametrize("past", [1, 8, 40])
def test_every_column_is_inside_the_chart(past: int) -> None:
    chart = recovery_chart(results.bad(), results.history(past))

    for column in chart.columns:
        assert column.x >= 0
        assert column.x + column.width <= WIDTH
        assert TOP <= column.y <= BASE
        assert column.y + column.height == pytest.approx(BASE, abs=0.11)


def test_a_year_is_written_where_it_begins() -> None:
    chart = recovery_chart(results.sound(), results.history(4))

    assert [(column.tick, column.year) for column in chart.columns] == [
        ("Q4", "2025"),
        ("Q1", "2026"),
        ("Q2", None),
        ("Q3", None),
        ("Q4", None),
    ]


def test_a_drill_without_a_time_leaves_a_gap_that_says_so() -> None:
    chart = recovery_chart(results.unjudged(), results.history(1))

    assert chart.columns[-1].height == 0
    assert chart.columns[-1].label == "2026-Q4: not measured, ERROR"
    assert chart.newest == "not measured"


def test_the_objective_is_drawn_only_where_it_does_not_flatten_the_rest() -> None:
    assert recovery_chart(results.sound(), results.history(2), 1800).objective_y is None
    assert recovery_chart(results.sound(), results.history(2), 150).objective_y == TOP
    beyond = recovery_chart(results.sound(), results.history(2), 67).objective_y
    assert beyond == pytest.approx((TOP + BASE) / 2)


def test_a_chart_can_be_read_as_text() -> None:
    assert recovery_chart(results.sound(), results.history(1)).description == (
        "Recovery time. 2026-Q3: 2 min 5 s, PASS; 2026-Q4: 2 min 14 s, PASS."
    )
