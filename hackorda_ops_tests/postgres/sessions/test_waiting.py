"""Who stands behind whom in a queue of locks."""

from hackorda_ops.postgres.sessions.waiting import Waiter, queue_of


def waiter(pid: int, seconds: float = 1.0) -> Waiter:
    return Waiter(pid, "app", "app", "AccessShareLock", "relation", 5, 16384, seconds)


def blockers(**by_pid: set[int]) -> dict[int, frozenset[int]]:
    return {int(name.removeprefix("p")): frozenset(found) for name, found in by_pid.items()}


def test_who_waits_behind_one_that_waits_behind_ours_waits_behind_ours() -> None:
    queue = queue_of([1], [waiter(2), waiter(3), waiter(4)], blockers(p2={1}, p3={2}, p4={3}))

    assert [each.pid for each in queue.behind] == [2, 3, 4]
    assert (queue.held_up, queue.entangled) == ((), False)


def test_who_waits_for_somebody_else_is_no_matter_of_ours() -> None:
    queue = queue_of([1], [waiter(2), waiter(3)], blockers(p2={9}, p3={2}))

    assert queue.behind == ()


def test_one_of_ours_that_waits_for_another_is_held_up() -> None:
    queue = queue_of([1, 2], [waiter(2)], blockers(p2={9}))

    assert ([each.pid for each in queue.held_up], queue.behind) == ([2], ())
    assert not queue.entangled


def test_a_session_of_ours_behind_another_that_waits_behind_it_is_a_circle() -> None:
    queue = queue_of([1, 2], [waiter(7), waiter(8), waiter(2)], blockers(p7={8}, p8={2}, p2={7}))

    assert [each.pid for each in queue.behind] == [7, 8]
    assert queue.entangled


def test_a_session_of_ours_behind_another_that_waits_behind_another_of_ours_is_none_that_postgres_ends() -> (
    None
):
    # A REFRESH (7) waits for the snapshot's session (1), pg_dump (2) for the REFRESH; or a count for a deploy.
    queue = queue_of([1, 2], [waiter(7), waiter(2)], blockers(p7={1}, p2={7}))

    assert [each.pid for each in queue.behind] == [7]
    assert not queue.entangled


def test_a_circle_among_others_ends() -> None:
    queue = queue_of([1], [waiter(2), waiter(3)], blockers(p2={3, 1}, p3={2}))

    assert [each.pid for each in queue.behind] == [2, 3]
