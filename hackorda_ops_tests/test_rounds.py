"""Looking again and again until the time is up."""

from dataclasses import dataclass, field

from hackorda_ops.rounds import rounds


@dataclass
class Clock:
    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_it_looks_at_once_after_every_pause_and_once_more_at_the_end() -> None:
    clock = Clock()
    looks = [clock.now for _ in rounds(5, pause_seconds=2, monotonic=clock.monotonic, sleep=clock.sleep)]
    assert looks == [100, 102, 104, 105]
    assert clock.slept == [2, 2, 1]


def test_it_looks_once_where_there_is_no_time_at_all() -> None:
    clock = Clock()
    assert len(list(rounds(0, pause_seconds=2, monotonic=clock.monotonic, sleep=clock.sleep))) == 1
    assert clock.slept == []


def test_a_slow_look_is_not_followed_by_a_pause_that_nobody_has_time_for() -> None:
    clock = Clock()
    for _ in rounds(5, pause_seconds=2, monotonic=clock.monotonic, sleep=clock.sleep):
        clock.now += 10
    assert clock.slept == []
