"""What every provider of scratch has to do: those of the package, and one that comes from outside of it."""

import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from hackorda_ops.concerns import concerns_in
from hackorda_ops.config import file as config_file
from hackorda_ops.config.choice import ScratchSection
from hackorda_ops.config.scratch import SCRATCH_SECTIONS
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError
from hackorda_ops.local.neon import LocalNeon
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.catalogs.same_database import require_elsewhere
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse
from hackorda_ops.preflight.preflight import preflight
from hackorda_ops.scratch import registry, server
from hackorda_ops.scratch.place import Place, Scratch
from hackorda_ops_tests.drill.fixtures import (
    EMPTY,
    MIGRATE,
    Night,
    Shipped,
    check,
    databases_on,
    on_neon,
    own_branches,
)
from hackorda_ops_tests.scratch import throwaway

pytestmark = pytest.mark.server

KEYS = ("neon", "server", "throwaway")


@dataclass(frozen=True)
class Provided:
    """A database with an artifact off-site whose scratch is of one provider; `there` lists what is made now."""

    key: str
    protected: Shipped
    there: Callable[[], set[str]]

    @property
    def source(self) -> ConnectionTarget:
        return parse(self.protected.environ["DATABASE_URL"], origin="test")


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third provider, for as long as a test runs."""
    monkeypatch.setitem(registry.PROVIDERS, "throwaway", throwaway.PROVIDER)
    monkeypatch.setitem(SCRATCH_SECTIONS, "throwaway", throwaway.ThrowawaySection)


@pytest.fixture(params=KEYS)
def provided(
    request: pytest.FixtureRequest,
    added: None,
    ship: Callable[[Night], Shipped],
    server_folder: Path,
) -> Iterator[Provided]:
    key: str = request.param
    if key == "neon":
        # The history of the control plane begins with it, and the recent night lies inside.
        neon: LocalNeon = request.getfixturevalue("neon")
        shipped = on_neon(ship(request.getfixturevalue("recent")), neon)
        each = Provided(key, shipped, lambda: set(own_branches(neon)))
    elif key == "server":
        scratch: PostgresServer = request.getfixturevalue("scratch_server")
        shipped = ship(request.getfixturevalue("night"))
        each = Provided(key, shipped, lambda: databases_on(scratch) - EMPTY)
    else:
        folder = server_folder / f"throwaway {secrets.token_hex(3)}"
        folder.mkdir(mode=0o711)
        shipped = ship(request.getfixturevalue("night")).changed(
            scratch={"throwaway": {}}, environ={"THROWAWAY_FOLDER": str(folder)}
        )
        each = Provided(key, shipped, lambda: {path.name for path in folder.iterdir()})
    assert each.there() == set()
    yield each
    # Whatever the test was about: nothing is left behind.
    assert each.there() == set()
    assert shipped.fetched == []


def drill_id() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def tables_in(target: ConnectionTarget) -> int:
    with psycopg.connect(make_conninfo("", password=target.password, **target.parameters)) as connection:
        [(count,)] = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).fetchall()
    return int(count)


def left_behind(scratch: Scratch) -> tuple[str, ...]:
    return scratch.left_behind(retry_budget_seconds=10)


def test_a_place_has_empty_databases_elsewhere_and_is_taken_down(provided: Provided) -> None:
    source = provided.source
    with registry.opened(provided.protected, source) as scratch:
        with scratch.opened(provided.protected.manifest, drill_id()) as place:
            made = [place.new_database(purpose) for purpose in ("restore", "twin")]
            for target in made:
                require_elsewhere(source, target)
                assert tables_in(target) == 0
            assert len({target.database for target in made}) == 2
            assert len(provided.there()) >= 1
            # It lives, so neither a look nor a sweep of another run takes it for a dead one's.
            assert (left_behind(scratch), scratch.sweep()) == ((), ())
            assert tables_in(made[0]) == 0
        assert provided.there() == set()
        assert left_behind(scratch) == ()


def test_a_place_says_what_it_is_and_shows_no_secret(provided: Provided) -> None:
    with (
        registry.opened(provided.protected, provided.source) as scratch,
        scratch.opened(provided.protected.manifest, drill_id()) as place,
    ):
        assert place.description
        shown = f"{place} {scratch!r} {provided.protected!r}"
        secret = place.new_database("restore").password
        assert secret is not None
        assert secret not in shown
        # A clone of the source comes along only where the provider keeps its history.
        assert (place.branch is not None) == provided.protected.policy.keeps_history


def test_a_place_is_taken_down_however_its_block_ends(provided: Provided) -> None:
    def interrupted(place: Place) -> None:
        place.new_database("restore")
        raise KeyboardInterrupt

    with (
        registry.opened(provided.protected, provided.source) as scratch,
        pytest.raises(KeyboardInterrupt),
        scratch.opened(provided.protected.manifest, drill_id()) as place,
    ):
        interrupted(place)

    assert provided.there() == set()


def test_what_a_killed_drill_leaves_is_found_and_swept(provided: Provided) -> None:
    program = [sys.executable, "-m", "hackorda_ops_tests.scratch.killed_scratch"]
    killed = subprocess.run(
        [*program, json.dumps(provided.protected.written), drill_id()],
        env=dict(provided.protected.environ),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    there = provided.there()
    with registry.opened(provided.protected, provided.source) as scratch:
        found = left_behind(scratch)
        swept = scratch.sweep()
        again = scratch.sweep()

    assert len(there) == 1
    assert found == swept == tuple(there)
    assert again == ()


def test_whoever_shares_the_scratch_is_left_alone(provided: Provided) -> None:
    program = [sys.executable, "-m", "hackorda_ops_tests.scratch.killed_scratch"]
    subprocess.run(
        [*program, json.dumps(provided.protected.written), drill_id()],
        env=dict(provided.protected.environ),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    another = Protected("another", provided.protected.policy, provided.protected.environ)
    with registry.opened(another, provided.source) as scratch:
        found, swept = left_behind(scratch), scratch.sweep()
    kept = provided.there()
    with registry.opened(provided.protected, provided.source) as scratch:
        scratch.sweep()

    assert (found, swept) == ((), ())
    assert len(kept) == 1


def test_a_variable_that_is_not_set_is_reported_with_its_key(provided: Provided) -> None:
    bare = replace(provided.protected, environ={"DATABASE_URL": provided.protected.environ["DATABASE_URL"]})

    with pytest.raises(ConfigError) as caught:
        registry.opened(bare, provided.source)

    assert not bare.has("scratch")
    assert provided.protected.has("scratch")
    assert f"databases.hackorda.scratch.{provided.key}." in caught.value.what


def test_an_unknown_key_of_its_section_is_refused_and_those_it_knows_are_named(
    provided: Provided, tmp_path: Path
) -> None:
    file = tmp_path / "databases.yaml"
    file.write_text(f"databases: {{shop: {{scratch: {{{provided.key}: {{colour: red}}}}}}}}")

    with pytest.raises(ConfigError) as caught:
        config_file.load(file)

    assert f"databases.shop.scratch.{provided.key}.colour: unknown key; known here: " in caught.value.what
    assert all(key in caught.value.what for key in SCRATCH_SECTIONS[provided.key].model_fields)


def test_a_preflight_finds_nothing_in_the_way(provided: Provided) -> None:
    parts = preflight(provided.protected)

    assert [part.part for part in parts].count("scratch") == 1
    assert concerns_in(parts, "stops the drill") == ()
    assert ("nights" in {part.part for part in parts}) == provided.protected.policy.keeps_history


def test_a_whole_drill_passes(provided: Provided) -> None:
    result = provided.protected.changed(key_tables=["users"], migrate={"command": MIGRATE}).drill()

    assert (result.verdict, result.error, result.findings) == ("PASS", None, ())
    assert check(result, "restored_equals_manifest").outcome == "passed"
    assert check(result, "migrations_apply").outcome == "passed"
    assert check(result, "scratch_gone").outcome == "passed"
    compared = check(result, "branch_equals_manifest").outcome
    assert compared == ("passed" if provided.protected.policy.keeps_history else "not measured")


def test_the_registry_lists_every_provider_with_its_section(added: None) -> None:
    assert tuple(key for key, each in registry.PROVIDERS.items() if each.section.engine == "postgres") == KEYS
    assert {key: each.section for key, each in registry.PROVIDERS.items()} == SCRATCH_SECTIONS
    assert {key: each.section.brings_history for key, each in registry.PROVIDERS.items()} == {
        "neon": "neon",
        "server": None,
        "redis": None,
        "throwaway": None,
    }


def test_a_provider_that_names_a_history_it_does_not_have_is_refused() -> None:
    class Boastful(ScratchSection):
        brings_history = "neon"

    with pytest.raises(ValueError, match=r"Boastful\.brings_history"):
        replace(server.PROVIDER, section=Boastful)


def test_databases_yaml_takes_exactly_one_provider_and_names_all_of_them(added: None, tmp_path: Path) -> None:
    file = tmp_path / "databases.yaml"
    file.write_text("databases: {one: {scratch: {neon: {}, throwaway: {}}}, two: {scratch: {throwawy: {}}}}")

    with pytest.raises(ConfigError) as caught:
        config_file.load(file)

    assert (
        "databases.one.scratch: needs exactly one of neon, server, redis and throwaway" in caught.value.what
    )
    assert "databases.two.scratch.throwawy: unknown key; did you mean throwaway?" in caught.value.what
