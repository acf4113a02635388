"""Requests a Neon branch once, although a request may be lost, refused for now, or carried out without an answer."""

from datetime import UTC, datetime
from typing import assert_never

from hackorda_ops.history.labels import Label
from hackorda_ops.history.points import AtHead, AtLsn, AtTime, HistoryPoint
from hackorda_ops.neon import refusals
from hackorda_ops.neon.client import NeonClient
from hackorda_ops.neon.labels import is_ours
from hackorda_ops.neon.models import CreatedBranch, LabelledBranch
from hackorda_ops.neon.operations import LONGEST_POLL_SECONDS, operations_of
from hackorda_ops.neon.refusals import RefusalCode
from hackorda_ops.neon.transport import AnswerLost

# After a lost answer, the branch is looked for this long before it's requested again: it may still appear.
_LOOK_FOR_SECONDS = 10.0
_RECONCILE_BUDGET_SECONDS = 180.0
# How long a freshly written position may be unknown to Neon's storage.
_POSITION_BUDGET_SECONDS = 30.0


def request_branch(
    client: NeonClient,
    *,
    name: str,
    label: Label,
    point: HistoryPoint,
    expires_at: datetime | None,
    parent_id: str | None,
) -> CreatedBranch:
    """Has the branch created exactly once, even if answers are lost. Its operations may still be running.

    Args:
        client: of the project.
        name: unique: a branch of this name with the whole label is the one requested here.
        label: whose it is.
        point: where it leaves its parent.
        expires_at: aware; None for a branch that needs children. Left out if the plan does not allow it.
        parent_id: default: the project's default branch.

    Raises:
        NeonRefused: Neon refused permanently.
        NeonUnavailable: no usable answer within the budgets; then a branch of this name may exist.
    """
    place: dict[str, str] = {"name": name, **_point_fields(point)}
    if parent_id is not None:
        place["parent_id"] = parent_id
    started = client.clock.monotonic()
    request: dict[str, object] = {
        # Neon accepts an expiry in whole seconds.
        "branch": place
        if expires_at is None
        else place | {"expires_at": _rfc3339(expires_at.replace(microsecond=0))},
        # Without an endpoint there is no compute. Its settings are the plan's defaults: naming one may be refused.
        "endpoints": [{"type": "read_write"}],
        "annotation_value": label.annotation(),
    }
    while True:
        spent = client.clock.monotonic() - started
        try:
            answer = client.create_branch(request, name=name)
        except AnswerLost:
            found = _find_ours(client, name, label)
            if found is not None:
                return CreatedBranch(branch=found.branch, operations=operations_of(client, found.branch.id))
            if spent > _RECONCILE_BUDGET_SECONDS:
                raise
            # The name is unique: if the first request was carried out after all, this one gets a 409.
            continue
        if isinstance(answer, CreatedBranch):
            return answer
        code = refusals.code_of(answer.status, answer.error)
        if code is RefusalCode.NAME_TAKEN:
            found = _find_ours(client, name, label)
            if found is not None:
                return CreatedBranch(branch=found.branch, operations=operations_of(client, found.branch.id))
        if code is RefusalCode.SETTING_NOT_IN_PLAN and request["branch"] != place:
            # Not every plan allows an expiry. It is only our second safeguard, so go without.
            request = request | {"branch": place}
            continue
        # Neon's compute writes WAL before its storage has it.
        if code is not RefusalCode.POSITION_NOT_REACHED or spent >= _POSITION_BUDGET_SECONDS:
            raise refusals.refused(f"create the branch {name}", answer.status, answer.error)
        client.clock.sleep(LONGEST_POLL_SECONDS)


def _point_fields(point: HistoryPoint) -> dict[str, str]:
    match point:
        case AtHead():
            return {}
        case AtLsn(lsn):
            return {"parent_lsn": lsn}
        case AtTime(time):
            return {"parent_timestamp": _rfc3339(time)}
        case _:
            assert_never(point)


def _rfc3339(time: datetime) -> str:
    if time.tzinfo is None:
        raise ValueError(f"{time} has no time zone")
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _find_ours(client: NeonClient, name: str, label: Label) -> LabelledBranch | None:
    for _ in client.clock.rounds(_LOOK_FOR_SECONDS, pause_seconds=LONGEST_POLL_SECONDS):
        for found in client.branches(search=name):
            if found.branch.name == name and found.annotation == label.annotation() and is_ours(found):
                return found
    return None
