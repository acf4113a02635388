"""No wait is without a limit, and the table of them is what the code has."""

import pytest

from hackorda_ops_tests import waits


def test_the_table_of_waits_is_as_the_code_has_it() -> None:
    assert waits.PAGE.read_text(encoding="utf-8") == waits.page(), "run `make docs`"


def test_no_call_waits_without_a_limit_or_a_reason() -> None:
    found = set(waits.unbounded())
    assert found - set(waits.ALLOWED) == set(), "give it a limit, or say in waits.ALLOWED why it ends"
    assert set(waits.ALLOWED) - found == set(), "waits.ALLOWED lists what is no longer there"


@pytest.mark.parametrize(
    "source",
    [
        "thread.join()",
        "queue.get()",
        "future.result()",
        "event.wait()",
        "lock.acquire()",
        "subprocess.run(['true'])",
        "httpx.post(url)",
        "httpx.Client(base_url=url)",
        "psycopg.connect(url)",
        "socket.create_connection(address)",
        "wait(futures)",
        "fcntl.flock(handle, fcntl.LOCK_EX)",
        "child.run(['true'], deadline_seconds=None)",
    ],
)
def test_a_call_without_a_limit_is_found(source: str) -> None:
    assert list(waits.unbounded_in(source))


@pytest.mark.parametrize(
    "source",
    [
        "', '.join(names)",
        "found.get('key')",
        "event.wait(1)",
        "queue.get(timeout=1)",
        "subprocess.run(['true'], timeout=1)",
        "psycopg.connect(url, connect_timeout=1)",
        "socket.create_connection(address, 1)",
        "wait(futures, 1)",
        "fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)",
    ],
)
def test_a_call_with_a_limit_is_not(source: str) -> None:
    assert not list(waits.unbounded_in(source))
