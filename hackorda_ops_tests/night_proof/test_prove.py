"""The proof of a night on a server of our own: what passes, what fails, what can't be judged."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.drilling.night_proof import PROOFS
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.damage import damage_one_row
from hackorda_ops.local.postgres import create_database, running_postgres
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops_tests.night_proof.conftest import SCHEMA, Taken
from hackorda_ops_tests.zoo.servers import programs_of

pytestmark = pytest.mark.server


@pytest.mark.quick
def test_a_sound_night_passes_on_a_server_of_our_own_and_is_proven_from_then_on(shop: Taken) -> None:
    proved = shop.prove()

    proof = proved.proof
    assert (proof.verdict, proof.error, proof.findings) == ("PASS", None, ())
    assert [(each.name, each.outcome) for each in proof.checks] == [
        ("files_equal_manifest", "passed"),
        ("restored_equals_manifest", "passed"),
        ("comparison_self_test", "passed"),
        ("scratch_gone", "passed"),
    ]
    assert proved.not_stored == ()
    assert shop.left == []
    keys = PROOFS.keys(shop.store, "shop")
    assert PROOFS.read(shop.store, "shop", keys, [shop.manifest.artifact_id]) == ((proof,), ())
    [held] = read_judged({"store": shop.store}, "shop").held
    assert held.judgement.state == "proven"
    assert held.judgement.sentence == f"proven (proof {proof.proof_id})"
    assert (held.judgement.proof_id, held.judgement.drill_id) == (proof.proof_id, None)


def test_one_changed_row_with_hashes_made_to_fit_is_a_fail(shop: Taken) -> None:
    damage_one_row(shop.store, shop.manifest, TableName("public", "users"))
    proof = shop.prove().proof
    assert proof.verdict == "FAIL"
    assert {each.subject for each in proof.findings} == {"public.users"}
    [held] = read_judged({"store": shop.store}, "shop").held
    assert not held.judgement.usable
    assert shop.left == []


def test_a_lost_file_and_a_truncated_one_are_fails_that_name_the_file(shop: Taken) -> None:
    folder = shop.store.root / shop.manifest.prefix
    users = next(each.file for each in shop.manifest.tables if each.name.name == "users")
    data = (folder / users).read_bytes()

    (folder / users).write_bytes(data[: len(data) // 2])
    truncated = shop.prove().proof
    (folder / users).unlink()
    lost = shop.prove(artifact_id=shop.manifest.artifact_id).proof

    for proof in (truncated, lost):
        assert (proof.verdict, proof.place) == ("FAIL", None)
        assert any(users in each.subject or users in each.observed for each in proof.findings)
        assert consequence_of(proof).artifact == "damaged"
    [held] = read_judged({"store": shop.store}, "shop").held
    assert (held.judgement.state, held.judgement.proof_id) == ("damaged", lost.proof_id)


@pytest.mark.parametrize("major", [15, 16, 17, 18])
def test_every_major_version_is_proven_on_its_own(
    major: int, tmp_path: Path, server_folder: Path, take: Callable[..., Taken]
) -> None:
    try:
        programs = programs_of(major)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    with running_postgres(server_folder / f"proof-{major}", bin_dir=programs) as server:
        url = create_database(server, "shop")
        with psycopg.connect(url) as connection:
            # One of the builds brings no extensions.
            connection.execute(
                SCHEMA.replace("CREATE EXTENSION citext;", "").replace("citext", "text").encode()
            )
        taken = take(url, source={"client_folders": [str(programs)]})
    # The source is gone by now: a proof doesn't need it.
    proof = taken.prove().proof
    assert (proof.verdict, proof.error, proof.findings) == ("PASS", None, ())
    assert proof.place is not None
    assert f"Postgres {major}" in proof.place
    assert taken.left == []
