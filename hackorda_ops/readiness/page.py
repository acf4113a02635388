"""Readiness as one self-contained HTML page: no network, no script, no font."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hackorda_ops.calendar.partitions import quarter_name
from hackorda_ops.drill.report import charts
from hackorda_ops.drill.report.charts import Gauge, TrendChart
from hackorda_ops.drill.report.html import templates
from hackorda_ops.readiness.assessment import Readiness
from hackorda_ops.readiness.charts import TimeChart, time_chart
from hackorda_ops.readiness.forecast import LEAST_NIGHTS, fit
from hackorda_ops.readiness.judgement import WORDS, Word
from hackorda_ops.readiness.overdue import OverdueKind
from hackorda_ops.words import duration, size

# Three years of quarters, as in a drill's own report.
_DRILLS_SHOWN = 12
# The colours and marks of a drill's verdict.
_LIKE: Final[dict[Word, str]] = {
    "OK": "PASS",
    "AT RISK": "ERROR",
    "OVERDUE": "FAIL",
    "UNKNOWN": "ERROR",
    "UNPROTECTED": "FAIL",
}
_STATES: Final = {"PASS": "good", "FAIL": "bad", "ERROR": "unsure"}
_TITLES: Final[dict[OverdueKind, str]] = {
    "night": "Nightly dump",
    "proof": "Proof of a night",
    "week": "Off-site copy",
    "quarter": "Proven drill",
    "year": "Recovery exercise",
}


@dataclass(frozen=True)
class _Shown:
    """A database on the page: what is known of it, and its charts where there's enough to draw."""

    ready: Readiness
    gauges: tuple[Gauge, ...]
    recovery: TrendChart | None
    change_percent: float | None
    sizes: TimeChart | None


def page(databases: Sequence[Readiness], at: datetime) -> str:
    """The page's text.

    Args:
        databases: all of them; at least one.
        at: when they were looked at, aware.
    """
    worst = max((each.judgement.word for each in databases), key=WORDS.index)
    return (
        templates("hackorda_ops.readiness")
        .get_template("readiness.html.jinja")
        .render(
            shown=[_shown(each) for each in databases],
            worst=worst,
            at=at,
            in_order=sum(each.judgement.word == "OK" for each in databases),
            like=_LIKE,
            states=_STATES,
            titles=_TITLES,
            geometry=charts,
        )
    )


def _shown(ready: Readiness) -> _Shown:
    measured = [each.recovery_seconds for each in ready.drills if each.recovery_seconds]
    return _Shown(
        ready=ready,
        gauges=(
            charts.gauge("Recovery time", ready.recovery_seconds, ready.recovery_time_objective_seconds),
            charts.gauge("Recovery point", ready.exposed_seconds, ready.recovery_point_objective_seconds),
        ),
        recovery=_recovery(ready),
        change_percent=(measured[-1] / measured[-2] - 1) * 100 if len(measured) > 1 else None,
        sizes=_sizes(ready),
    )


def _recovery(ready: Readiness) -> TrendChart | None:
    if not ready.drills:
        return None
    records = [
        {
            "quarter": quarter_name(each.quarter),
            "verdict": each.verdict,
            "recovery_seconds": each.recovery_seconds,
        }
        for each in ready.drills[-_DRILLS_SHOWN:]
    ]
    return charts.trend_chart(
        "Recovery time, by drill",
        records,
        "recovery_seconds",
        duration,
        objective_seconds=ready.recovery_time_objective_seconds,
    )


def _sizes(ready: Readiness) -> TimeChart | None:
    points = ready.sizes
    if len(points) < 2 or points[0].at == points[-1].at:
        return None
    line = fit(points, LEAST_NIGHTS)
    return time_chart("Size of a night", points, line if line and line.is_clear else None, size)
