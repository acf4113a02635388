"""A clock for tests: budgets of minutes pass in moments."""

import time
from dataclasses import dataclass, field

from hackorda_ops.neon.retry import Clock


@dataclass
class HurriedClock:
    """Time that passes by sleeping only; `pace` is how many real seconds a second of it takes."""

    pace: float = 0.0
    now: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.now, sleep=self._sleep, chance=lambda: 0.5)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds
        self.sleeps.append(seconds)
        time.sleep(seconds * self.pace)
