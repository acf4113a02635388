from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from hackorda_ops.errors import NeonRefused, NeonUnavailable, Stalled, TargetRefused
from hackorda_ops.history.labels import Label, source_id
from hackorda_ops.history.points import AtHead, AtLsn, AtTime, HistoryPoint
from hackorda_ops.local.neon import LocalNeon
from hackorda_ops.local.neon.faults import Fault, Garbled, ProjectPlan
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.neon.branches import (
    ScratchBranch,
    connection,
    create_branch,
    create_database,
    delete_branch,
    list_own_branches,
    without_expiry,
)
from hackorda_ops.neon.client import NeonClient, open_client
from hackorda_ops.neon.labels import unique_name
from hackorda_ops.neon.models import CreatedBranch, Operation
from hackorda_ops.neon.operations import wait_for
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse
from hackorda_ops_tests.neon.clocks import HurriedClock
from hackorda_ops_tests.neon.recording import recorded

pytestmark = pytest.mark.server

_LABEL = Label(database="hackorda", source="a1b2", run="run-1", purpose="drill")


def _create(client: NeonClient, point: HistoryPoint | None = None) -> ScratchBranch:
    return create_branch(
        client, label=_LABEL, point=point or AtHead(), expires_at=datetime.now(UTC) + timedelta(hours=6)
    )


def _session(target: ConnectionTarget) -> psycopg.Connection:
    return psycopg.connect(make_conninfo("", password=target.password, **target.parameters))


def _bare_branch(client: NeonClient, name: str, annotation: dict[str, str]) -> str:
    """Somebody's branch without a compute, which is quick to make."""
    made = client.create_branch({"branch": {"name": name}, "annotation_value": annotation}, name=name)
    assert isinstance(made, CreatedBranch)
    return made.branch.id


def test_a_branch_is_made_used_and_taken_down(neon: LocalNeon, client: NeonClient) -> None:
    expires_at = datetime.now(UTC) + timedelta(hours=6)
    branch = create_branch(client, label=_LABEL, point=AtHead(), expires_at=expires_at)
    create_database(client, branch, name="Restored 1", owner="postgres")
    target = connection(client, branch, database="Restored 1", role="postgres")
    with _session(target) as session:
        assert session.execute("SELECT current_database()").fetchone() == ("Restored 1",)
    listed = list_own_branches(client)
    delete_branch(client, branch.branch_id)

    assert branch.name.startswith("hackorda-ops-hackorda-drill-")
    assert branch.expires_at == expires_at.replace(microsecond=0)
    assert branch.parent_id == neon.main_branch_id
    assert [found.annotation for found in listed] == [_LABEL.annotation()]
    assert str(target.password) not in repr(target)
    assert list_own_branches(client) == ()
    with pytest.raises(psycopg.OperationalError):
        _session(target)


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([Fault("createProjectBranch", None, carried_out=True)], id="answer lost, done"),
        pytest.param([Fault("createProjectBranch", None)], id="answer lost, not done"),
        pytest.param([Fault("createProjectBranch", 524, carried_out=True)], id="524, done"),
        pytest.param([Fault("createProjectBranch", 524)], id="524, not done"),
        pytest.param([Garbled("createProjectBranch")], id="answer cut off"),
        pytest.param(
            [Fault("createProjectBranch", 201, carried_out=True)], id="answer of another shape, done"
        ),
        pytest.param(
            [Fault("createProjectBranch", 503, carried_out=True), Fault("listProjectBranches", None)],
            id="503, done, then 409, then a lost list",
        ),
        pytest.param(
            [
                Fault("createProjectBranch", 423),
                Fault("createProjectBranch", 429, retry_after="1"),
                Fault("createProjectBranch", 422, message="branch not ready yet"),
                Fault("getProjectOperation", 503),
                Fault("getProjectBranch", 404),
                Fault("getProjectBranch", 524),
            ],
            id="everything that passes",
        ),
    ],
)
def test_whatever_happens_to_the_request_one_branch_is_made(
    neon: LocalNeon, client: NeonClient, faults: list[Fault]
) -> None:
    neon.misbehave(*faults)

    branch = _create(client)

    assert [found.branch.id for found in list_own_branches(client)] == [branch.branch_id]
    _session(connection(client, branch, database="postgres", role="postgres")).close()


