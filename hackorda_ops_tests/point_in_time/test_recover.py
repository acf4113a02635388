"""Whole recoveries on the local control plane: real branches of a real server, hooks that are real programs."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from hackorda_ops.cli import app
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, OpsError, PointGone, PromotionIncomplete, TargetRefused
from hackorda_ops.history.primary import LiveCopy
from hackorda_ops.local.neon import LocalNeon, running_local_neon
from hackorda_ops.local.neon.faults import Fault, ProjectPlan
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.point_in_time import changes, recover
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops.scratch.sweep import sweep

pytestmark = pytest.mark.server

# Notes which URL it was given, and by which name.
BIND = (
    "import os, sys; open('calls', 'a').write(sys.argv[1] + ' ' + os.environ['HACKORDA_OPS_STAGE'] + '\\n')"
)
VERIFY = (
    "import os, psycopg\n"
    "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
    "    [(rows,)] = connection.execute('SELECT count(*) FROM notes').fetchall()\n"
    "print('rows', rows, os.environ['DATABASE_URL'])\n"
    "raise SystemExit(0 if os.path.exists('well') and rows == 10 else 'not well')"
)


@pytest.fixture
def neon(postgres_server: PostgresServer, server_folder: Path) -> Iterator[LocalNeon]:
    """A control plane for each test: which branch is the primary is what they are about."""
    with running_local_neon(postgres_server, server_folder / "neon-recover") as neon:
        yield neon


def _python(program: str, *arguments: str) -> str:
    return shlex.join([sys.executable, "-c", program, *arguments])


@pytest.fixture
def shop(neon: LocalNeon, new_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Protected:
    """A database with ten notes, and the hooks of a team; the working directory is the team's."""
    monkeypatch.chdir(tmp_path)
    with psycopg.connect(new_database) as connection:
        connection.execute("CREATE TABLE notes AS SELECT n FROM generate_series(1, 10) n")
    written: dict[str, Any] = {
        "store": str(tmp_path / "store"),
        "scratch": {"neon": {}},
        "dump": {"work_folder": str(tmp_path / "work")},
        "recover": {
            "hooks": {
                "rebind": {"command": _python(BIND, "rebind"), "working_directory": str(tmp_path)},
                "verify": {"command": _python(VERIFY), "working_directory": str(tmp_path)},
            }
        },
    }
    (tmp_path / "databases.yaml").write_text(yaml.safe_dump({"databases": {"shop": written}}))
    environ = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": new_database,
        "NEON_PROJECT_ID": neon.project_id,
        "NEON_API_KEY": neon.api_key,
        "NEON_API_URL": neon.base_url,
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return Protected("shop", Policy.model_validate(written), environ)


def _damage(protected: Protected) -> datetime:
    """Deletes most notes, and returns a time just before."""
    with psycopg.connect(protected.environ["DATABASE_URL"], autocommit=True) as connection:
        [(before,)] = connection.execute("SELECT clock_timestamp()").fetchall()
        connection.execute("SELECT pg_sleep(0.1)")
        connection.execute("DELETE FROM notes WHERE n > 3")
    assert isinstance(before, datetime)
    return before.astimezone(UTC)


def _recover(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["recover", "shop", *arguments])


def _branches(protected: Protected) -> dict[str, LiveCopy]:
    with recover.opened(protected) as primary:
        return {copy.name: copy for copy in primary.now()}


def _notes(protected: Protected, copy: LiveCopy) -> int:
    with recover.opened(protected) as primary:
        target = primary.target(copy)
    with psycopg.connect(
        host=target.host, port=target.port, user=target.user, password=target.password, dbname=target.database
    ) as connection:
        [(rows,)] = connection.execute("SELECT count(*) FROM notes").fetchall()
    return int(rows)


