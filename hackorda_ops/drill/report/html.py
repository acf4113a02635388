"""A drill as one self-contained HTML page: no network, no script, no font."""

from collections.abc import Sequence
from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from hackorda_ops.calendar.partitions import quarter_name
from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.drill.report import charts, frames
from hackorda_ops.drill.report.compared import compared
from hackorda_ops.drill.report.words import (
    all_checks,
    branch_words,
    by_hand,
    by_hand_title,
    data_loss_seconds,
    ended_early,
    meaning,
    next_step,
    outcomes,
    pending,
    proven,
    run_url,
    schema_change,
    server,
    tables_equal,
    title_of,
    why_no_data_loss,
    why_no_recovery_time,
)
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.words import counted, duration, moment, size, visible

# A page of 5,000 tables helps nobody, and is slow to load; the CSV next to it has them all.
TABLES_SHOWN = 500
FINDINGS_SHOWN = 100
# Enough to tell two digests apart by eye; the CSV has them whole.
_DIGEST_SHOWN = 12


def page(result: DrillResult, past: Sequence[DrillResult]) -> str:
    """The page's text.

    Args:
        result: the drill.
        past: other drills of the same database, for the trend, in any order.
    """
    trend = frames.trend(result, past)
    drills = frames.records(trend)
    tables = frames.records(frames.comparison(result).head(TABLES_SHOWN))
    return (
        templates("hackorda_ops.drill.report")
        .get_template("report.html.jinja")
        .render(
            result=result,
            follows=consequence_of(result) if result.verdict == "FAIL" else None,
            meaning=meaning(result),
            checks=all_checks(result),
            title_of=title_of,
            findings=result.findings[:FINDINGS_SHOWN],
            compared=compared(result),
            by_hand=by_hand(result),
            by_hand_title=by_hand_title(result),
            next_step=next_step(result),
            run_url=run_url(result),
            outcomes=outcomes(result),
            server=server(result),
            tables_equal=tables_equal(result),
            ended_early=ended_early(result),
            why_not={each.name: each.summary for each in all_checks(result)},
            tables=tables,
            gauges=(
                charts.gauge(
                    "Recovery time",
                    result.recovery_seconds,
                    result.recovery_objective_seconds,
                    otherwise=why_no_recovery_time(result),
                ),
                charts.gauge(
                    "Data loss",
                    data_loss_seconds(result),
                    result.recovery_point_objective_seconds,
                    otherwise=why_no_data_loss(result),
                    counts=proven(result),
                ),
            ),
            stages=charts.stage_bars(result.stages),
            drills=drills,
            charts=(
                charts.trend_chart(
                    "Recovery time",
                    drills,
                    "recovery_seconds",
                    duration,
                    objective_seconds=result.recovery_objective_seconds,
                ),
                charts.trend_chart("Rows in the backup", drills, "rows", lambda rows: f"{rows:,.0f}"),
                charts.trend_chart("Size of the backup", drills, "size_bytes", size),
            ),
            changes=tuple(
                frames.change_percent(trend, column) for column in ("recovery_seconds", "rows", "size_bytes")
            ),
            geometry=charts,
        )
    )


def _signed_percent(percent: float) -> str:
    return f"{percent:+,.1f} %" if abs(percent) < 100 else f"{percent:+,.0f} %"


@cache
def templates(package: str) -> Environment:
    """The templates of a package's pages, with the style and the pieces of the report's own."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("hackorda_ops.drill.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Before the escaping; whatever the template prints passes through here.
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    environment.filters |= {
        "quarter": quarter_name,
        "moment": moment,
        "duration": duration,
        "size": size,
        "thousands": lambda number: f"{number:,}",
        "signed_percent": _signed_percent,
        "start_of_digest": lambda digest: digest[:_DIGEST_SHOWN],
    }
    environment.globals |= {
        "counted": counted,
        "pending": pending,
        "schema_change": schema_change,
        "branch_words": branch_words,
    }
    return environment
