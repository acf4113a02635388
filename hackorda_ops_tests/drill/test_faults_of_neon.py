"""Every fault of Neon's API at every call of a drill: it passes, or ends in one clear error, and leaves no branch."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hackorda_ops.errors import OpsError
from hackorda_ops.local.neon import LocalNeon
from hackorda_ops.local.neon.faults import Fault, Garbled, Misbehaviour, ProjectPlan, Slow
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops.scratch import registry
from hackorda_ops.scratch.sweep import sweep
from hackorda_ops_tests.drill.fault_matrix import MATRIX, Matrix
from hackorda_ops_tests.drill.fixtures import Night, Shipped, on_neon, own_branches
from hackorda_ops_tests.neon.calls import Call
from hackorda_ops_tests.neon.clocks import HurriedClock

pytestmark = pytest.mark.server


CALLS = (
    Call("listProjectBranches", 0, "sweep"),
    Call("getProject", 0, "project"),
    Call("createProjectBranch", 0, "create"),
    Call("getProjectOperation", 0, "operation"),
    Call("getProjectBranch", 0, "ready"),
    Call("listProjectBranchDatabases", 0, "databases"),
    Call("getConnectionURI", 0, "uri"),
    Call("listProjectBranchEndpoints", 0, "parent"),
    Call("listProjectBranches", 1, "whose"),
    # Refused once, it's taken for the deletion for good, which not every account has.
    Call("deleteProjectBranch", 0, "delete", times=2),
    # A list is of two pages where there is something on the first.
    Call("listProjectBranches", 3, "gone"),
)
# More often than any budget allows to ask again.
_TOO_OFTEN = 60


def _status(status: int | None, **details: Any) -> Callable[[Call], list[Misbehaviour]]:
    return lambda call: [Fault(call.operation, status, after=call.before, **{"times": call.times, **details})]


LASTING = "423 for good"
FAULTS: dict[str, Callable[[Call], list[Misbehaviour]]] = {
    "400 bad parameter": _status(400, message="requested history retention exceeds allowed maximum"),
    "401 bad key": _status(401, message="authentication credentials are not valid"),
    "403 not allowed": _status(403),
    "404 unknown": _status(404, message="not found"),
    "409 duplicate": _status(409, message="already exists"),
    "412 not on this plan": _status(412, message="suspend interval is too short for your plan"),
    "422 branch limit": _status(422, code="BRANCHES_LIMIT_EXCEEDED", message="branches limit exceeded"),
    "422 endpoint limit": _status(422, code="ENDPOINTS_LIMIT_EXCEEDED", message="endpoints limit exceeded"),
    "422 protected": _status(422, message="cannot delete protected branch"),
    "422 has children": _status(422, message="cannot delete branch that has children"),
    "422 not ready yet": _status(422, message="branch not ready yet"),
    "423 conflict": _status(423, message="project already has running conflicting operations"),
    LASTING: _status(423, message="project already has running conflicting operations", times=_TOO_OFTEN),
    "429 Retry-After": _status(429, retry_after="3"),
    "503 unavailable": _status(503),
    "524, done": _status(524, carried_out=True),
    "524, not done": _status(524),
    "answer lost, done": _status(None, carried_out=True),
    "answer lost, not done": _status(None),
    "answer garbled": lambda call: [Garbled(call.operation, after=call.before)],
    "answer slow": lambda call: [Slow(call.operation, 0.2, after=call.before)],
}


# A whole drill takes seconds, so each call is the faulty one in one of them, each time by another fault.
DIAGONAL = [
    pytest.param(fault, call, id=f"{fault}, {call.purpose}")
    for fault, call in zip(list(FAULTS)[::2], CALLS, strict=False)
]

# What is no single call's fault: how the project is, or how its work ends.
PLANS = [
    pytest.param(ProjectPlan(branches_limit=1), "ERROR", id="branch limit reached"),
    pytest.param(ProjectPlan(stores_passwords=False), "ERROR", id="no passwords stored"),
    pytest.param(ProjectPlan(takes_expiry=False), "PASS", id="no expiry"),
    pytest.param(ProjectPlan(pooled_hosts=True), "ERROR", id="pooled addresses"),
    pytest.param(ProjectPlan(branches_become_ready=False), "ERROR", id="branch never ready"),
    pytest.param(
        ProjectPlan(operations_end_as={"start_compute": "running"}), "ERROR", id="compute never starts"
    ),
    pytest.param(ProjectPlan(operations_end_as={"start_compute": "failed"}), "ERROR", id="compute fails"),
    pytest.param(
        ProjectPlan(operations_end_as={"delete_timeline": "running"}), "ERROR", id="deletion never ends"
    ),
]


@pytest.fixture
def drilled(
    tiny: Night,
    neon: LocalNeon,
    one_clone: None,
    ship: Callable[[Night], Shipped],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Shipped]:
    hurried = HurriedClock(pace=0.01)
    monkeypatch.setattr("hackorda_ops.neon.client.Clock", hurried.clock)
    yield on_neon(ship(tiny), neon)
    neon.change_plan(ProjectPlan())
    neon.forget_faults()
    assert own_branches(neon) == []


def nothing_stays(protected: Shipped, neon: LocalNeon) -> bool:
    """Whether no branch was left; one that was is swept, and then there is none."""
    left = own_branches(neon)
    if left:
        assert list(sweep(protected)) == left
        assert own_branches(neon) == []
    return not left


def scratch_used(protected: Shipped) -> OpsError | None:
    """The error of a drill's dealings with Neon, without the restore; None where it got through."""
    source = parse(protected.environ["DATABASE_URL"], origin="test")
    drill_id = f"20261108T060000Z-{secrets.token_hex(3)}"
    try:
        with registry.opened(protected, source) as scratch:
            scratch.sweep()
            with scratch.opened(protected.manifest, drill_id) as place:
                place.new_database("restore")
    except OpsError as error:
        return error
    return None


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_call_is_got_over_or_ends_in_a_clear_error_and_leaves_no_branch(
    drilled: Shipped, neon: LocalNeon, fault: str, request: pytest.FixtureRequest
) -> None:
    matrix = request.config.stash.setdefault(MATRIX, Matrix())
    for call in CALLS:
        neon.misbehave(*FAULTS[fault](call))

        error = scratch_used(drilled)

        assert neon.forget_faults() == 0 or fault == LASTING, f"no {call.purpose} met the fault"
        gone = nothing_stays(drilled, neon)
        if error is None:
            assert gone
        else:
            assert error.what
            assert error.next_step
            assert neon.api_key not in str(error)
        matrix.put(fault, call.purpose, "passes" if error is None else "error" if gone else "error, swept")


@pytest.mark.parametrize(("fault", "call"), DIAGONAL)
def test_a_whole_drill_that_meets_a_fault_passes_or_is_an_error_and_never_a_fail(
    drilled: Shipped, neon: LocalNeon, fault: str, call: Call
) -> None:
    neon.misbehave(*FAULTS[fault](call))

    result = drilled.drill()

    neon.forget_faults()
    assert nothing_stays(drilled, neon) or result.verdict == "ERROR"
    assert result.verdict in {"PASS", "ERROR"}, result.findings
    assert (result.verdict == "ERROR") == (result.error is not None)
    assert neon.api_key not in repr(result)
    assert drilled.fetched == []


@pytest.mark.parametrize(("plan", "verdict"), PLANS)
def test_a_project_that_is_not_as_a_drill_needs_it_is_an_error_and_never_a_fail(
    drilled: Shipped, neon: LocalNeon, plan: ProjectPlan, verdict: str
) -> None:
    neon.change_plan(plan)

    result = drilled.drill()

    neon.change_plan(ProjectPlan())
    assert nothing_stays(drilled, neon) or result.verdict == "ERROR"
    assert result.verdict == verdict, (result.error, result.findings)
