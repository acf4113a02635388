"""The one way to a branch of ours: made, guarded, deleted, and what is said where none is made."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import hackorda_ops
from hackorda_ops.errors import NeonRefused, OpsError, TargetRefused
from hackorda_ops.history.hazards import require_asked_for
from hackorda_ops.history.labels import NIGHT, Label, source_id
from hackorda_ops.history.points import AtHead, AtLsn
from hackorda_ops.local.neon import LocalNeon
from hackorda_ops.local.neon.faults import Fault
from hackorda_ops.neon import own_branch
from hackorda_ops.neon.branches import ScratchBranch, list_own_branches
from hackorda_ops.neon.client import NeonClient
from hackorda_ops.neon.models import CreatedBranch
from hackorda_ops.neon.refusals import RefusalCode
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse, with_database

pytestmark = pytest.mark.server

PACKAGE = Path(hackorda_ops.__file__).parent


@pytest.fixture
def source(new_database: str) -> ConnectionTarget:
    return parse(new_database, origin="test")


def _label(source: ConnectionTarget, purpose: str = "drill") -> Label:
    return Label("hackorda", source_id(source), "run-1", purpose)


def _expiry() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def _bare(client: NeonClient, name: str, label: Label) -> None:
    """What a killed run left, without a compute, which is quick to make."""
    made = client.create_branch({"branch": {"name": name}, "annotation_value": label.annotation()}, name=name)
    assert isinstance(made, CreatedBranch)


def test_a_branch_is_deleted_however_its_block_ends(client: NeonClient, source: ConnectionTarget) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        own_branch.opened(
            client, source, label=_label(source), point=AtHead(), expires_at=_expiry()
        ) as branch,
    ):
        assert branch.target.database == source.database
        assert (branch.target.host, branch.target.port) != (source.host, source.port)
        raise KeyboardInterrupt

    assert list_own_branches(client) == ()


def test_a_branch_without_the_sources_database_is_refused_and_deleted(
    client: NeonClient, source: ConnectionTarget
) -> None:
    elsewhere = with_database(source, "no such database")
    with (
        pytest.raises(TargetRefused, match="has no database no such database"),
        own_branch.opened(client, elsewhere, label=_label(source), point=AtHead(), expires_at=_expiry()),
    ):
        raise AssertionError("there was nothing to open")

    assert list_own_branches(client) == ()


def test_a_branch_at_a_position_that_is_gone_is_made_at_head_only_where_that_will_do(
    client: NeonClient, source: ConnectionTarget
) -> None:
    with own_branch.opened(
        client, source, label=_label(source), point=AtLsn("0/100"), expires_at=_expiry(), or_at_head=True
    ) as at_head:
        pass
    with (
        pytest.raises(NeonRefused) as caught,
        own_branch.opened(client, source, label=_label(source), point=AtLsn("0/100"), expires_at=_expiry()),
    ):
        raise AssertionError("there was nothing to open")

    assert "GC cutoff" in at_head.refusal
    assert caught.value.code == RefusalCode.POSITION_GONE
    assert list_own_branches(client) == ()


def test_a_branch_that_can_not_be_deleted_is_raised_or_left_to_whoever_asked(
    neon: LocalNeon, client: NeonClient, source: ConnectionTarget
) -> None:
    left: list[tuple[ScratchBranch, OpsError]] = []
    with own_branch.opened(
        client,
        source,
        label=_label(source),
        point=AtHead(),
        expires_at=_expiry(),
        on_left=lambda branch, error: left.append((branch, error)),
    ) as first:
        neon.misbehave(*[Fault("deleteProjectBranch", 403, times=2)])
    with (
        pytest.raises(NeonRefused, match="HTTP 403"),
        own_branch.opened(client, source, label=_label(source), point=AtHead(), expires_at=_expiry()),
    ):
        neon.misbehave(*[Fault("deleteProjectBranch", 403, times=2)])

    [(branch, error)] = left
    assert branch == first.branch
    assert "HTTP 403" in error.what


def test_only_the_branches_of_a_database_and_a_purpose_are_found_and_all_of_them_are_tried(
    neon: LocalNeon, client: NeonClient, source: ConnectionTarget
) -> None:
    other = with_database(source, "another")
    for number, label in enumerate(
        [_label(source, NIGHT), _label(source), _label(other), _label(source)], start=1
    ):
        _bare(client, f"hackorda-ops-{number}", label)

    nights = own_branch.made_for(client, "hackorda", source, {NIGHT})
    found = own_branch.made_for(client, "hackorda", source)
    # The newest is tried first, and kept; so the others go all the same.
    neon.misbehave(Fault("deleteProjectBranch", 422, message="cannot delete protected branch", times=2))
    gone: list[str] = []
    with pytest.raises(NeonRefused, match="protected branch") as caught:
        gone.extend(own_branch.delete_each(client, found))

    assert [one.branch.name for one in nights] == ["hackorda-ops-1"]
    assert [one.branch.name for one in found] == ["hackorda-ops-1", "hackorda-ops-2", "hackorda-ops-4"]
    assert {one.branch.name for one in list_own_branches(client)} == {"hackorda-ops-3", "hackorda-ops-4"}
    assert "1 of 3 branches that killed runs left behind are still there" in caught.value.meaning


def test_a_branch_that_acts_by_itself_is_made_only_where_somebody_asked_for_it() -> None:
    acting = ("the source's pg_cron jobs may run on it", "unlogged tables are empty on it")

    require_asked_for((), asked_for=False, meaning="")
    require_asked_for(acting, asked_for=True, meaning="")
    with pytest.raises(
        TargetRefused, match=r"No branch is created unless configured, because .* and unlogged"
    ) as caught:
        require_asked_for(acting, asked_for=False, meaning="Nothing was made.")

    assert caught.value.meaning == "Nothing was made."
    assert "dump_from: branch" in caught.value.next_step


def test_nobody_else_makes_or_deletes_a_branch_or_refuses_one_in_words_of_its_own() -> None:
    calls, refusals = set(), set()
    for path in PACKAGE.rglob("*.py"):
        place = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute | ast.Name) and not place.startswith(("neon/", "local/")):
                name = node.attr if isinstance(node, ast.Attribute) else node.id
                if name in {"create_branch", "delete_branch"}:
                    calls.add(place)
            if isinstance(node, ast.Constant) and "created unless configured" in str(node.value):
                refusals.add(place)

    # A recovery's branch is not one of these: it has to outlive the command, and may become the primary.
    assert calls == {"histories/neon/primary.py"}
    assert refusals == {"history/hazards.py"}
