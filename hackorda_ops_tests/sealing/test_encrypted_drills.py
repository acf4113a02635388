"""Drills and proofs of an encrypted database: with its identity, with a wrong one, and with none."""

from dataclasses import replace
from pathlib import Path

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.config.models import Policy
from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.drill.drill import run_drill
from hackorda_ops.environment import Protected
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.night.night import take_night
from hackorda_ops.night_proof.prove import prove
from hackorda_ops.sealing.preflight import look_at_encryption
from hackorda_ops.week import week
from hackorda_ops_tests.engines import examples
from hackorda_ops_tests.sealing.keys import keygen, with_identity

pytestmark = pytest.mark.server


@pytest.fixture
def shipped(
    tmp_path: Path,
    s3_server: S3Server,
    new_bucket: str,
    new_database: str,
    scratch_server: PostgresServer,
) -> Protected:
    example = examples.of_postgres(
        tmp_path, s3_server, new_bucket, database=lambda: new_database, drilled_on=scratch_server
    )
    written = example.protected.policy.model_dump(mode="json", exclude_unset=True)
    policy = Policy.model_validate(
        {**written, "encrypt_to": [keygen(tmp_path / "id.txt")], "key_tables": ["users"]}
    )
    protected = replace(example.protected, policy=policy)
    week.ship(protected, take_night(protected).stored)
    return protected


def test_a_drill_with_the_identity_passes_like_that_of_any_other_database(
    shipped: Protected, tmp_path: Path
) -> None:
    result = run_drill(with_identity(shipped, tmp_path / "id.txt"))
    assert (result.verdict, result.error, result.findings) == ("PASS", None, ())
    assert [each.restored_rows for each in result.tables] == [999]


def test_a_wrong_identity_fails_the_drill_after_the_preflight_had_said_so(
    shipped: Protected, tmp_path: Path
) -> None:
    keygen(tmp_path / "wrong.txt")
    wrong = with_identity(shipped, tmp_path / "wrong.txt")
    [concern] = [
        each for part in look_at_encryption(wrong) for each in part.concerns if "opens nothing" in each.what
    ]
    assert concern.severity == "stops the drill"

    result = run_drill(wrong)

    assert result.verdict == "FAIL"
    assert [each.code for each in result.findings] == ["identity refused"]
    follows = consequence_of(result)
    assert follows.headline == "the identity does not open the artifact"
    assert follows.alarm == "failure"
    # Nothing was made that would have to be taken down, and the bytes count as unread.
    assert {each.name: each.outcome for each in result.checks}["scratch_gone"] == "not reached"
    judged = read_judged({"offsite": shipped.offsite}, shipped.name)
    assert all(each.judgement.state != "proven" for each in judged.held)


@pytest.mark.parametrize("identity", [None, {"env": "NOT_SET"}])
def test_no_identity_is_an_error_that_says_nothing_of_the_backup(
    shipped: Protected, identity: dict[str, str] | None
) -> None:
    written = shipped.policy.model_dump(mode="json", exclude_unset=True)
    policy = Policy.model_validate({**written, "identity": identity})
    result = run_drill(replace(shipped, policy=policy))
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "identity" in result.error.what
    assert catalog.read(shipped.offsite, shipped.name).newest is not None


def test_a_machine_that_only_dumps_is_not_blamed_for_proofs_that_it_can_not_make(shipped: Protected) -> None:
    written = shipped.policy.model_dump(mode="json", exclude_unset=True)
    dumping = replace(shipped, policy=Policy.model_validate({**written, "identity": None}))
    proved = prove(dumping)
    assert (proved.proof.verdict, proved.nowhere) == ("ERROR", True)

    unset = replace(shipped, policy=Policy.model_validate({**written, "identity": {"env": "NOT_SET"}}))
    proved = prove(unset)
    assert (proved.proof.verdict, proved.nowhere) == ("ERROR", False)
