"""`readiness`, materialized for real, and what refreshes it."""

import socket
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster import AssetKey, DagsterInstance
from prometheus_client.parser import text_string_to_metric_families

from hackorda_ops.config.models import Policy
from hackorda_ops.orchestration.assets import DRILL_REPORT
from hackorda_ops.orchestration.assets.readiness import READINESS
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.checks import of_readiness
from hackorda_ops.orchestration.names import key
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops.readiness.assessment import assess
from hackorda_ops.readiness.judgement import Judgement, Word
from hackorda_ops.readiness.survey import Survey
from hackorda_ops_tests.html_page import HtmlPage
from hackorda_ops_tests.orchestration.protected import CodeLocation
from hackorda_ops_tests.readiness.test_judgement import IN_ORDER

pytestmark = pytest.mark.server


def _metadata(instance: DagsterInstance) -> dict[str, object]:
    event = instance.get_latest_materialization_event(READINESS)
    assert event is not None
    assert event.asset_materialization is not None
    return {label: value.value for label, value in event.asset_materialization.metadata.items()}


def test_the_page_lies_in_the_store_private_and_its_numbers_are_plotted(
    protected: CodeLocation, instance: DagsterInstance
) -> None:
    assert protected.run("all_readiness", None, instance).success
    before = _metadata(instance)
    assert before["databases in order"] == 0
    assert "UNPROTECTED" in str(before["readiness"])
    assert "shop: days since the newest night" not in before

    protected.run("shop_night", protected.tonight, instance)
    protected.run("shop_week", protected.this_week, instance)
    assert protected.run("all_readiness", None, instance).success

    [artifact] = protected.artifacts()
    shown = _metadata(instance)
    assert isinstance(shown["shop: days since the newest night"], float)
    assert shown["shop: days since the newest night"] < 1
    assert isinstance(shown["shop: days since the newest week"], float)
    assert shown["shop: bytes of a night"] == sum(
        path.stat().st_size
        for path in (protected.store / "shop" / artifact).rglob("*")
        if path.is_file() and path.name != "manifest.json"
    )
    assert isinstance(shown["shop: bytes kept, store"], int)
    assert isinstance(shown["shop: bytes kept, offsite"], int)
    # A fresh database isn't asked for what was due before it was protected, but nothing is proven.
    assert "AT RISK" in str(shown["readiness"])
    assert "No restore point has ever been proven." in str(shown["readiness"])

    page = protected.store / "readiness.html"
    assert (shown["page in the store"], shown["not stored"]) == (str(page), "none")
    assert page.stat().st_mode & 0o777 == 0o600
    text = page.read_text(encoding="utf-8")
    assert HtmlPage(text).texts("title") == ["AT RISK: readiness of 1 database"]
    for value in protected.environ.values():
        if value not in {protected.environ["OFFSITE_BUCKET"]}:
            assert value not in text


def _check(instance: DagsterInstance) -> dg.AssetCheckEvaluation:
    """What Dagster shows of the shop's readiness."""
    key = dg.AssetCheckKey(READINESS, "shop")
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert record.evaluation is not None
    return record.evaluation


def test_each_database_has_a_check_that_says_the_reasons_and_what_to_do_first(
    protected: CodeLocation, instance: DagsterInstance
) -> None:
    assert protected.run("all_readiness", None, instance).success
    unprotected = _check(instance)
    assert (unprotected.passed, unprotected.severity) == (False, dg.AssetCheckSeverity.ERROR)
    said = str(unprotected.description)
    assert said.startswith("UNPROTECTED: No night has ever been taken: there is no backup of it.")
    assert "Next step: `hackorda-ops dump shop`, or materialize the night in Dagster." in said

    protected.run("shop_night", protected.tonight, instance)
    protected.run("shop_week", protected.this_week, instance)
    assert protected.run("all_readiness", None, instance).success
    at_risk = _check(instance)
    assert (at_risk.passed, at_risk.severity) == (False, dg.AssetCheckSeverity.WARN)
    said = str(at_risk.description)
    assert said.startswith(
        "AT RISK: No restore point has ever been proven. Next step: `hackorda-ops drill shop`"
    )
    assert at_risk.metadata["verdict"].value == "AT RISK"
    assert "hackorda-ops drill shop" in str(at_risk.metadata["next step"].value)


