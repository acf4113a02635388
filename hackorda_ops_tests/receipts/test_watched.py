"""Whoever watches hears of a chain that is not whole, or a receipt that waits: Dagster, the doctor, the commands."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from hackorda_ops.config.alerts import Alerts
from hackorda_ops.config.models import Config
from hackorda_ops.doctor import surroundings
from hackorda_ops.doctor.patient import Patient
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops.readiness.standing import read_standing
from hackorda_ops.receipts.record import recorded
from hackorda_ops.receipts.waiting import waiting_sentence
from hackorda_ops_tests.receipts.examples import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path).with_key()
    (tmp_path / "backups").mkdir(mode=0o700)
    for day in (22, 23, 24):
        made.night(subject=f"2026-11-{day}")
    assert made.waiting == 0
    return made


def break_the_chain(shop: Shop) -> None:
    (shop.folder / "backups" / "shop" / "receipts" / "00000003.json").unlink()


def let_one_wait(shop: Shop) -> None:
    """A night whose receipt can't be signed, two hours ago."""
    key = shop.receipts.pop("key_file")
    shop.night(subject="2026-11-25")
    shop.receipts["key_file"] = key
    for path in (shop.folder / "work" / "receipts" / "shop").glob("*.json"):
        os.utime(path, (time.time() - 7200, time.time() - 7200))


def of_dagster(shop: Shop) -> dict[str, tuple[bool, str, str]]:
    config = Config.model_validate(
        {"databases": {"shop": shop.protected.policy.model_dump(exclude_unset=True)}}
    )
    defs = build_defs(config, resource_overrides={ENVIRON: dict(shop.environ)})
    with dg.DagsterInstance.ephemeral() as instance:
        done = defs.resolve_job_def("shop_receipts").execute_in_process(instance=instance)
    assert done.success
    return {
        each.check_name: (each.passed, each.severity.value, each.description or "")
        for each in done.get_asset_check_evaluations()
    }


def of_the_doctor(shop: Shop) -> tuple[str, str]:
    answer = surroundings.receipts(Patient(shop.protected, Alerts(), datetime.now(UTC)))
    return answer.outcome, answer.seen


def run(shop: Shop, *arguments: str) -> subprocess.CompletedProcess[str]:
    written = {"databases": {"shop": shop.protected.policy.model_dump(mode="json", exclude_unset=True)}}
    (shop.folder / "databases.yaml").write_text(json.dumps(written))
    return subprocess.run(
        [sys.executable, "-m", "hackorda_ops.cli", *arguments],
        cwd=shop.folder,
        env={"PATH": os.environ["PATH"], "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_whole_chain_passes_everywhere(shop: Shop) -> None:
    checks = of_dagster(shop)
    assert {name: passed for name, (passed, _, _) in checks.items()} == {
        "the_chain_is_whole": True,
        "no_receipt_waits": True,
    }
    # Nobody has vouched for its key yet.
    assert of_the_doctor(shop)[0] == "attention"
    shop.receipts["trusted_keys"] = [str(shop.folder / "key.pem.pub")]
    assert of_the_doctor(shop) == ("ok", "4 receipts, whole and signed")


def test_a_receipt_that_was_taken_out_fails_the_check_as_an_error_which_raises_the_alarm(shop: Shop) -> None:
    break_the_chain(shop)
    assert of_dagster(shop)["the_chain_is_whole"][:2] == (False, "ERROR")
    assert "Receipt 3 is missing." in of_dagster(shop)["the_chain_is_whole"][2]
    outcome, seen = of_the_doctor(shop)
    assert (outcome, "Receipt 3 is missing." in seen) == ("problem", True)


def test_a_receipt_that_waits_is_told_in_the_same_words_everywhere(shop: Shop) -> None:
    let_one_wait(shop)
    assert shop.waiting == 1
    told = waiting_sentence(shop.protected)
    assert told is not None
    assert told.startswith("Receipts wait on this machine: what was done of shop since ")
    assert of_dagster(shop)["no_receipt_waits"] == (False, "ERROR", told)
    assert of_the_doctor(shop) == ("attention", told)
    assert told in read_standing(shop.protected, now=datetime.now(UTC)).problems
    # The next night sends it.
    shop.night(subject="2026-11-26")
    assert waiting_sentence(shop.protected) is None


def test_the_receipt_of_work_that_goes_on_does_not_wait(shop: Shop) -> None:
    with recorded("night", shop.protected, subject="2026-11-25"):
        [path] = (shop.folder / "work" / "receipts" / "shop").glob("*.json")
        os.utime(path, (time.time() - 7200, time.time() - 7200))
        assert waiting_sentence(shop.protected) is None


def test_the_commands_check_the_chain_and_write_the_page(shop: Shop) -> None:
    whole = run(shop, "receipts", "verify", "--key", str(shop.folder / "key.pem.pub"), "--json")
    assert whole.returncode == 0, whole.stderr
    [found] = json.loads(whole.stdout)
    assert (found["whole"], found["receipts"], found["trusted"], found["waiting"]) == (True, 4, True, 0)

    today = datetime.now(UTC).date()
    period = ("--from", str(today - timedelta(days=3)), "--to", str(today))
    page = run(shop, "evidence", *period, "--out", "evidence.html")
    assert (page.returncode, "Written: evidence.html" in page.stdout) == (0, True), page.stderr
    assert (shop.folder / "evidence.html").stat().st_mode & 0o777 == 0o600

    break_the_chain(shop)
    broken = run(shop, "receipts", "verify", "--head", found["head"])
    assert (broken.returncode, "Receipt 3 is missing." in broken.stdout) == (1, True), broken.stdout
    page = run(shop, "evidence", *period, "--out", "broken.html")
    assert page.returncode == 1
    assert "BROKEN" in (shop.folder / "broken.html").read_text()
    wrong = run(shop, "receipts", "verify", "--head", "12:no")
    assert wrong.returncode == 2