def test_a_plan_without_expiry_gets_a_branch_without_one(neon: LocalNeon, client: NeonClient) -> None:
    neon.change_plan(ProjectPlan(takes_expiry=False))

    branch = _create(client)

    assert branch.expires_at is None
    assert [branch.name in told for told in without_expiry(branch)] == [True]
    assert without_expiry(replace(branch, expires_at=datetime.now(UTC))) == ()


def test_a_branch_of_the_same_name_is_adopted_only_with_our_whole_annotation(
    neon: LocalNeon, client: NeonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hackorda_ops.neon.branches.unique_name", lambda *_, **__: "hackorda-ops-taken")
    other = _bare_branch(client, "hackorda-ops-taken", _LABEL.annotation() | {"run": "another"})

    with pytest.raises(NeonRefused, match="HTTP 409") as caught:
        _create(client)

    assert "isn't ours" in caught.value.meaning
    assert client.branch(other) is not None


def test_the_branch_limit_ends_in_one_clear_error(neon: LocalNeon, client: NeonClient) -> None:
    neon.change_plan(ProjectPlan(branches_limit=1))

    with pytest.raises(NeonRefused, match="BRANCHES_LIMIT_EXCEEDED") as caught:
        _create(client)

    assert "limit of the project's plan" in caught.value.meaning
    assert list_own_branches(client) == ()


@pytest.mark.parametrize("status", ["failed", "error", "cancelled"])
def test_a_failed_operation_is_told_and_leaves_no_branch(
    neon: LocalNeon, client: NeonClient, status: str
) -> None:
    neon.change_plan(ProjectPlan(operations_end_as={"start_compute": status}))

    with pytest.raises(NeonRefused, match=f"start_compute .* ended as {status}"):
        _create(client)

    assert list_own_branches(client) == ()


def test_an_operation_that_never_ends_is_told_and_the_sweep_finds_what_is_left(neon: LocalNeon) -> None:
    neon.change_plan(ProjectPlan(operations_end_as={"start_compute": "running"}))
    neon.misbehave(*[Fault("deleteProjectBranch", 503)] * 30)
    in_no_time = HurriedClock().clock()
    with open_client(neon.project_id, neon.api_key, base_url=neon.base_url, clock=in_no_time) as client:
        with pytest.raises(Stalled, match="is still running") as caught:
            _create(client)
        left = list_own_branches(client)

    assert [found.branch.name for found in left if found.branch.name in caught.value.__notes__[0]]


def test_an_empty_password_is_noticed(neon: LocalNeon, client: NeonClient) -> None:
    branch = _create(client)
    neon.change_plan(ProjectPlan(stores_passwords=False))

    with pytest.raises(NeonRefused, match="returns no password for the role postgres"):
        connection(client, branch, database="postgres", role="postgres")


def test_a_pooled_address_is_refused(neon: LocalNeon, client: NeonClient) -> None:
    branch = _create(client)
    neon.change_plan(ProjectPlan(pooled_hosts=True))

    with pytest.raises(TargetRefused, match="pooled address ep-local-pooler"):
        connection(client, branch, database="postgres", role="postgres")


@pytest.mark.parametrize("wrong", [{"database": "another"}, {"role": "another"}])
def test_an_address_of_another_database_or_role_is_refused(
    neon: LocalNeon, client: NeonClient, wrong: dict[str, str]
) -> None:
    branch = _create(client)
    neon.change_plan(ProjectPlan(wrong_in_uris=wrong))

    with pytest.raises(TargetRefused, match="were requested"):
        connection(client, branch, database="postgres", role="postgres")


def test_the_error_of_an_operation_is_told_without_its_secrets(client: NeonClient) -> None:
    told = "could not reach postgresql://owner:hunter2@ep-cool.neon.tech/app"
    operation = Operation(id="1", action="start_compute", status="failed", error=told)

    with pytest.raises(NeonRefused, match="could not reach") as caught:
        wait_for(client, [operation])

    assert "hunter2" not in str(caught.value)


def test_sources_are_told_apart_by_compute_and_database_and_not_by_the_way_there() -> None:
    def source(text: str) -> str:
        return source_id(parse(text, origin="test"))

    production = source("postgresql://owner:pw@ep-cool-1.eu-central-1.aws.neon.tech/app?sslmode=require")
    assert production == source("postgresql://reader:other@EP-cool-1.c-5.eu-central-1.aws.neon.tech:5432/app")
    others = {
        source("postgresql://owner:pw@ep-cool-2.eu-central-1.aws.neon.tech/app"),
        source("postgresql://owner:pw@ep-cool-1.eu-central-1.aws.neon.tech/App"),
        source("postgresql://owner:pw@db.staging.example.com/app"),
        source("postgresql://owner:pw@db.example.com/app"),
        source("postgresql://owner:pw@db.example.com:5433/app"),
        source("postgresql://owner:pw@10.0.0.1/app"),
        source("postgresql://owner:pw@10.0.0.2/app"),
    }
    assert len(others | {production}) == 8


def test_an_address_that_is_not_the_branchs_own_is_refused(neon: LocalNeon, client: NeonClient) -> None:
    elsewhere = ScratchBranch(
        neon.main_branch_id, "hackorda-ops-x", "ep-other.example.com", None, None, None, None
    )

    with pytest.raises(TargetRefused, match=r"whose compute is ep-other\.example\.com"):
        connection(client, elsewhere, database="postgres", role="postgres")


def test_a_database_that_came_with_the_clone_is_refused(
    neon: LocalNeon, client: NeonClient, postgres_server: PostgresServer
) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as session:
        session.execute('CREATE DATABASE "came along"')
    try:
        branch = _create(client)
        with pytest.raises(TargetRefused, match="already has a database called came along"):
            create_database(client, branch, name="came along", owner="postgres")
    finally:
        with psycopg.connect(postgres_server.url(), autocommit=True) as session:
            session.execute('DROP DATABASE "came along"')


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("createProjectBranchDatabase", None, carried_out=True), id="answer lost, done"),
        pytest.param(Fault("createProjectBranchDatabase", 524), id="524, not done"),
        pytest.param(Fault("createProjectBranchDatabase", 503, carried_out=True), id="503, done, then 409"),
    ],
)
def test_a_database_is_made_once_whatever_happens_to_the_request(
    neon: LocalNeon, client: NeonClient, fault: Fault
) -> None:
    branch = _create(client)
    neon.misbehave(fault)

    create_database(client, branch, name="restored", owner="postgres")

    assert "restored" in [database.name for database in client.databases(branch.branch_id)]


