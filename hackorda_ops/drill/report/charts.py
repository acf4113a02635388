"""The geometry of a report's charts: where each bar goes. The page's template only draws it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from hackorda_ops.drill.report.frames import Record
from hackorda_ops.drilling.result import Stage
from hackorda_ops.words import duration

# A trend chart's own units: about CSS pixels, so that its text is as large as the page's.
WIDTH = 320
TOP = 20
BASE = 112
_LEFT = 4
_WIDEST_COLUMN = 26
_LEAST_HEIGHT = 1.5
# What is far above the columns would flatten them all; it's then given in words.
_OBJECTIVE_WITHIN = 1.5
_ROOM_BEHIND = 1.06


@dataclass(frozen=True)
class StageBar:
    """One stage on the time line of a drill; start and width are percent of the whole."""

    stage: Stage
    start_percent: float
    width_percent: float


@dataclass(frozen=True)
class Gauge:
    """A measured time against its objective.

    Attributes:
        title: what was measured.
        seconds: None where it wasn't.
        value_percent, objective_percent: lengths on a common scale.
        otherwise: what stands in the place of a time that is None.
        counts: whether the time can be held against the objective: not where it's that of an unproven backup.
    """

    title: str
    seconds: float | None
    objective_seconds: float
    value_percent: float
    objective_percent: float
    otherwise: str = "not measured"
    counts: bool = True

    @property
    def against_objective(self) -> str:
        """The objective, and how the time stands to it."""
        objective = f"objective {duration(self.objective_seconds)}"
        if self.outcome == "unproven":
            return f"{objective}: nothing proven yet"
        return objective if self.outcome == "not measured" else f"{objective}: {self.outcome} it"

    @property
    def outcome(self) -> Literal["within", "beyond", "not measured", "unproven"]:
        """How the time stands to its objective."""
        if self.seconds is None:
            return "not measured"
        if not self.counts:
            return "unproven"
        return "within" if self.seconds <= self.objective_seconds else "beyond"


@dataclass(frozen=True)
class Column:
    """One drill in a trend chart.

    Attributes:
        x, y, width, height: of the bar, in the chart's units; no height where nothing was measured.
        tick: the quarter without its year.
        year: where it is another than the column's before.
        label: the column in words.
    """

    x: float
    y: float
    width: float
    height: float
    verdict: str
    tick: str
    year: str | None
    label: str


@dataclass(frozen=True)
class TrendChart:
    """One number over the drills.

    Attributes:
        newest: its value in the newest drill, in words.
        top_label: what the line at the top of the scale stands for.
        objective_y: where the objective's line goes; None without one, or where it's off the scale.
        objective_label: the objective in words; None without one.
    """

    title: str
    newest: str
    top_label: str
    columns: tuple[Column, ...]
    objective_y: float | None
    objective_label: str | None

    @property
    def description(self) -> str:
        """The chart in words."""
        return f"{self.title}. {'; '.join(column.label for column in self.columns)}."


def stage_bars(stages: Sequence[Stage]) -> tuple[StageBar, ...]:
    """Lays stages, which run one after the other, on a common line."""
    total = sum(stage.seconds for stage in stages) or 1.0
    starts = accumulate((stage.seconds for stage in stages), initial=0.0)
    return tuple(
        StageBar(stage, start_percent=100 * start / total, width_percent=100 * stage.seconds / total)
        for stage, start in zip(stages, starts, strict=False)
    )


def gauge(
    title: str,
    seconds: float | None,
    objective_seconds: float,
    *,
    otherwise: str = "not measured",
    counts: bool = True,
) -> Gauge:
    """Puts a time and its objective on one scale.

    Args:
        title: the gauge's heading.
        seconds: the measured time; None if it wasn't measured.
        objective_seconds: the objective.
        otherwise: what stands in the place of a time that is None.
        counts: whether the time can be held against the objective.
    """
    end = max(seconds or 0.0, objective_seconds) * _ROOM_BEHIND or 1.0
    return Gauge(
        title,
        seconds,
        objective_seconds,
        value_percent=100 * (seconds or 0.0) / end,
        objective_percent=100 * objective_seconds / end,
        otherwise=otherwise,
        counts=counts,
    )


def trend_chart(
    title: str,
    drills: Sequence[Record],
    column: str,
    in_words: Callable[[float], str],
    *,
    objective_seconds: float | None = None,
) -> TrendChart:
    """Draws one column of the trend.

    Args:
        title: what is shown.
        drills: records of `report_frames.trend`, oldest first; at least one.
        column: which of their numbers.
        in_words: how a number is read.
        objective_seconds: for times, what they're compared with.
    """
    values: list[float | None] = [drill[column] for drill in drills]
    top = max((value for value in values if value is not None), default=0.0)
    near = objective_seconds is not None and objective_seconds <= top * _OBJECTIVE_WITHIN
    scale = max(top, objective_seconds if near and objective_seconds else 0.0) or 1.0
    step = (WIDTH - 2 * _LEFT) / len(drills)
    width = min(_WIDEST_COLUMN, step * 0.7)
    columns = []
    for number, (drill, value) in enumerate(zip(drills, values, strict=True)):
        year, tick = drill["quarter"].split("-")
        earlier = drills[number - 1]["quarter"].split("-")[0] if number else None
        height = 0.0 if value is None else max((BASE - TOP) * value / scale, _LEAST_HEIGHT)
        words = "not measured" if value is None else in_words(value)
        columns.append(
            Column(
                x=round(_LEFT + step * number + (step - width) / 2, 1),
                y=round(BASE - height, 1),
                width=round(width, 1),
                height=round(height, 1),
                verdict=drill["verdict"],
                tick=tick,
                year=year if year != earlier else None,
                label=f"{drill['quarter']}: {words}, {drill['verdict']}",
            )
        )
    newest = values[-1]
    return TrendChart(
        title=title,
        newest="not measured" if newest is None else in_words(newest),
        top_label=in_words(scale) if top else "",
        columns=tuple(columns),
        objective_y=round(BASE - (BASE - TOP) * objective_seconds / scale, 1)
        if near and objective_seconds
        else None,
        objective_label=None if objective_seconds is None else duration(objective_seconds),
    )
