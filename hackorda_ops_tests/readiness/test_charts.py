"""Where the points of a chart over time go."""

from datetime import timedelta

from hackorda_ops.drill.report.charts import BASE, TOP, WIDTH
from hackorda_ops.readiness.charts import time_chart
from hackorda_ops.readiness.forecast import Point, TrendLine
from hackorda_ops.words import size
from hackorda_ops_tests.readiness.kept import utc

BEGIN = utc(11, 1)
POINTS = [Point(BEGIN + timedelta(days=days), value) for days, value in ((0, 500.0), (1, 1000.0), (4, 750.0))]


def test_points_lie_by_their_time_and_their_value_from_zero_on() -> None:
    chart = time_chart("Size", POINTS, None, size)
    half = (TOP + BASE) / 2
    assert chart.path == f"M4.0 {half}L{4 + (WIDTH - 8) / 4} {float(TOP)}L{WIDTH - 4.0} {(half + TOP) / 2}"
    assert (chart.newest_x, chart.newest_y) == (WIDTH - 4, (half + TOP) / 2)
    assert (chart.newest, chart.top_label, chart.fitted) == ("750 B", "1.0 kB", None)
    assert (chart.first, chart.last) == ("2026-11-01", "2026-11-05")
    assert chart.description == "Size: 500 B on 2026-11-01, 750 B on 2026-11-05, 3 points."


def test_a_line_stays_within_the_chart() -> None:
    steep = TrendLine(BEGIN, -100.0, 600.0, 1.0)
    assert time_chart("Size", POINTS, steep, size).fitted == f"M4.0 {float(BASE)}L{WIDTH - 4.0} {float(TOP)}"


def test_empty_backups_lie_on_the_base() -> None:
    nothing = [Point(point.at, 0.0) for point in POINTS]
    assert time_chart("Size", nothing, None, size).newest_y == BASE
