"""The tags of runs that a person has started, which have none of their own."""

import dagster as dg
import pytest
from dagster import DagsterInstance

from hackorda_ops.orchestration.labels import label_run, label_verdict


def _asset(database: str, name: str, kind: str) -> dg.AssetsDefinition:
    @dg.asset(key=dg.AssetKey([database, name]))
    def made(context: dg.AssetExecutionContext) -> None:
        label_run(context, database, kind)
        label_verdict(context, "PASS")

    return made


NIGHT, COPY, OTHER = (
    _asset("shop", "nightly_dump", "night"),
    _asset("shop", "offsite_copy", "week"),
    _asset("crm", "nightly_dump", "night"),
)


@pytest.mark.parametrize(
    ("started", "labels"),
    [
        ((NIGHT,), {"database": "shop", "kind": "night"}),
        ((NIGHT, COPY), {"database": "shop"}),
        ((NIGHT, OTHER), {}),
    ],
)
def test_a_run_is_labelled_with_what_is_true_of_all_of_it(
    instance: DagsterInstance, started: tuple[dg.AssetsDefinition, ...], labels: dict[str, str]
) -> None:
    job = dg.Definitions(assets=[NIGHT, COPY, OTHER]).resolve_implicit_global_asset_job_def()

    result = job.execute_in_process(instance=instance, asset_selection=[asset.key for asset in started])

    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert {tag: text for tag, text in run.tags.items() if tag.startswith("hackorda_ops/")} == {
        **{f"hackorda_ops/{name}": text for name, text in labels.items()},
        "hackorda_ops/verdict": "PASS",
    }
