"""What is in an artifact, and what has been proven of it."""

import json
from datetime import UTC, datetime, timedelta

from hackorda_ops.artifacts.operations_log import Event, record
from hackorda_ops_tests.inspection.conftest import Run, TwoNights


def test_an_artifact_is_shown_with_its_tables_where_it_lies_and_what_is_known_of_it(
    run: Run, nights: TwoNights
) -> None:
    done = run("show", nights.first.artifact_id)
    assert done.returncode == 0, done.stderr
    assert "public.users" in done.stdout
    assert f"{nights.store.describe()}/{nights.first.prefix}: not proven yet" in done.stdout
    assert "341 rows in 4 tables" in done.stdout


def test_the_best_artifact_is_shown_where_none_is_named(run: Run, nights: TwoNights) -> None:
    found = json.loads(run("show", "shop", "--json").stdout)
    assert found["artifact_id"] == nights.first.artifact_id  # the second night found that a table is gone
    assert {each["name"]: each["rows"] for each in found["parts"]}["public.users"] == 300
    assert [each["judgement"]["state"] for each in found["places"]] == ["unproven"]


def test_what_the_operations_log_says_of_an_artifact_is_shown(run: Run, nights: TwoNights) -> None:
    event = Event(
        "restore",
        datetime.now(UTC) - timedelta(minutes=1),
        "PASS",
        nights.second.artifact_id,
        "Into a new database.",
    )
    assert record((nights.store,), "shop", event) == ()
    found = json.loads(run("show", nights.second.artifact_id, "--json").stdout)
    restores = [each for each in found["events"] if each["kind"] == "restore"]
    assert [(each["outcome"], each["detail"]) for each in restores] == [("PASS", "Into a new database.")]
    assert found["places"][0]["judgement"]["state"] == "unsound"


def test_a_word_that_is_neither_a_database_nor_an_artifact_is_explained(run: Run) -> None:
    done = run("show", "nonsense")
    assert done.returncode == 2
    assert done.stderr.startswith("ERROR")
    assert "nonsense isn't an artifact's id either" in done.stderr


def test_what_a_verification_found_is_shown(run: Run, nights: TwoNights) -> None:
    assert run("verify", "--in", "store", "--artifact", nights.second.artifact_id).returncode == 0
    [seen] = json.loads(run("show", nights.second.artifact_id, "--json").stdout)["verifications"]
    assert (seen["by"], seen["sound"]) == ("verification", True)
    assert "every byte as the manifest has it" in run("show", nights.second.artifact_id).stdout


def test_an_artifact_that_is_nowhere_is_an_error_with_a_next_step(run: Run) -> None:
    done = run("show", "20200101T000000Z-abcdef")
    assert done.returncode == 3
    assert "has no artifact 20200101T000000Z-abcdef" in done.stderr
    assert "hackorda-ops backups" in done.stderr
