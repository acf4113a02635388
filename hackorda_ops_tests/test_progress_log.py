"""How much of the progress reaches the log."""

from concurrent.futures import ThreadPoolExecutor

from hackorda_ops.progress import Progress
from hackorda_ops.progress_log import ProgressLog, line


class _Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def _lines(amounts: list[int], *, total: int | None, seconds_between: float) -> list[str]:
    clock, lines = _Clock(), list[str]()
    log = ProgressLog(lines.append, clock)
    for amount in amounts:
        log(Progress("count", amount, total, "tables"))
        clock.seconds += seconds_between
    return lines


def test_the_start_and_the_end_of_a_stage_are_told_however_quick_it_is() -> None:
    assert _lines(list(range(101)), total=100, seconds_between=0.001) == [
        "count: 0 of 100 tables",
        "count: 100 of 100 tables",
    ]


def test_a_slow_stage_is_told_of_by_tenths() -> None:
    assert len(_lines(list(range(101)), total=100, seconds_between=60)) == 11


def test_lines_are_five_seconds_apart() -> None:
    assert len(_lines(list(range(0, 100, 10)), total=100, seconds_between=2.5)) == 5


def test_a_stage_without_a_known_end_is_told_of_ever_more_seldom() -> None:
    # Twelve hours of a dump that reports every second.
    lines = _lines(list(range(1, 43_200)), total=None, seconds_between=1)

    assert len(lines) < 120


def test_a_stage_that_begins_anew_is_told_of() -> None:
    assert _lines([0, 50, 100, 0, 100], total=100, seconds_between=10) == [
        "count: 0 of 100 tables",
        "count: 50 of 100 tables",
        "count: 100 of 100 tables",
        "count: 0 of 100 tables",
        "count: 100 of 100 tables",
    ]


def test_bytes_are_told_in_megabytes() -> None:
    assert line(Progress("dump", 12_345_678, None, "bytes")) == "dump: 12.3 MB"
    assert line(Progress("copy", 500_000, 2_000_000, "bytes")) == "copy: 500.0 kB of 2.0 MB"


def test_many_threads_may_tell_at_once() -> None:
    lines: list[str] = []
    log = ProgressLog(lines.append)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda amount: log(Progress("copy", amount, 1000, "files")), range(1001)))

    assert lines.count("copy: 1,000 of 1,000 files") == 1
