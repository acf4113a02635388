"""Faults of Neon's API at every call of a night: it is taken all the same, and no branch stays for good."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from hackorda_ops.config.models import Policy
from hackorda_ops.engines.postgres.night.origin import opened
from hackorda_ops.environment import Protected
from hackorda_ops.history.points import AtHead
from hackorda_ops.local.neon import LocalNeon, running_local_neon
from hackorda_ops.local.neon.faults import Fault
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.neon.branches import list_own_branches
from hackorda_ops.neon.client import open_client
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops_tests.neon.calls import Call
from hackorda_ops_tests.neon.clocks import HurriedClock
from hackorda_ops_tests.one_clone import all_of_one_clone

pytestmark = pytest.mark.server


CREATE = Call("createProjectBranch", 0, "create")
DELETE = Call("deleteProjectBranch", 0, "delete", times=2)
CALLS = (
    Call("listProjectBranches", 0, "main"),
    Call("listProjectBranchEndpoints", 0, "compute"),
    # A list is of two pages where there is something on the first.
    Call("listProjectBranches", 2, "sweep"),
    CREATE,
    Call("getProjectOperation", 0, "operation"),
    Call("getProjectBranch", 0, "ready"),
    Call("listProjectBranchDatabases", 0, "databases"),
    Call("getConnectionURI", 0, "uri"),
    Call("listProjectBranches", 3, "whose"),
    DELETE,
)


def _refused(call: Call) -> Fault:
    return Fault(call.operation, 403, after=call.before, times=call.times, message="not with this key")


def _unavailable(call: Call) -> Fault:
    return Fault(call.operation, 503, after=call.before)


def _limited(call: Call) -> Fault:
    return Fault(
        call.operation,
        422,
        after=call.before,
        times=call.times,
        code="BRANCHES_LIMIT_EXCEEDED",
        message="limit",
    )


def _lost(call: Call) -> Fault:
    return Fault(call.operation, None, after=call.before, carried_out=True)


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> str:
    made = create_database(postgres_server, f"faulty at night {secrets.token_hex(3)}")
    with psycopg.connect(made) as connection:
        connection.execute("CREATE TABLE notes AS SELECT n AS id FROM generate_series(1, 10) n")
    return made


@pytest.fixture(scope="module")
def plane(postgres_server: PostgresServer, server_folder: Path, url: str) -> Iterator[LocalNeon]:
    with (
        running_local_neon(postgres_server, server_folder / "neon-faults") as made,
        all_of_one_clone(made, AtHead()),
    ):
        yield made


@pytest.fixture
def protected(
    plane: LocalNeon, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Protected]:
    monkeypatch.setattr("hackorda_ops.neon.client.Clock", HurriedClock(pace=0.01).clock)
    environ = {
        "PATH": "/usr/bin:/bin",
        "DATABASE_URL": url,
        "NEON_PROJECT_ID": plane.project_id,
        "NEON_API_KEY": plane.api_key,
        "NEON_API_URL": plane.base_url,
    }
    yield Protected("notes", Policy.model_validate({"store": str(tmp_path / "store")}), environ)
    plane.forget_faults()


def _own_branches(plane: LocalNeon) -> list[str]:
    with open_client(plane.project_id, plane.api_key, base_url=plane.base_url) as client:
        return [found.branch.name for found in list_own_branches(client)]


def _read(protected: Protected) -> tuple[int, bool, list[str]]:
    """The rows that a night would read, whether from a branch, and what it would warn of."""
    source = parse(protected.environ["DATABASE_URL"], origin="test")
    with opened(protected, source, night=None) as origin:
        conninfo = make_conninfo("", password=origin.target.password, **origin.target.parameters)
        with psycopg.connect(conninfo) as connection:
            [(rows,)] = connection.execute("SELECT count(*) FROM notes").fetchall()
    return rows, origin.branch is not None, origin.warnings


@pytest.mark.parametrize(
    "fault",
    [_unavailable, _limited, _refused, _lost],
    ids=["503", "422 limit", "403", "answer lost, done"],
)
def test_a_fault_at_any_call_of_a_night_costs_no_backup_and_no_branch(
    protected: Protected, plane: LocalNeon, fault: Callable[[Call], Fault]
) -> None:
    for call in CALLS:
        plane.misbehave(fault(call))

        rows, from_a_branch, warnings = _read(protected)

        assert plane.forget_faults() == 0, f"no {call.purpose} met the fault"
        assert rows == 10
        assert from_a_branch or any("instead of a branch" in each for each in warnings), call.purpose
        if left := _own_branches(plane):
            assert any(left[0] in each for each in warnings), call.purpose
            assert "Removed a branch that a killed night left behind" in _read(protected)[2][0]
            assert _own_branches(plane) == []


@pytest.mark.parametrize(
    ("fault", "dumped_from"),
    [
        pytest.param(_unavailable(CREATE), "branch", id="503 at create"),
        pytest.param(_lost(CREATE), "branch", id="create's answer lost"),
        pytest.param(_limited(CREATE), "source", id="limit at create"),
        pytest.param(_refused(DELETE), "branch", id="403 at delete"),
    ],
)
def test_a_whole_night_that_meets_a_fault_is_dumped_and_says_so(
    protected: Protected, plane: LocalNeon, fault: Fault, dumped_from: str
) -> None:
    plane.misbehave(fault)

    manifest = take_night(protected).manifest

    assert (manifest.dumped_from, manifest.rows) == (dumped_from, 10)
    left = _own_branches(plane)
    assert bool(manifest.warnings) == (dumped_from == "source" or bool(left))
    if left:
        assert "not with this key" in manifest.warnings[0]
        _read(protected)
    assert _own_branches(plane) == []