def test_a_position_below_the_history_is_refused_at_once(client: NeonClient, hurried: HurriedClock) -> None:
    with pytest.raises(NeonRefused, match="less than latest GC cutoff"):
        _create(client, AtLsn("0/1"))

    assert hurried.sleeps == []


def test_a_position_that_is_not_there_yet_is_waited_for_and_then_refused(
    client: NeonClient, hurried: HurriedClock
) -> None:
    with pytest.raises(NeonRefused, match="has not been reached yet"):
        _create(client, AtLsn("FF/0"))

    assert 30 <= hurried.now <= 40


def test_a_time_to_come_is_refused(client: NeonClient) -> None:
    with pytest.raises(NeonRefused, match="in the future"):
        _create(client, AtTime(datetime.now(UTC) + timedelta(hours=1)))


def test_a_time_without_a_zone_is_refused(client: NeonClient) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        _create(client, AtTime(datetime(2026, 11, 20)))  # noqa: DTZ001 (that is the point)


def test_an_outage_while_creating_ends_in_a_retryable_error(neon: LocalNeon) -> None:
    neon.misbehave(*[Fault("createProjectBranch", 524)] * 100)
    in_no_time = HurriedClock().clock()
    with (
        open_client(neon.project_id, neon.api_key, base_url=neon.base_url, clock=in_no_time) as client,
        pytest.raises(NeonUnavailable, match="HTTP 524"),
    ):
        _create(client)