@pytest.mark.parametrize(
    ("word", "passed", "severity"),
    [
        ("OK", True, dg.AssetCheckSeverity.ERROR),
        ("AT RISK", False, dg.AssetCheckSeverity.WARN),
        ("OVERDUE", False, dg.AssetCheckSeverity.ERROR),
        ("UNKNOWN", False, dg.AssetCheckSeverity.ERROR),
        ("UNPROTECTED", False, dg.AssetCheckSeverity.ERROR),
    ],
)
def test_every_word_has_its_colour(word: Word, passed: bool, severity: dg.AssetCheckSeverity) -> None:
    judged = Judgement(word, () if passed else ("Something is late.",), "" if passed else "Do it.")
    ready = replace(
        assess(Survey(IN_ORDER, (), (), ()), Policy()), judgement=judged, risk="Nothing is at risk."
    )
    [result] = of_readiness([ready])
    assert (result.passed, result.severity) == (passed, severity)
    assert result.check_name == IN_ORDER.database
    reason = "Nothing is at risk." if passed else "Something is late. Next step: Do it."
    assert result.description == f"{word}: {reason}"


def test_a_store_that_cannot_take_the_page_is_told_beside_the_verdict(
    protected: CodeLocation, instance: DagsterInstance
) -> None:
    protected.store.write_text("not a folder", encoding="utf-8")
    assert protected.run("all_readiness", None, instance).success
    shown = _metadata(instance)
    assert "page in the store" not in shown
    assert "readiness.html" in str(shown["not stored"])
    assert "UNKNOWN" in str(shown["readiness"])


def test_every_drill_asks_for_a_look_whatever_its_verdict(
    protected: CodeLocation, instance: DagsterInstance
) -> None:
    sensor = protected.definitions().resolve_sensor_def("assess_readiness_after_drills")

    def asked() -> list[str]:
        with dg.build_sensor_context(instance=instance, definitions=protected.definitions()) as context:
            return [str(request.run_key) for request in sensor.evaluate_tick(context).run_requests or []]

    def drill() -> None:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(key("shop", DRILL_REPORT), partition="2026-10-01")
        )

    assert asked() == []
    drill()
    [once] = asked()
    # As the daemon tags what it starts; under which name the sensor was then doesn't count.
    instance.create_run_for_job(
        protected.definitions().resolve_job_def("all_readiness"), tags={"dagster/run_key": once}
    )
    assert asked() == []
    drill()
    [again] = asked()
    assert again != once


def test_metrics_are_written_where_a_file_is_named(
    protected: CodeLocation, instance: DagsterInstance, tmp_path: Path
) -> None:
    assert "write_metrics" not in {sensor.name for sensor in protected.definitions().sensors or ()}
    path = tmp_path / "hackorda_ops.prom"
    named = protected.config.model_copy(update={"metrics_file": path})
    definitions = build_defs(named, resource_overrides={ENVIRON: protected.environ})
    began = datetime.now(UTC).timestamp()
    with dg.build_sensor_context(
        instance=instance, definitions=definitions, resources={ENVIRON: protected.environ}
    ) as context:
        tick = definitions.resolve_sensor_def("write_metrics").evaluate_tick(context)
    assert tick.run_requests == []
    read = {
        sample.name: sample.value
        for family in text_string_to_metric_families(path.read_text(encoding="utf-8"))
        for sample in family.samples
        if sample.labels.get("kind", "night") == "night"
    }
    assert read["hackorda_ops_overdue"] == 1
    assert read["hackorda_ops_ready"] == 0
    assert read["hackorda_ops_readiness_timestamp_seconds"] >= began


def test_a_bucket_that_never_answers_does_not_keep_the_metrics_from_being_written(
    protected: CodeLocation, instance: DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hackorda_ops.orchestration.upkeep.readiness._READING_SECONDS", 0.5)
    path = tmp_path / "hackorda_ops.prom"
    named = protected.config.model_copy(update={"metrics_file": path})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environ = {**protected.environ, "OFFSITE_ENDPOINT_URL": endpoint}
        definitions = build_defs(named, resource_overrides={ENVIRON: environ})
        with dg.build_sensor_context(
            instance=instance, definitions=definitions, resources={ENVIRON: environ}
        ) as context:
            definitions.resolve_sensor_def("write_metrics").evaluate_tick(context)
    read = {
        sample.name: sample.value
        for family in text_string_to_metric_families(path.read_text(encoding="utf-8"))
        for sample in family.samples
    }
    assert (read["hackorda_ops_problems"], read["hackorda_ops_ready"]) == (1, 0)
    assert "hackorda_ops_overdue" not in read


def test_it_is_looked_at_every_day_with_every_database_upstream(protected: CodeLocation) -> None:
    definitions = protected.definitions()
    assert definitions.resolve_schedule_def("assess_readiness_every_day").cron_schedule == "0 9 * * *"
    parents = definitions.resolve_asset_graph().get(READINESS).parent_keys
    assert parents == {AssetKey(["shop", made]) for made in ("nightly_dump", "offsite_copy", "restore_drill")}
