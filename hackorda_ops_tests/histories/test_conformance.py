"""What every history has to do."""

import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hackorda_ops.config.history import HISTORY_SECTIONS
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, PointGone
from hackorda_ops.histories import registry
from hackorda_ops.history.alive import kept_alive
from hackorda_ops.history.base import History, RecoveredSource
from hackorda_ops.history.labels import HISTORY_CHECK, NIGHT
from hackorda_ops.history.points import AtLsn, HistoryPoint
from hackorda_ops.local.neon import LocalNeon
from hackorda_ops.postgres.catalogs.same_database import require_elsewhere
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse
from hackorda_ops_tests.drill.fixtures import Night, Shipped, on_neon, own_branches
from hackorda_ops_tests.histories import shelf
from hackorda_ops_tests.histories.own import Own, copies_of
from hackorda_ops_tests.scratch.test_providers import tables_in

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("histories")]

KEYS = ("neon", "barman")
ASKED = {"why": "this takes a history", "meaning": "Nothing was done.", "by_hand": "do it by hand"}


@dataclass(frozen=True)
class Kept:
    """A database with a history that holds an artifact's position; `there` lists the copies that are there now."""

    key: str
    protected: Shipped
    there: Callable[[], set[str]]

    @property
    def source(self) -> ConnectionTarget:
        return parse(self.protected.environ["DATABASE_URL"], origin="test")

    def history(self, protected: Protected | None = None) -> AbstractContextManager[History]:
        return registry.history_of(protected or self.protected, self.source)

    @property
    def held(self) -> AtLsn:
        return AtLsn(self.protected.manifest.lsn)


@pytest.fixture(params=[*KEYS, "barman on 18", "shelf"])
def kept(
    request: pytest.FixtureRequest, ship: Callable[[Night], Shipped], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Kept]:
    if request.param == "neon":
        # The history of the control plane begins with it, and the recent night lies inside.
        neon: LocalNeon = request.getfixturevalue("neon")
        shipped = on_neon(ship(request.getfixturevalue("recent")), neon)
        each = Kept("neon", shipped, lambda: set(own_branches(neon)))
    elif request.param == "shelf":
        monkeypatch.setitem(registry.HISTORIES, "shelf", shelf.KIND)
        monkeypatch.setitem(HISTORY_SECTIONS, "shelf", shelf.ShelfSection)
        folder, night = request.getfixturevalue("shelved")
        shipped = ship(night).changed(history={"shelf": {}}, environ={"SHELF_FOLDER": str(folder)})
        copies = folder.parent / "copies"
        each = Kept("shelf", shipped, lambda: {one.name for one in copies.glob("copy-*")})
    else:
        own: Own = request.getfixturevalue("own" if request.param == "barman" else "own_18")
        shipped = own.shipped(ship(own.night))
        each = Kept("barman", shipped, lambda: copies_of(shipped))
    assert each.there() == set()
    yield each
    # Whatever the test was about: nothing is left behind.
    assert each.there() == set()


def run_id() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def opened(history: History, point: HistoryPoint, run: str) -> AbstractContextManager[RecoveredSource]:
    return history.opened(
        purpose=HISTORY_CHECK, run=run, point=point, expires_at=datetime.now(UTC) + timedelta(hours=1)
    )


def killed_with_a_copy(kept: Kept, purpose: str = HISTORY_CHECK) -> None:
    program = [sys.executable, "-m", "hackorda_ops_tests.histories.killed_history"]
    killed = subprocess.run(
        [*program, json.dumps(kept.protected.written), run_id(), kept.held.lsn, purpose],
        env=dict(kept.protected.environ),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr


def test_a_copy_is_the_source_at_a_position_on_another_server_and_is_removed(kept: Kept) -> None:
    run = run_id()
    with kept.history() as history, kept_alive(kept.source, run):
        assert history.main() is not None
        assert history.reach().window_seconds > 0
        with opened(history, kept.held, run) as copy:
            require_elsewhere(kept.source, copy.target)
            assert copy.target.database == kept.source.database
            assert copy.lsn == kept.held.lsn
            assert tables_in(copy.target) > 0
            assert kept.there() == {copy.name}
            assert history.still_there(purpose=HISTORY_CHECK, run=run) == (copy.name,)
            # Its run lives, so nobody takes it for a dead one's.
            assert (history.left_behind(retry_budget_seconds=10), history.sweep()) == ((), ())
            assert tables_in(copy.target) > 0
        assert history.still_there(purpose=HISTORY_CHECK, run=run) == ()
        assert kept.there() == set()


def test_a_copy_shows_no_secret(kept: Kept) -> None:
    with kept.history() as history, opened(history, kept.held, run_id()) as copy:
        shown = f"{copy} {history!r} {copy.call}"
        for secret in (copy.target.password, kept.source.password):
            assert not secret or secret not in shown


def test_a_copy_is_removed_however_its_block_ends(kept: Kept) -> None:
    with (
        kept.history() as history,
        pytest.raises(KeyboardInterrupt),
        opened(history, kept.held, run_id()),
    ):
        raise KeyboardInterrupt

    assert kept.there() == set()


def test_a_position_that_is_gone_is_refused_as_that(kept: Kept) -> None:
    with kept.history() as history, pytest.raises(PointGone), opened(history, AtLsn("0/100"), run_id()):
        pass


def test_what_a_killed_run_leaves_is_found_and_swept_by_its_own_database_alone(kept: Kept) -> None:
    killed_with_a_copy(kept)
    there = kept.there()
    another = Protected("another", kept.protected.policy, kept.protected.environ)
    with kept.history(another) as history:
        of_another = (history.left_behind(retry_budget_seconds=10), history.sweep())
    with kept.history() as history:
        found, swept, again = history.left_behind(retry_budget_seconds=10), history.sweep(), history.sweep()

    assert len(there) == 1
    assert of_another == ((), ())
    assert found == swept == tuple(there)
    assert again == ()


def test_a_night_removes_only_what_nights_left(kept: Kept) -> None:
    killed_with_a_copy(kept, NIGHT)
    killed_with_a_copy(kept)
    left = kept.there()
    with kept.history() as history:
        # The next night holds the lock, so no other night lives.
        removed = set(history.delete_nights())
        others = kept.there()
        history.sweep()

    assert len(left) == 2
    assert len(removed) == 1
    assert others == left - removed


def test_a_variable_that_is_not_set_is_reported_with_its_key(kept: Kept) -> None:
    if kept.key == "barman":
        # It reads no variable of ours.
        assert kept.protected.has("history")
        return
    bare = replace(kept.protected, environ={"DATABASE_URL": kept.protected.environ["DATABASE_URL"]})

    with pytest.raises(ConfigError) as caught:
        registry.history_of(bare, kept.source)

    assert not bare.has("history")
    assert kept.protected.has("history")
    assert "databases.hackorda." in caught.value.what


def test_a_database_without_a_history_is_refused_and_what_keeps_one_is_named(protected: Shipped) -> None:
    with pytest.raises(ConfigError, match="a server is configured, and no history") as caught:
        registry.require_history(protected, **ASKED)

    assert caught.value.next_step == "Configure scratch.neon or history.barman, or do it by hand."


def test_the_registry_lists_every_history_with_its_section() -> None:
    assert tuple(registry.HISTORIES) == KEYS
    assert {key: each.section for key, each in registry.HISTORIES.items()} == HISTORY_SECTIONS
