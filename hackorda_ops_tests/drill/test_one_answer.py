"""After a FAIL, every command says the same of the artifact, and `restore` brings the database back at once."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from hackorda_ops.cli import app
from hackorda_ops.drill import quarter
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, UsageError
from hackorda_ops.judgement.instead import with_instead
from hackorda_ops.night.night import take_night
from hackorda_ops_tests.drill.fixtures import Night, Shipped

pytestmark = pytest.mark.server

Ask = Callable[..., Any]


@pytest.fixture
def apart(protected: Shipped, night: Night, tmp_path: Path) -> Shipped:
    """The shipped night, with a store of its own, which has no drill or proof of other tests."""
    shutil.copytree(night.store.root / night.manifest.prefix, tmp_path / "store" / night.manifest.prefix)
    return protected.changed(store=str(tmp_path / "store"))


def file_of(protected: Shipped, table: str) -> str:
    [name] = [each.file for each in protected.manifest.tables if each.name.name == table]
    return name


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
    name = file_of(apart, "users")
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


def test_damage_that_no_drill_has_seen_is_found_on_the_way_and_the_file_is_taken_from_its_twin(
    apart: Shipped, new_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = file_of(apart, "users")
    apart.put_offsite(name, apart.get_offsite(name)[:-1])
    ask = asking(apart, tmp_path, monkeypatch)
    monkeypatch.setenv("RESTORE_URL", new_database)

    restored, notes = ask("restore")

    assert restored["verdict"] == "PASS"
    twin = f"{tmp_path}/store/{apart.manifest.prefix}/{name}"
    assert f"{name} is damaged or missing; {twin} has the same SHA-256, and was taken instead." in notes
    with psycopg.connect(new_database) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM users").fetchone() == (True,)
    # What it saw on the way is known from now on.
    listed, _ = ask("backups")
    said = {each["place"]: each["judgement"] for each in listed}
    assert (said["offsite"]["state"], said["store"]["state"]) == ("damaged", "unproven")
    assert said["offsite"]["sentence"].startswith("the copy is damaged (restore ")
    assert said["offsite"]["damaged_files"] == [name]


def test_two_copies_that_are_damaged_in_different_files_bring_the_database_back_together(
    apart: Shipped, new_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = file_of(apart, "issues"), file_of(apart, "users")
    apart.put_offsite(there, apart.get_offsite(there)[:-1])
    (tmp_path / "store" / apart.manifest.prefix / here).unlink()
    ask = asking(apart, tmp_path, monkeypatch)
    for place in ("offsite", "store"):
        verified, _ = ask("verify", "--in", place, exit_code=1)
        assert verified["verdict"] == "FAIL"
    listed, _ = ask("backups")
    assert {each["judgement"]["state"] for each in listed} == {"damaged"}

    monkeypatch.setenv("RESTORE_URL", new_database)
    restored, notes = ask("restore")

    assert restored["verdict"] == "PASS"
    assert "its damaged files can be taken from other copies" in notes
    assert f"{there} is damaged or missing; {tmp_path}/store/" in notes


def test_where_no_copy_is_whole_nothing_is_restored_and_the_line_that_does_so_all_the_same_is_printed(
    apart: Shipped, new_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = file_of(apart, "users")
    apart.put_offsite(name, apart.get_offsite(name)[:-1])
    (tmp_path / "store" / apart.manifest.prefix / name).write_bytes(b"")
    ask = asking(apart, tmp_path, monkeypatch)
    monkeypatch.setenv("RESTORE_URL", new_database)

    line = f"hackorda-ops restore hackorda --artifact {apart.manifest.artifact_id} --from offsite"
    tried = CliRunner().invoke(app, ["restore"])
    assert isinstance(tried.exception, ArtifactDamaged)
    assert line in " ".join(tried.stderr.split())
    again = CliRunner().invoke(app, ["restore"])
    assert isinstance(again.exception, ArtifactMissing)
    assert "no sound artifact among 2" in again.exception.what
    assert f"`{line}`" in again.exception.next_step
    listed, _ = ask("backups")
    assert {each["judgement"]["state"] for each in listed} == {"damaged"}


def test_a_verification_is_remembered_until_a_later_one_finds_the_same_bytes_sound(
    apart: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = file_of(apart, "users")
    path = tmp_path / "store" / apart.manifest.prefix / name
    whole, written_at = path.read_bytes(), path.stat()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    ask = asking(apart, tmp_path, monkeypatch)
    _, _ = ask("verify", "--in", "store", exit_code=1)

    sentence = {each["place"]: each["judgement"]["sentence"] for each in ask("backups")[0]}
    assert sentence["store"].startswith("the copy is damaged (verification ")
    plans, _ = ask("prune")
    assert sentence["store"] in json.dumps(plans)
    assert sentence["store"] in json.dumps(ask("status", exit_code=1)[0])

    # As a disk that has its cable back: nothing was written, so only a reading can say so.
    path.write_bytes(whole)
    os.utime(path, ns=(written_at.st_atime_ns, written_at.st_mtime_ns))
    assert {each["judgement"]["state"] for each in ask("backups")[0] if each["place"] == "store"} == {
        "damaged"
    }
    verified, _ = ask("verify", "--in", "store")
    assert verified["verdict"] == "PASS"
    assert {each["judgement"]["state"] for each in ask("backups")[0]} == {"unproven"}


def test_a_copy_repairs_what_is_damaged_off_site_and_never_from_a_damaged_twin(
    apart: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = file_of(apart, "users")
    whole = apart.get_offsite(name)
    apart.put_offsite(name, whole[:-1] + bytes([whole[-1] ^ 1]))
    ask = asking(apart, tmp_path, monkeypatch)
    ask("verify", exit_code=1)
    newer = take_night(apart).manifest

    copied, _ = ask("copy")

    assert copied["artifact_id"] == newer.artifact_id
    assert copied["copy"]["repaired"] == []
    assert copied["repaired"] == [
        f"{apart.offsite.describe()}/{apart.manifest.prefix} was damaged, and was repaired: {name}"
    ]
    assert apart.get_offsite(name) == whole
    assert {each["judgement"]["state"] for each in ask("backups")[0]} == {"unproven"}

    # The same with the twin in the store damaged as well: the newest is copied, and this one isn't touched.
    twin = tmp_path / "store" / apart.manifest.prefix / name
    apart.put_offsite(name, whole[:-1])
    twin.write_bytes(whole[:-2])
    ask("verify", "--artifact", apart.manifest.artifact_id, exit_code=1)
    copied, notes = ask("copy")
    assert (copied["artifact_id"], copied["repaired"]) == (newer.artifact_id, [])
    assert "is damaged, and was not repaired" in notes
    assert apart.get_offsite(name) == whole[:-1]
    states = {(each["place"], each["artifact_id"]): each["judgement"]["state"] for each in ask("backups")[0]}
    assert states["store", apart.manifest.artifact_id] == "damaged"
    assert states["offsite", apart.manifest.artifact_id] == "damaged"


def test_a_damaged_copy_in_the_store_is_repaired_from_off_site_on_request(
    apart: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = file_of(apart, "users")
    path = tmp_path / "store" / apart.manifest.prefix / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    ask = asking(apart, tmp_path, monkeypatch)
    ask("verify", "--in", "store", exit_code=1)
    assert isinstance(CliRunner().invoke(app, ["copy", "--to", "store"]).exception, UsageError)

    copied, _ = ask("copy", "--to", "store", "--artifact", apart.manifest.artifact_id)

    assert copied["copy"]["repaired"] == [name]
    assert path.read_bytes() == whole
    assert {each["judgement"]["state"] for each in ask("backups")[0]} == {"unproven"}


def test_a_drill_proves_the_copy_off_site_and_takes_no_file_from_elsewhere(apart: Shipped) -> None:
    name = file_of(apart, "users")
    apart.put_offsite(name, apart.get_offsite(name)[:-1])

    result = apart.drill()

    assert result.verdict == "FAIL"
    assert [(each.code, each.subject) for each in result.findings] == [
        ("file changed", f"{name} (public.users)")
    ]
    assert result.recovery_seconds is None


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
    assert sentence.startswith("its data came back, but the migrations do not apply")

    status, _ = ask("status", exit_code=1)
    said = json.dumps(status)
    assert "ended with FAIL: the migrations do not apply" in said
    assert "The data of its backup came back." in said
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
