"""A demo whose step fails ends with that step's own error."""

from datetime import UTC, datetime, timedelta

import pytest

from hackorda_ops.cli import demo
from hackorda_ops.errors import ToolFailed
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops_tests.e2e.shop import NAME


def test_a_failed_step_says_why(dagster: RunningDagster, monkeypatch: pytest.MonkeyPatch) -> None:
    # The shop keeps no history: a night of a hundred days ago can't be taken any more.
    monkeypatch.setattr(demo, "_NAME", NAME)
    long_ago = datetime.now(UTC).date() - timedelta(days=100)

    with pytest.raises(ToolFailed) as failed:
        demo._materialize(dagster, "The night", "nightly_dump", long_ago)

    said = failed.value.what
    assert said.startswith("The run of nightly_dump ended as FAILURE:\n")
    assert str(long_ago) in said
    assert "Next step: " in said
    assert "Traceback" not in said
