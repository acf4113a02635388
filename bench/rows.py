"""The rows of the table: what is measured, beside what, and how good it must be."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["times", "ms a table", "s", "MB"]


@dataclass(frozen=True)
class Row:
    """One measured figure.

    Attributes:
        what: in words.
        value: the figure.
        unit: "times" for a ratio to the bare tools of the same run.
        goal: what it must not exceed; None where it's shown beside others, and means nothing by itself.
        seconds: the median wall-clock time of the measured variant; None where the figure is all there is.
        beside_seconds: that of the bare tools.
        cpu_seconds: processor time of all our processes together, the servers' not among it.
        peak_bytes: their most memory together.
    """

    what: str
    value: float
    unit: Unit
    goal: float | None
    seconds: float | None = None
    beside_seconds: float | None = None
    cpu_seconds: float | None = None
    peak_bytes: int | None = None

    @property
    def met(self) -> bool:
        """Whether the goal is met, if there is one."""
        return self.goal is None or self.value <= self.goal

    @property
    def far_off(self) -> bool:
        """Whether a ratio is more than twice what it may be: no noise of a machine explains that.

        Seconds and bytes say as much of the machine as of the product, so they are only shown.
        """
        return self.unit == "times" and self.goal is not None and self.value > 2 * self.goal

    @property
    def shown(self) -> str:
        """The figure with its unit."""
        return f"{self.value:.2f} {self.unit}" if self.unit != "MB" else f"{self.value:.0f} MB"

    @property
    def shown_goal(self) -> str:
        """The goal with its unit; nothing where there is none."""
        if self.goal is None:
            return ""
        return f"{self.goal:g}" if self.unit == "times" else f"{self.goal:g} {self.unit}"
