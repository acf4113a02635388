"""When an objective breaks if things go on as they did: a straight line by least squares, and how far to trust it.

All pure. A line through few points, or one less steep than its own uncertainty, says nothing, and
that's what is reported then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, linear_regression
from typing import Final, Literal

# A year of quarterly drills, and two weeks of nights.
LEAST_DRILLS: Final = 4
LEAST_NIGHTS: Final = 14
# Beyond this nobody should believe a straight line.
_HORIZON: Final = timedelta(days=3 * 365)
# Twice the standard error: what is less steep may as well be chance.
_CERTAIN: Final = 2.0
_DAY_SECONDS: Final = 86_400.0

ForecastOutcome = Literal[
    "too few points", "no clear trend", "never", "not for years", "on a day", "broken already"
]


@dataclass(frozen=True)
class Point:
    """A number at a moment."""

    at: datetime
    value: float


@dataclass(frozen=True)
class TrendLine:
    """A straight line through points.

    Attributes:
        start: of its scale, the first point's moment.
        value_at_start: its height there, not the first point's.
        per_day: how steep it is.
        error_per_day: the standard error of that.
    """

    start: datetime
    value_at_start: float
    per_day: float
    error_per_day: float

    def value_at(self, when: datetime) -> float:
        """Its height at a moment."""
        return self.value_at_start + self.per_day * (when - self.start).total_seconds() / _DAY_SECONDS

    @property
    def is_clear(self) -> bool:
        """Whether it's steeper than chance would make it."""
        return abs(self.per_day) > _CERTAIN * self.error_per_day


@dataclass(frozen=True)
class Forecast:
    """When a number goes beyond its objective.

    Attributes:
        outcome: in a word.
        at: the day, with "on a day"; None otherwise.
        sentence: it in words.
    """

    outcome: ForecastOutcome
    at: datetime | None
    sentence: str

    @property
    def says_nothing(self) -> bool:
        """Whether there's no trend to go by."""
        return self.outcome in {"too few points", "no clear trend"}


def fit(points: Sequence[Point], least: int) -> TrendLine | None:
    """The line through points by least squares; None where they are too few, or all at the same moment.

    Args:
        points: in any order.
        least: how many are needed, 3 or more.
    """
    if len(points) < least:
        return None
    start = min(point.at for point in points)
    days = [(point.at - start).total_seconds() / _DAY_SECONDS for point in points]
    values = [point.value for point in points]
    if len(set(days)) == 1:
        return None
    per_day, at_start = linear_regression(days, values)
    residual = sum((value - at_start - per_day * day) ** 2 for day, value in zip(days, values, strict=True))
    middle = fmean(days)
    spread = sum((day - middle) ** 2 for day in days)
    return TrendLine(start, at_start, per_day, (residual / (len(points) - 2) / spread) ** 0.5)


def forecast(
    points: Sequence[Point],
    limit: float,
    now: datetime,
    *,
    least: int,
    subject: str,
    limit_in_words: str,
    noun: str,
    in_words: Callable[[float], str],
) -> Forecast:
    """When a number goes beyond its limit.

    Args:
        points: oldest first.
        limit: what it must not go beyond.
        now: aware.
        least: how many points make a trend.
        subject: the number, as a sentence begins with it: "The recovery time".
        limit_in_words: the limit, and what it means: "its objective, 30 min".
        noun: what the points are: "drill".
        in_words: how the number is read.
    """
    if points and points[-1].value > limit:
        said = f"{subject}, {in_words(points[-1].value)}, is beyond {limit_in_words}."
        return Forecast("broken already", None, said)
    line = fit(points, least)
    if line is None:
        enough = f"a forecast needs {least} or more"
        return Forecast(
            "too few points", None, f"Too few points: {len(points)} measured {noun}(s), and {enough}."
        )
    if not line.is_clear:
        return Forecast(
            "no clear trend", None, f"{subject} shows no clear trend over {len(points)} measured {noun}s."
        )
    monthly = in_words(abs(line.per_day) * 30)
    if line.per_day <= 0:
        return Forecast("never", None, f"{subject} is not growing: it falls by {monthly} in 30 days.")
    grows = f"{subject} grows by {monthly} in 30 days"
    days = (limit - line.value_at(now)) / line.per_day
    if days > _HORIZON.days:
        return Forecast("not for years", None, f"{grows}, and is far from {limit_in_words}.")
    at = now + timedelta(days=max(days, 0))
    return Forecast("on a day", at, f"{grows}: at this rate it reaches {limit_in_words}, on {at:%Y-%m-%d}.")
