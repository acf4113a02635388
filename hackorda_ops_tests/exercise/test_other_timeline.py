"""Artifacts of a source that Neon has restored or replaced since: their positions lie in another history."""

import secrets
from collections.abc import Callable

import psycopg
import pytest

from hackorda_ops.exercise.history_check import check_history
from hackorda_ops.local.neon import LocalNeon
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops_tests.drill.fixtures import Night, Shipped, check, night_of, on_neon, own_branches

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def on_a_timeline(
    neon: LocalNeon, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Night:
    """A night of a source that is on the timeline "first", whose branches are on another."""
    name = f"timed_{secrets.token_hex(3)}"
    url = create_database(postgres_server, name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE notes AS SELECT n AS id FROM generate_series(1, 10) n")
        connection.execute(f"ALTER DATABASE {name} SET neon.timeline_id = 'of a branch'".encode())
    return night_of(_on(url, "first"), tmp_path_factory.mktemp("timed") / "store")


def _on(url: str, timeline: str) -> str:
    return f"{url}?options=-c%20neon.timeline_id%3D{timeline}"


def _moved(protected: Shipped) -> Shipped:
    """The same source, since its main branch was restored."""
    url = protected.environ["DATABASE_URL"].replace("%3Dfirst", "%3Drestored")
    return protected.changed(environ={"DATABASE_URL": url})


def test_a_drill_compares_a_branch_only_while_the_source_is_on_the_artifacts_timeline(
    on_a_timeline: Night, neon: LocalNeon, ship: Callable[[Night], Shipped]
) -> None:
    protected = on_neon(ship(on_a_timeline), neon)

    same, moved = protected.drill(), _moved(protected).drill()

    assert (same.verdict, moved.verdict) == ("PASS", "PASS")
    assert check(same, "branch_equals_manifest").outcome == "passed"
    assert check(moved, "branch_equals_manifest").outcome == "not measured"
    assert "is now on restored" in check(moved, "branch_equals_manifest").summary
    assert own_branches(neon) == []


def test_the_history_is_not_measured_by_an_artifact_of_another_timeline(
    on_a_timeline: Night, neon: LocalNeon, ship: Callable[[Night], Shipped], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Here all is seconds old.
    monkeypatch.setattr("hackorda_ops.exercise.history_check._FAR_SHARE", 0)
    protected = on_neon(ship(on_a_timeline), neon)

    same, moved = (check_history(each).holds_the_past for each in (protected, _moved(protected)))

    assert (same.outcome, moved.outcome) == ("passed", "not measured")
    assert "is now on restored" in moved.summary
    assert own_branches(neon) == []


def test_a_source_that_is_not_the_default_branchs_compute_is_not_compared_with_its_branch(
    recent: Night, neon: LocalNeon, ship: Callable[[Night], Shipped]
) -> None:
    shipped = on_neon(ship(recent), neon)
    # Neon's computes are told apart by their host names.
    protected = shipped.changed(
        environ={"DATABASE_URL": shipped.environ["DATABASE_URL"].replace("127.0.0.1", "localhost")}
    )

    result = protected.drill()
    past = check_history(protected).holds_the_past

    assert result.verdict == "PASS"
    compared = check(result, "branch_equals_manifest")
    assert (compared.outcome, past.outcome) == ("not measured", "not measured")
    for summary in (compared.summary, past.summary):
        assert "is not the compute of the Neon project's default branch" in summary
    assert own_branches(neon) == []
