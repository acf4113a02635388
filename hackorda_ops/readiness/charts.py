"""The geometry of a chart over time: where each point and line goes. The page's template only draws it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hackorda_ops.drill.report.charts import BASE, TOP, WIDTH
from hackorda_ops.readiness.forecast import Point, TrendLine

_MARGIN = 4


@dataclass(frozen=True)
class TimeChart:
    """One number over time.

    Attributes:
        title: what is shown.
        newest: the newest number, in words.
        top_label: what the line at the top of the scale stands for.
        path: an SVG path through the points.
        newest_x, newest_y: where the newest point is.
        fitted: an SVG path of the straight line through them; None where it's not clear.
        first, last: the days at both ends.
        description: the chart in words.
    """

    title: str
    newest: str
    top_label: str
    path: str
    newest_x: float
    newest_y: float
    fitted: str | None
    first: str
    last: str
    description: str


def time_chart(
    title: str, points: Sequence[Point], line: TrendLine | None, in_words: Callable[[float], str]
) -> TimeChart:
    """Draws a number over time, from zero on.

    Args:
        title: what is shown.
        points: oldest first; at least two, at two moments.
        line: through them, if one is clear enough to be shown.
        in_words: how a number is read.
    """
    begin, end = points[0].at, points[-1].at
    whole = (end - begin).total_seconds()
    top = max(point.value for point in points) or 1.0

    def place(point: Point) -> tuple[float, float]:
        across = (point.at - begin).total_seconds() / whole
        height = min(max(point.value, 0.0) / top, 1.0)
        return round(_MARGIN + across * (WIDTH - 2 * _MARGIN), 1), round(BASE - (BASE - TOP) * height, 1)

    def path(through: Sequence[Point]) -> str:
        return "M" + "L".join(f"{x} {y}" for x, y in map(place, through))

    newest_x, newest_y = place(points[-1])
    first, last = f"{begin:%Y-%m-%d}", f"{end:%Y-%m-%d}"
    said = f"{title}: {in_words(points[0].value)} on {first}, {in_words(points[-1].value)} on {last}"
    return TimeChart(
        title=title,
        newest=in_words(points[-1].value),
        top_label=in_words(top),
        path=path(points),
        newest_x=newest_x,
        newest_y=newest_y,
        fitted=path([Point(at, line.value_at(at)) for at in (begin, end)]) if line else None,
        first=first,
        last=last,
        description=f"{said}, {len(points)} points.",
    )
