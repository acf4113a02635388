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
        goal: what it must not exceed.
        seconds: the median wall-clock time of the measured variant; None where the figure is all there is.
        beside_seconds: that of the bare tools.
        cpu_seconds: processor time of all our processes together, the servers' not among it.
        peak_bytes: their most memory together.
    """

    what: str
    value: float
    unit: Unit
    goal: float
    seconds: float | None = None
    beside_seconds: float | None = None
    cpu_seconds: float | None = None
    peak_bytes: int | None = None

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return self.value <= self.goal

    @property
    def far_off(self) -> bool:
        """Whether it takes more than twice what it may: no noise of a machine explains that."""
        return self.value > 2 * self.goal

    @property
    def shown(self) -> str:
        """The figure with its unit."""
        return f"{self.value:.2f} {self.unit}" if self.unit != "MB" else f"{self.value:.0f} MB"