@pytest.mark.parametrize("status", [400, 403, 404, 412])
def test_a_branch_is_deleted_for_good_or_where_that_is_refused_as_neon_deletes_by_default(
    neon: LocalNeon, client: NeonClient, status: int
) -> None:
    branches = [_bare_branch(client, f"hackorda-ops-{name}", _LABEL.annotation()) for name in ("a", "b")]

    with recorded() as exchanges:
        delete_branch(client, branches[0])
        neon.misbehave(Fault("deleteProjectBranch", status, message="hard_delete is not available"))
        delete_branch(client, branches[1])

    asked_for = [one.path.partition("?")[2] for one in exchanges if one.method == "DELETE"]
    assert asked_for == ["hard_delete=true", "hard_delete=true", ""]
    assert list_own_branches(client) == ()


@pytest.mark.parametrize("call", ["getProjectBranch", "deleteProjectBranch"])
def test_a_branch_that_is_said_to_be_gone_is_deleted_all_the_same_while_it_is_listed(
    neon: LocalNeon, client: NeonClient, call: str
) -> None:
    branch_id = _bare_branch(client, "hackorda-ops-bare", _LABEL.annotation())
    neon.misbehave(Fault(call, 404, times=2))

    delete_branch(client, branch_id)

    neon.forget_faults()
    assert client.branch(branch_id) is None


def test_a_branch_that_never_becomes_ready_is_told_and_not_left(
    neon: LocalNeon, monkeypatch: pytest.MonkeyPatch
) -> None:
    neon.change_plan(ProjectPlan(branches_become_ready=False))
    hurried = HurriedClock(pace=0.005)
    # The clone that the operations wait for is real, and takes as long as a busy machine takes.
    monkeypatch.setattr("hackorda_ops.neon.operations.OPERATIONS_DEADLINE_SECONDS", 12_000)
    with open_client(neon.project_id, neon.api_key, base_url=neon.base_url, clock=hurried.clock()) as client:
        with pytest.raises(NeonUnavailable, match="does not show it as ready"):
            _create(client)
        assert list_own_branches(client) == ()


def test_deleting_a_branch_twice_is_fine(neon: LocalNeon, client: NeonClient) -> None:
    branch_id = _bare_branch(client, "hackorda-ops-bare", _LABEL.annotation())
    neon.misbehave(Fault("deleteProjectBranch", None, carried_out=True))

    delete_branch(client, branch_id)
    delete_branch(client, branch_id)

    assert client.branch(branch_id) is None


@pytest.mark.parametrize(
    ("name", "annotation"),
    [
        ("persons-work", {}),
        ("persons-work", _LABEL.annotation()),
        ("hackorda-ops-looks-like-ours", {}),
        ("hackorda-ops-looks-like-ours", {"app": "another tool"}),
    ],
)
def test_a_branch_of_somebody_else_is_neither_listed_nor_deleted(
    client: NeonClient, name: str, annotation: dict[str, str]
) -> None:
    branch_id = _bare_branch(client, name, annotation)
    try:
        with pytest.raises(TargetRefused, match="not one that this product made"):
            delete_branch(client, branch_id)
        assert list_own_branches(client) == ()
        assert client.branch(branch_id) is not None
    finally:
        client.delete_branch(branch_id)


def test_the_default_branch_is_never_deleted(neon: LocalNeon, client: NeonClient) -> None:
    with pytest.raises(TargetRefused, match="default branch"):
        delete_branch(client, neon.main_branch_id)


def test_the_sweep_lists_the_oldest_first(client: NeonClient) -> None:
    made = [_bare_branch(client, f"hackorda-ops-{name}", _LABEL.annotation()) for name in ("b", "a", "c")]

    assert [found.branch.id for found in list_own_branches(client)] == made


def test_a_name_says_what_the_branch_is_and_takes_any_database_name() -> None:
    label = Label(database='honeyDue "главная" / 2', source="a1b2", run="r", purpose="restore drill")

    name = unique_name(label, now=datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC), token="abc123")

    assert name == "hackorda-ops-honeydue-2-restore-drill-20261120-030405-abc123"
