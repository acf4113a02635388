"""The report as JSON."""

import json
from typing import Any

import pytest

from hackorda_ops.drill import report_json
from hackorda_ops.drill.result import DrillResult
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops_tests.drill import results


def changed(**changes: Any) -> bytes:
    """The JSON of a sound drill with other values at its top."""
    return json.dumps({**json.loads(report_json.to_bytes(results.sound())), **changes}).encode()


@pytest.mark.parametrize("drill", [results.sound(), results.bad(), results.unjudged(artifact=None)])
def test_a_result_is_read_back_as_it_was(drill: DrillResult) -> None:
    assert report_json.from_bytes(report_json.to_bytes(drill), origin="here") == drill


def test_a_field_of_a_later_release_is_passed_over() -> None:
    assert report_json.from_bytes(changed(weather="fine"), origin="here") == results.sound()


@pytest.mark.parametrize("version", [2, "1", None])
def test_another_version_is_refused_by_its_number(version: object) -> None:
    with pytest.raises(ArtifactDamaged, match=f"s3://b/report.json has version {version!r}"):
        report_json.from_bytes(changed(result_version=version), origin="s3://b/report.json")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        report_json.to_bytes(results.sound())[:-200],
        changed(verdict="PASS, honestly"),
        changed(tables=[{"table": "public.users"}]),
        changed(started_at="2026-11-22T04:00:07"),
    ],
)
def test_anything_else_is_refused_with_its_place(data: bytes) -> None:
    with pytest.raises(ArtifactDamaged, match="here"):
        report_json.from_bytes(data, origin="here")
