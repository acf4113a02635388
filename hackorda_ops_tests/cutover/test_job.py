"""The cutover as a job in Dagster, run for real."""

import pytest
from dagster import DagsterInstance

from hackorda_ops.config.models import Config
from hackorda_ops.cutover.state import load
from hackorda_ops.cutover.steps import NAMES
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops_tests.cutover.moving import Move, Writer, application, rows

pytestmark = pytest.mark.server


def test_it_stops_before_what_cannot_be_undone_and_goes_on_once_confirmed(shop: Move) -> None:
    with application(200) as url, Writer(shop.old, shop.stopped), DagsterInstance.ephemeral() as instance:
        moving = shop.changed(smoke=[url])
        definitions = build_defs(
            Config(databases={"shop": moving.policy}), resource_overrides={ENVIRON: moving.environ}
        )
        job = definitions.resolve_job_def("shop_cutover")

        first = job.execute_in_process(instance=instance, raise_on_error=False)

        [failed] = [event for event in first.all_events if event.is_step_failure]
        assert failed.node_name == "shop_cutover_repoint"
        assert "which nobody has confirmed" in (failed.step_failure_data.error_display_string or "")
        assert not (shop.folder / "url").exists()

        confirmed = {"shop_cutover_repoint": {"config": {"confirmed": True}}}
        second = job.execute_in_process(
            instance=instance, run_config={"ops": confirmed}, raise_on_error=False
        )

        assert second.success
        logged = [entry.user_message for entry in instance.all_logs(first.run_id)]
    state = load(shop)
    assert state is not None
    assert [each.name for each in state.done] == list(NAMES)
    assert rows(shop.new) == rows(shop.old)
    assert any(line.startswith("still (step 4 of 12): Proves") for line in logged)
    assert any("SHOP_URL=postgresql://postgres:<the password" in line for line in logged)
