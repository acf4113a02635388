"""`night_proof`, materialized for real on a server of its own, and the sensor that starts it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import dagster as dg
import pytest
from dagster import AssetKey, DagsterInstance

from hackorda_ops.artifacts import catalog
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.evidence.manifest import of_postgres
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.damage import damage_one_row
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops_tests.orchestration.protected import CodeLocation

pytestmark = pytest.mark.server

NIGHT_PROOF = AssetKey(["shop", "night_proof"])


@pytest.fixture
def nightly(protected: CodeLocation, instance: DagsterInstance) -> CodeLocation:
    """The database, with a night."""
    protected.execute("ALTER TABLE users ADD city text DEFAULT 'Almaty'")
    taken = with_policy(protected, dump={"work_folder": str(protected.store.parent / "work")})
    assert taken.run("shop_night", taken.tonight, instance).success
    return taken


def with_policy(location: CodeLocation, **policy: Any) -> CodeLocation:
    shop = location.config.databases["shop"].model_dump(mode="json", exclude_unset=True)
    return replace(
        location,
        config=Config(databases={"shop": Policy.model_validate({**shop, **policy})}),
        environ={**location.environ, "PATH": "/usr/bin:/bin"},
    )


def asked(location: CodeLocation, instance: DagsterInstance) -> list[str]:
    definitions = build_defs(location.config)
    context = dg.build_sensor_context(
        instance=instance,
        repository_def=definitions.get_repository_def(),
        resources={ENVIRON: location.environ},
    )
    data = definitions.resolve_sensor_def("prove_nights").evaluate_tick(context)
    return [f"{request.job_name} {request.partition_key}" for request in data.run_requests or []]


def evaluations(result: dg.ExecuteInProcessResult) -> Mapping[str, bool]:
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def test_a_night_is_proven_after_it_and_only_once(nightly: CodeLocation, instance: DagsterInstance) -> None:
    assert asked(nightly, instance) == [f"shop_proof {nightly.tonight}"]

    result = nightly.run("shop_proof", nightly.tonight, instance)

    assert result.success
    assert evaluations(result) == dict.fromkeys(
        ("files_equal_manifest", "restored_equals_manifest", "comparison_self_test", "scratch_gone"), True
    )
    [made] = result.asset_materializations_for_node("shop_night_proof")
    assert made.metadata["verdict"].value == "PASS"
    assert instance.get_materialized_partitions(NIGHT_PROOF) == {nightly.tonight.isoformat()}
    [held] = read_judged({"store": nightly.shop.store}, "shop").held
    assert held.judgement.state == "proven"
    assert asked(nightly, instance) == []


def test_a_damaged_night_fails_and_stays_open_for_another_try(
    nightly: CodeLocation, instance: DagsterInstance
) -> None:
    [manifest] = catalog.read(nightly.shop.store, "shop").artifacts
    damage_one_row(nightly.shop.store, of_postgres(manifest), TableName("public", "users"))

    result = nightly.run("shop_proof", nightly.tonight, instance)

    assert not result.success
    assert evaluations(result)["files_equal_manifest"] is False
    assert instance.get_materialized_partitions(NIGHT_PROOF) == set()
    [held] = read_judged({"store": nightly.shop.store}, "shop").held
    assert not held.judgement.usable


def test_where_nothing_can_be_restored_on_it_fails_only_where_somebody_asked_for_it(
    nightly: CodeLocation, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hackorda_ops.postgres.tools.clients.WHEELS", {})
    monkeypatch.setattr("hackorda_ops.postgres.tools.clients._INSTALL_FOLDERS", ())

    by_default = nightly.run("shop_proof", nightly.tonight, instance)
    demanded = with_policy(nightly, proof={"every": "night"})
    failed = demanded.run("shop_proof", nightly.tonight, instance)

    assert by_default.success
    assert not failed.success
    assert instance.get_materialized_partitions(NIGHT_PROOF) == set()


def test_what_is_switched_off_has_no_asset_and_no_sensor(nightly: CodeLocation) -> None:
    repository = build_defs(with_policy(nightly, proof={"every": "off"}).config).get_repository_def()
    assert "prove_nights" not in {each.name for each in repository.sensor_defs}
    assert not repository.has_job("shop_proof")
