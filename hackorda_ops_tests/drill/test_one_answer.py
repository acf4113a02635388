"""After a FAIL, every command says the same of the artifact, and `restore` brings the database back at once."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from hackorda_ops.cli import app
from hackorda_ops.drill import quarter
from hackorda_ops.judgement.instead import with_instead
from hackorda_ops_tests.drill.fixtures import Night, Shipped

pytestmark = pytest.mark.server

Ask = Callable[..., Any]


@pytest.fixture
def apart(protected: Shipped, night: Night, tmp_path: Path) -> Shipped:
    """The shipped night, with a store of its own."""
    shutil.copytree(night.store.root, tmp_path / "store")
    return protected.changed(store=str(tmp_path / "store"))


def asking(protected: Shipped, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The commands, as an operator of this database runs them."""
    written = folder / "databases.yaml"
    written.write_text(json.dumps({"databases": {"hackorda": protected.written}}), encoding="utf-8")
    monkeypatch.setenv("HACKORDA_OPS_CONFIG", str(written))
    for name, value in protected.environ.items():
        monkeypatch.setenv(name, value)

    def ask(*arguments: str, exit_code: int = 0) -> Any:
        ran = CliRunner().invoke(app, [*arguments, "--json"])
        assert ran.exit_code == exit_code, ran.output
        return json.loads(ran.stdout), " ".join(ran.stderr.split())

    return ask


def test_a_damaged_copy_is_called_so_everywhere_and_the_store_brings_the_database_back(
    apart: Shipped, new_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [name] = [each.file for each in apart.manifest.tables if each.name.name == "users"]
    whole = apart.get_offsite(name)
    apart.put_offsite(name, whole[:-1] + bytes([whole[-1] ^ 1]))
    held = quarter.hold_drill(apart, with_instead=with_instead)
    assert held.result.verdict == "FAIL"
    instead = held.result.instead
    assert instead is not None
    assert (instead.artifact_id, instead.location) == (
        apart.manifest.artifact_id,
        f"{tmp_path}/store/{apart.manifest.prefix}",
    )
    assert f"--artifact {apart.manifest.artifact_id} --from store --to-env" in held.result.how_to_repeat
    assert held.result.by_hand
    assert held.result.data_loss_seconds is None
    ask = asking(apart, tmp_path, monkeypatch)

    listed, _ = ask("backups")
    said = {each["place"]: each["judgement"] for each in listed}
    sound = {each["place"]: each["sound"] for each in listed}
    assert (said["offsite"]["state"], sound["offsite"]) == ("damaged", False)
    assert (said["store"]["state"], sound["store"]) == ("unproven", True)
    assert held.result.drill_id in said["offsite"]["sentence"]
    assert said["offsite"]["drill_id"] == held.result.drill_id
    assert "is damaged" in said["store"]["sentence"]

    plans, _ = ask("prune")
    [plan] = plans if isinstance(plans, list) else [plans]
    decided = json.dumps(plan)
    assert said["offsite"]["sentence"] in decided

    status, _ = ask("status", exit_code=1)
    reasons = json.dumps(status)
    assert said["offsite"]["sentence"] in reasons

    monkeypatch.setenv("RESTORE_URL", new_database)
    restored, notes = ask("restore")
    assert restored["verdict"] == "PASS"
    assert f"Restoring {tmp_path}/store/{apart.manifest.prefix}" in notes
    assert f"--artifact {apart.manifest.artifact_id} --from offsite" in notes
    assert said["offsite"]["sentence"] in notes
    with psycopg.connect(new_database) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM users").fetchone() == (True,)

    copied, _ = ask("copy")
    assert copied["copy"]["repaired"] == [name]
    again, _ = ask("backups")
    assert {each["judgement"]["state"] for each in again} == {"unproven"}


def test_damage_that_no_drill_has_seen_is_found_on_the_way_and_the_next_copy_is_taken(
    apart: Shipped, new_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [name] = [each.file for each in apart.manifest.tables if each.name.name == "users"]
    apart.put_offsite(name, apart.get_offsite(name)[:-1])
    ask = asking(apart, tmp_path, monkeypatch)
    monkeypatch.setenv("RESTORE_URL", new_database)

    restored, notes = ask("restore")

    assert restored["verdict"] == "PASS"
    assert f"Trying {tmp_path}/store/{apart.manifest.prefix} instead" in notes


def test_a_broken_migration_leaves_the_backup_as_good_as_it_is_and_everyone_says_so(
    apart: Shipped, new_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = apart.changed(migrate={"command": "sh -c 'exit 3'"})
    held = quarter.hold_drill(broken)
    assert held.result.verdict == "FAIL"
    ask = asking(broken, tmp_path, monkeypatch)

    listed, _ = ask("backups")
    assert {(each["judgement"]["state"], each["sound"]) for each in listed} == {("restores", True)}
    [sentence] = {each["judgement"]["sentence"] for each in listed}
    assert sentence.startswith("its data came back, but the team's migrations don't apply to it")

    status, _ = ask("status", exit_code=1)
    said = json.dumps(status)
    assert "Its data came back, but the team's migrations don't apply to it." in said
    assert apart.manifest.artifact_id in said
    assert "No restore point has ever been proven" not in said

    monkeypatch.setenv("RESTORE_URL", new_database)
    restored, notes = ask("restore")
    assert restored["verdict"] == "PASS"
    assert sentence in notes
    assert "Not taken" not in notes


def test_where_nothing_else_is_sound_the_report_names_nothing_and_restores_nothing_bad(
    protected: Shipped, tmp_path: Path
) -> None:
    [name] = [each.file for each in protected.manifest.tables if each.name.name == "users"]
    protected.put_offsite(name, protected.get_offsite(name)[:-1])
    only = protected.changed(store=str(tmp_path / "empty"))

    result = quarter.hold_drill(only, with_instead=with_instead).result

    assert (result.verdict, result.instead, result.by_hand) == ("FAIL", None, ())
    assert f"# Do not restore {protected.manifest.artifact_id} from off-site" in result.how_to_repeat
    assert "--artifact" not in result.how_to_repeat.splitlines()[-1]
