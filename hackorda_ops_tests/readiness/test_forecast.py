"""The straight line through past numbers, and what is told of it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from hackorda_ops.readiness.forecast import Forecast, ForecastOutcome, Point, fit, forecast
from hackorda_ops.words import duration
from hackorda_ops_tests.readiness.kept import utc

BEGIN = utc(1, 1)
NOW = BEGIN + timedelta(days=100)


def every_ten_days(*values: float) -> list[Point]:
    return [Point(BEGIN + timedelta(days=10 * number), value) for number, value in enumerate(values)]


def foretold(points: Sequence[Point], limit: float = 1800) -> Forecast:
    return forecast(
        points,
        limit,
        NOW,
        least=4,
        subject="The recovery time",
        limit_in_words="its objective, 30 min",
        noun="drill",
        in_words=duration,
    )


def test_points_on_a_line_give_that_line_and_its_day() -> None:
    points = every_ten_days(600, 700, 800, 900)
    line = fit(points, 4)
    assert line is not None
    assert (round(line.per_day, 6), round(line.value_at_start, 6), round(line.error_per_day, 6)) == (
        10,
        600,
        0,
    )
    assert line.is_clear

    told = foretold(points)
    # 600 s and 10 s more a day: 1,800 s after 120 days.
    assert (told.outcome, told.at) == ("on a day", BEGIN + timedelta(days=120))
    assert told.sentence == (
        "The recovery time grows by 5 min in 30 days: at this rate it reaches its objective, 30 min, on 2026-05-01."
    )


def test_the_uncertainty_is_that_of_least_squares() -> None:
    line = fit(every_ten_days(1, 3, 2, 5, 4), 4)
    assert line is not None
    # By hand: slope 0.8 a step, residuals of 3.6 in all over 3 degrees of freedom, spread 10 steps squared.
    assert line.per_day == pytest.approx(0.08)
    assert line.error_per_day == pytest.approx((3.6 / 3 / 10) ** 0.5 / 10)
    assert line.is_clear


@pytest.mark.parametrize(
    ("values", "outcome", "said"),
    [
        ([], "too few points", "Too few points: 0 measured drill(s), and a forecast needs 4 or more."),
        (
            [600, 700, 800],
            "too few points",
            "Too few points: 3 measured drill(s), and a forecast needs 4 or more.",
        ),
        (
            [600, 900, 500, 800],
            "no clear trend",
            "The recovery time shows no clear trend over 4 measured drills.",
        ),
        (
            [600, 600, 600, 600],
            "no clear trend",
            "The recovery time shows no clear trend over 4 measured drills.",
        ),
        ([900, 800, 700, 600], "never", "The recovery time is not growing: it falls by 5 min in 30 days."),
        (
            [600, 600.1, 600.2, 600.3],
            "not for years",
            "The recovery time grows by 0.3 s in 30 days, and is far from its objective, 30 min.",
        ),
        (
            [600, 700, 800, 2000],
            "broken already",
            "The recovery time, 33 min 20 s, is beyond its objective, 30 min.",
        ),
        ([2000], "broken already", "The recovery time, 33 min 20 s, is beyond its objective, 30 min."),
    ],
)
def test_what_cannot_be_foretold_is_said_so(values: list[float], outcome: ForecastOutcome, said: str) -> None:
    assert foretold(every_ten_days(*values)) == Forecast(outcome, None, said)


def test_a_line_that_has_reached_the_limit_breaks_it_now() -> None:
    told = foretold(every_ten_days(900, 1200, 1500, 1795))
    assert (told.outcome, told.at) == ("on a day", NOW)


def test_points_of_one_moment_make_no_line() -> None:
    assert fit([Point(BEGIN, value) for value in (1, 2, 3, 4)], 4) is None
