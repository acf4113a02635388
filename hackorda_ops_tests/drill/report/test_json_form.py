"""The report as JSON."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hackorda_ops.drill.report import json_form, json_schema
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.findings import Finding
from hackorda_ops_tests.drill import results

PUBLISHED = Path(__file__).parents[3] / "docs" / json_form.SCHEMA_NAME


def changed(**changes: Any) -> bytes:
    """The JSON of a sound drill with other values at its top."""
    return json.dumps({**json.loads(json_form.to_bytes(results.sound())), **changes}).encode()


@pytest.mark.parametrize("drill", [results.sound(), results.bad(), results.unjudged(artifact=None)])
def test_a_result_is_read_back_as_it_was(drill: DrillResult) -> None:
    assert json_form.from_bytes(json_form.to_bytes(drill), origin="here") == drill


def test_a_field_of_a_later_release_is_passed_over() -> None:
    assert json_form.from_bytes(changed(weather="fine"), origin="here") == results.sound()


def test_a_check_of_a_later_release_is_read_and_is_what_the_published_schema_allows() -> None:
    later = results.with_unknown_check("failed")

    written = json_form.to_bytes(later)

    assert json_form.from_bytes(written, origin="here") == later
    jsonschema.validate(json.loads(written), json.loads(PUBLISHED.read_text(encoding="utf-8")))


_WHY = ("Not measured: the drill ended without this check.", "Not measured: there is no branch.")


def test_a_report_of_the_release_before_is_read() -> None:
    earlier = json_form.from_bytes(changed(result_version=1), origin="here")
    assert earlier == results.sound(result_version=1)
    checks = [{"name": "restored_equals_manifest", "outcome": "not measured", "summary": why} for why in _WHY]
    read = json_form.from_bytes(changed(result_version=1, checks=checks), origin="here")
    assert [check.outcome for check in read.checks] == ["not reached", "not measured"]


@pytest.mark.parametrize("version", [3, "2", None])
def test_another_version_is_refused_by_its_number(version: object) -> None:
    with pytest.raises(ArtifactDamaged, match=f"s3://b/report.json has format version {version!r}"):
        json_form.from_bytes(changed(result_version=version), origin="s3://b/report.json")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        json_form.to_bytes(results.sound())[:-200],
        changed(verdict="PASS, honestly"),
        changed(tables=[{"table": "public.users"}]),
        changed(started_at="2026-11-22T04:00:07"),
        changed(
            artifact=json_form.document(results.sound())["artifact"] | {"captured_at": "2026-11-22T02:00:00"}
        ),
    ],
)
def test_anything_else_is_refused_with_its_place(data: bytes) -> None:
    with pytest.raises(ArtifactDamaged, match="here"):
        json_form.from_bytes(data, origin="here")


def test_the_published_schema_is_that_of_this_release() -> None:
    published = PUBLISHED.read_text(encoding="utf-8")
    assert published == json_schema.text(), "run: python -m hackorda_ops.drill.report.json_schema > docs/…"


@pytest.mark.parametrize("drill", [results.sound(), results.bad(), results.unjudged(artifact=None)])
def test_every_report_is_what_the_published_schema_says(drill: DrillResult) -> None:
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json_form.to_bytes(drill)), schema)


@pytest.mark.parametrize(
    "broken",
    [
        {"verdict": "MAYBE"},
        {"result_version": 3},
        {"findings": [{"code": "rows differ"}]},
        {"recovery_seconds": "long"},
    ],
)
def test_the_schema_refuses_what_is_no_report(broken: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(changed(**broken)), json_schema.schema())


def test_a_finding_carries_its_severity_and_its_meaning() -> None:
    found = (
        Finding("rows differ", "public.users", "3 rows", "2 rows", "Use another."),
        Finding("rows lost in migration", "public.users", "3 rows", "2 rows", "Look."),
    )
    told = json_form.document(results.bad(findings=found))["findings"]
    assert [each["severity"] for each in told] == ["fatal", "warning"]
    assert all(each["meaning"] for each in told)