def test_a_recovery_is_resumed_promoted_once_verified_and_taken_back(
    shop: Protected, neon: LocalNeon, tmp_path: Path
) -> None:
    at = _damage(shop)

    failed = _recover("--at", at.isoformat())

    assert failed.exit_code == 1, failed.output
    assert "rebind: succeeded after" in failed.output
    assert "verify: failed after" in failed.output
    assert "not well" in failed.output
    [made] = [copy for name, copy in _branches(shop).items() if name != "main"]
    assert f"hackorda-ops recover shop --recovery {made.run}" in failed.output
    assert _branches(shop)["main"].default
    assert _notes(shop, made) == 10
    assert sweep(shop) == ()

    (tmp_path / "well").touch()
    # The same command goes on with the same branch, and with the hook that failed.
    verified = _recover("--at", at.isoformat())
    assert verified.exit_code == 0, verified.output
    assert "PASS" in verified.output
    assert (tmp_path / "calls").read_text().splitlines() == ["rebind production"]
    assert _branches(shop)["main"].default

    unasked = _recover("--promote")
    assert isinstance(unasked.exception, OpsError)
    assert "not a terminal" in str(unasked.exception)
    assert _branches(shop)["main"].copy_id == neon.main_branch_id

    neon.misbehave(
        Fault("updateProjectBranch", None, carried_out=True),
        Fault("setDefaultProjectBranch", 524, carried_out=True),
    )
    promoted = _recover("--promote", "--yes")
    assert promoted.exit_code == 0, promoted.output
    now = _branches(shop)
    assert (now["main"].copy_id, now["main"].default, now["main"].protected) == (made.copy_id, True, True)
    aside = now[f"main-before-{made.run}"]
    assert (aside.copy_id, aside.default) == (neon.main_branch_id, False)
    assert _notes(shop, now["main"]) == 10
    assert _notes(shop, aside) == 3

    # The way back, as it was printed, without this product.
    by_hand = [line.strip() for line in promoted.output.splitlines() if line.strip().startswith("curl")]
    assert len(by_hand) == 3
    for command in by_hand:
        done = subprocess.run(  # it's what an operator pastes into a shell
            command,
            shell=True,
            env=dict(shop.environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
    assert _branches(shop)["main"].copy_id == neon.main_branch_id

    with recover.opened(shop) as primary:
        copy = next(each for each in primary.now() if each.copy_id == made.copy_id)
        # Somebody promotes it once more, by the same names.
        primary.rename(neon.main_branch_id, f"main-before-{made.run}")
        changes.promote(primary, copy, again="again", say=lambda _: None)
    back = _recover("--back", "--yes")
    assert back.exit_code == 1, back.output
    assert "is the primary as before, as main; but verify failed" in back.output
    now = _branches(shop)
    assert (now["main"].copy_id, now["main"].default) == (neon.main_branch_id, True)
    assert not now[f"main-recovered-{made.run}"].default
    for shown in (failed, verified, promoted, back):
        password = parse(shop.environ["DATABASE_URL"], origin="test").password
        assert password is not None
        assert password not in shown.output
        assert shop.environ["NEON_API_KEY"] not in shown.output


def test_a_promotion_that_stops_halfway_says_so_and_goes_on(shop: Protected, neon: LocalNeon) -> None:
    at = _damage(shop)
    said: list[str] = []
    with recover.opened(shop) as primary:
        planned = recover.plan(shop, primary, time=at, recovery_id=None, now=datetime.now(UTC))
        made = recover.bring_up(shop, primary, planned, now=datetime.now(UTC), say=said.append).copy
        neon.misbehave(Fault("setDefaultProjectBranch", 403, message="no"))
        with pytest.raises(PromotionIncomplete) as halfway:
            changes.promote(primary, made, again="hackorda-ops recover shop --promote", say=said.append)
        assert f"rename the branch {neon.main_branch_id} to main-before-{made.run}" in halfway.value.what
        assert "every connection string still leads" in halfway.value.meaning
        assert "`hackorda-ops recover shop --promote`" in halfway.value.next_step

        neon.change_plan(ProjectPlan(protects_branches=False))
        swap, warnings = changes.promote(primary, made, again="again", say=said.append)

        assert (swap.name, swap.candidate_id) == ("main", made.copy_id)
        [warning] = warnings
        assert "is not protected" in warning
        assert next(copy for copy in primary.now() if copy.default).copy_id == made.copy_id
        # The source that is configured still leads to the old primary on Neon; here all hosts are one.
        neon.misbehave(Fault("listProjectBranches", 403))
        with pytest.raises(OpsError):
            changes.promote(primary, made, again="again", say=said.append)


def test_in_place_the_primary_goes_back_and_what_it_held_is_kept_and_can_be_put_back(
    shop: Protected, neon: LocalNeon, tmp_path: Path
) -> None:
    at = _damage(shop)
    (tmp_path / "well").touch()
    neon.misbehave(Fault("restoreProjectBranch", None, carried_out=True))

    placed = _recover("--at", at.isoformat(), "--promote", "--in-place", "--yes")

    assert placed.exit_code == 0, placed.output
    now = _branches(shop)
    [made] = [copy for copy in now.values() if copy.run]
    assert (now["main"].copy_id, now["main"].default) == (neon.main_branch_id, True)
    assert _notes(shop, now["main"]) == 10
    assert _notes(shop, now[f"main-before-{made.run}"]) == 3
    # Once on the recovered branch, once on the primary.
    assert (tmp_path / "calls").read_text().splitlines() == ["rebind production"] * 2
    with recover.opened(shop) as primary, pytest.raises(TargetRefused, match="already"):
        changes.promote(primary, made, again="again", say=lambda _: None)

    back = _recover("--back", "--yes")

    assert back.exit_code == 1, back.output
    now = _branches(shop)
    assert _notes(shop, now["main"]) == 3
    assert _notes(shop, now[f"main-recovered-{made.run}"]) == 10


def test_what_was_not_verified_is_not_promoted_and_can_be_discarded(shop: Protected, tmp_path: Path) -> None:
    at = _damage(shop)
    written = yaml.safe_load((tmp_path / "databases.yaml").read_text())
    del written["databases"]["shop"]["recover"]["hooks"]["verify"]
    (tmp_path / "databases.yaml").write_text(yaml.safe_dump(written))

    refused = _recover("--at", at.isoformat(), "--promote", "--yes")

    assert isinstance(refused.exception, TargetRefused)
    assert "no hook `verify` has succeeded" in str(refused.exception)
    assert "--checked-by-hand" in refused.output
    assert _branches(shop)["main"].default
    listed = _recover()
    assert "not the primary" in listed.output
    gone = _recover("--discard", "--yes")
    assert gone.exit_code == 0, gone.output
    assert set(_branches(shop)) == {"main"}
    assert "no recovery" in _recover().output


def test_a_time_outside_the_history_or_a_database_without_one_is_refused_before_anything_is_made(
    shop: Protected,
) -> None:
    with recover.opened(shop) as primary, pytest.raises(PointGone, match="reaches back to"):
        long_ago = datetime.now(UTC) - timedelta(days=400)
        recover.plan(shop, primary, time=long_ago, recovery_id=None, now=datetime.now(UTC))
    assert set(_branches(shop)) == {"main"}
    on_server = replace(shop, policy=Policy.model_validate({"scratch": {"server": {}}}))
    with pytest.raises(ConfigError, match="needs a history"), recover.opened(on_server):
        pass
