"""What a recovery decides: which moment, which branch, which step comes next. All pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hackorda_ops.errors import PointGone, TargetRefused, UsageError
from hackorda_ops.history.base import Reach
from hackorda_ops.history.labels import PURPOSES, RECOVERY
from hackorda_ops.history.primary import LiveCopy
from hackorda_ops.hooks.hooks import HookOutcome, HookRun
from hackorda_ops.point_in_time import promotion, wanted
from hackorda_ops.point_in_time.promotion import RoleStep, Swap
from hackorda_ops.point_in_time.record import RecoveryRecord

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
RUN = "20261127T120000Z-aaaaaa"
LABEL = {"purpose": RECOVERY, "database": "shop", "run": RUN, "time": "2026-11-27T03:15:00+00:00"}
MAIN = LiveCopy("br-main", "main", default=True, protected=True)
MADE = LiveCopy(
    "br-new", "hackorda-ops-shop", default=False, protected=False, parent_id="br-main", label=LABEL
)


def test_a_time_needs_its_distance_from_utc_and_the_example_can_be_copied() -> None:
    named = wanted.time_named("2026-11-27T08:15:00+05:00", timezone="Asia/Almaty", now=NOW)
    assert named == datetime(2026, 11, 27, 3, 15, tzinfo=UTC)
    with pytest.raises(UsageError) as without:
        wanted.time_named("2026-11-27 08:15", timezone="Asia/Almaty", now=NOW)
    assert "2026-11-27T08:15:00+05:00 (Asia/Almaty)" in without.value.next_step
    with pytest.raises(UsageError, match="is not a time"):
        wanted.time_named("yesterday", timezone="UTC", now=NOW)
    with pytest.raises(UsageError, match="lies in the future"):
        wanted.time_named("2026-11-27T12:00:01Z", timezone="UTC", now=NOW)


@pytest.mark.parametrize(
    ("since", "oldest"),
    [
        (None, NOW - timedelta(days=7)),
        (NOW - timedelta(days=30), NOW - timedelta(days=7)),
        (NOW - timedelta(days=2), NOW - timedelta(days=2)),
    ],
)
def test_a_time_before_the_history_is_refused_with_how_far_it_reaches(
    since: datetime | None, oldest: datetime
) -> None:
    reach = Reach(7 * 24 * 3600, since)
    wanted.require_within(oldest, reach, now=NOW)
    with pytest.raises(PointGone) as gone:
        wanted.require_within(oldest - timedelta(seconds=1), reach, now=NOW)
    assert f"reaches back to {oldest:%Y-%m-%d %H:%M:%S} UTC only" in gone.value.what
    assert "hackorda-ops restore" in gone.value.next_step


def test_the_recovery_that_is_meant_is_the_one_of_that_time_or_id_or_the_only_one() -> None:
    other = replace(
        MADE, copy_id="br-2", label={**LABEL, "run": "20261127T130000Z-bbbbbb", "time": NOW.isoformat()}
    )
    foreign = replace(MADE, copy_id="br-3", label={**LABEL, "database": "other"})
    drill = replace(MADE, copy_id="br-4", label={**LABEL, "purpose": "drill"})
    found = wanted.recoveries([MAIN, MADE, other, foreign, drill], "shop")

    assert found == (other, MADE)
    assert wanted.chosen(found, recovery_id=None, time=datetime(2026, 11, 27, 3, 15, tzinfo=UTC)) == MADE
    assert wanted.chosen(found, recovery_id=None, time=NOW - timedelta(hours=1)) is None
    assert wanted.chosen(found, recovery_id=RUN, time=None) == MADE
    assert wanted.chosen([MADE], recovery_id=None, time=None) == MADE
    for several in (found, ()):
        with pytest.raises(UsageError):
            wanted.chosen(several, recovery_id=None, time=None)
    with pytest.raises(UsageError, match="There is no recovery x"):
        wanted.chosen(found, recovery_id="x", time=None)


def _after(step: RoleStep, copies: list[LiveCopy]) -> list[LiveCopy]:
    """The branches once a step is done."""
    return [
        replace(
            each,
            name=step.name if step.change == "rename" and each.copy_id == step.copy_id else each.name,
            default=each.copy_id == step.copy_id if step.change == "default" else each.default,
            protected=each.protected or (step.change == "protect" and each.copy_id == step.copy_id),
        )
        for each in copies
    ]


def _steps(copies: list[LiveCopy], *, back: bool) -> tuple[list[RoleStep], list[LiveCopy]]:
    taken: list[RoleStep] = []
    while True:
        # Decided anew before each, as after an interruption.
        made = next(each for each in copies if each.copy_id == "br-new")
        swap = promotion.backward(copies, made) if back else promotion.forward(copies, made)
        step = promotion.next_step(swap, copies, protects=not back)
        if step is None:
            return taken, copies
        taken.append(step)
        copies = _after(step, copies)


def test_a_promotion_renames_sets_the_default_and_protects_and_can_be_taken_back_from_wherever_it_stopped() -> (
    None
):
    forward, promoted = _steps([MAIN, MADE], back=False)

    assert [(step.copy_id, step.change, step.name) for step in forward] == [
        ("br-main", "rename", f"main-before-{RUN}"),
        ("br-new", "rename", "main"),
        ("br-new", "default", ""),
        ("br-new", "protect", ""),
    ]
    now = {each.copy_id: each for each in promoted}
    assert (now["br-new"].name, now["br-new"].default, now["br-new"].protected) == ("main", True, True)
    assert (now["br-main"].name, now["br-main"].default) == (f"main-before-{RUN}", False)

    for stopped_after in range(1, len(forward) + 1):
        copies = [MAIN, MADE]
        for step in forward[:stopped_after]:
            copies = _after(step, copies)
        _, back = _steps(copies, back=True)
        now = {each.copy_id: each for each in back}
        assert (now["br-main"].name, now["br-main"].default) == ("main", True)
        assert (now["br-new"].name, now["br-new"].default) == (f"main-recovered-{RUN}", False)


def test_a_promotion_is_refused_where_another_branch_has_become_the_primary_or_one_of_the_two_is_gone() -> (
    None
):
    other = LiveCopy("br-other", "fixed", default=True, protected=False)
    with pytest.raises(TargetRefused, match="but hackorda-ops-shop was made from br-main"):
        promotion.forward([replace(MAIN, default=False), other, MADE], MADE)
    with pytest.raises(TargetRefused, match="was not made the primary"):
        promotion.backward([MAIN, MADE], MADE)
    with pytest.raises(TargetRefused, match="br-new is gone"):
        promotion.next_step(Swap("br-new", "br-main", "main", "old"), [MAIN], protects=True)


def _run(name: str, outcome: HookOutcome, *, after: int) -> HookRun:
    return HookRun(name, name, NOW + timedelta(seconds=after), 2, outcome)


def test_a_hook_that_runs_again_makes_what_came_after_it_count_no_longer() -> None:
    record = RecoveryRecord(RUN, "shop", "br-new", NOW)
    for run in (_run("rebind", "succeeded", after=10), _run("verify", "failed", after=20)):
        record = record.with_run(run)
    assert (record.succeeded, record.verified_seconds) == ({"rebind"}, None)
    record = record.with_run(_run("verify", "succeeded", after=100))
    assert (record.succeeded, record.verified_seconds) == ({"rebind", "verify"}, 102)
    assert [run.name for run in record.with_run(_run("rebind", "succeeded", after=200)).hooks] == [
        "verify",
        "rebind",
    ]


def test_no_sweep_takes_what_a_recovery_made() -> None:
    assert RECOVERY not in PURPOSES
