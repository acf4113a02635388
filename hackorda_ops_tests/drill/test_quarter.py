"""A drill with its report: whatever becomes of the report, the verdict stands."""

from typing import Never

import pytest

from hackorda_ops.drill import quarter
from hackorda_ops.drill.report import report
from hackorda_ops_tests.drill.fixtures import Shipped

pytestmark = pytest.mark.server


def test_a_report_that_cannot_be_made_does_not_cost_the_verdict(
    protected: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> Never:
        raise ZeroDivisionError("of postgresql://app:secret@db/app")

    monkeypatch.setattr(report, "store_report", broken)

    held = quarter.hold_drill(protected)

    assert (held.result.verdict, held.pages) == ("PASS", ())
    [why] = held.not_stored
    assert why.startswith("The report could not be made: ZeroDivisionError")
    assert "secret" not in why
