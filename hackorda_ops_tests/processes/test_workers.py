"""Worker processes of our own: how they fail."""

import pytest

from hackorda_ops.errors import ToolFailed
from hackorda_ops.processes.workers import run_workers, shares


def nobody_listens(_done: int) -> None:
    pass


def test_a_worker_that_crashes_is_an_error_with_its_last_words_and_no_secret() -> None:
    with pytest.raises(ToolFailed, match=r"return code 1:\n.*No module named \*\*\*\.nowhere"):
        run_workers(
            "hackorda_ops.nowhere",
            [{}, {}],
            environment={},
            on_done=nobody_listens,
            redact=lambda text: text.replace("hackorda_ops", "***"),
        )


def test_no_work_is_done_at_once() -> None:
    assert run_workers("hackorda_ops.nowhere", [], environment={}, on_done=nobody_listens, redact=str) == []


def test_an_order_that_a_worker_does_not_understand_is_a_crash_and_not_silence() -> None:
    with pytest.raises(ToolFailed, match="KeyError"):
        run_workers(
            "hackorda_ops.postgres.archives.table_digest",
            [{"tables": []}],
            environment={},
            on_done=nobody_listens,
            redact=str,
        )


def test_small_work_is_one_workers_and_each_further_share_is_worth_its_start() -> None:
    def split(*sizes: int) -> list[int]:
        return [sum(share) for share in shares(sizes, weight=lambda size: size, count=3, least=100)]

    assert split(1, 2, 3) == [6]
    assert sorted(split(100, 99)) == [99, 100]
    assert sorted(split(*[100] * 6)) == [200, 200, 200]
    assert shares([], weight=len, count=3, least=100) == []
