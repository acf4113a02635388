"""Key tables beside production: what the artifact's age allows, and what it doesn't."""

from datetime import UTC, datetime, timedelta

import pytest

from hackorda_ops.config.expectations import Tolerances
from hackorda_ops.engines.postgres.drill.comparisons.key_tables import (
    Look,
    Newest,
    beside,
    count_findings,
    daily_growth,
    drift_budget,
    name_of,
    newest_row_findings,
)
from hackorda_ops.postgres.catalogs.inventory import TableName

USERS = TableName("public", "users")
CAPTURED = datetime(2026, 11, 18, 21, tzinfo=UTC)
OLD, RECENT, LATER = (CAPTURED + timedelta(days=days) for days in (-30, -1, 2))


def codes(
    restored_rows: int, production_rows: int, *, age_days: float = 1, growth: float | None = None
) -> list[str]:
    result = beside(
        USERS,
        None,
        Look(restored_rows, None),
        Look(production_rows, None),
        age=timedelta(days=age_days),
        growth_rows_per_day=growth,
        tolerances=Tolerances(),
    )
    return [finding.code for finding in count_findings(result)]


@pytest.mark.parametrize(
    ("restored_rows", "production_rows", "age_days", "found"),
    [
        (100, 100, 1, []),
        (100, 110, 1, []),
        (100, 111, 1, ["key table drifted"]),
        (100, 89, 1, ["key table drifted"]),
        (100, 120, 2, []),
        (100, 109, 0.001, []),  # minutes old: a day's drift is allowed
        (3, 2, 1, []),  # so few rows that any percentage of them is less than one
        (3, 13, 1, []),
        (3, 14, 1, ["key table drifted"]),
        (0, 0, 1, []),
        (0, 1, 1, ["key table empty"]),
        (5, 0, 1, ["key table empty in production"]),
    ],
)
def test_counts_may_differ_by_what_the_age_allows(
    restored_rows: int, production_rows: int, age_days: float, found: list[str]
) -> None:
    assert codes(restored_rows, production_rows, age_days=age_days) == found


def test_a_table_that_always_grew_fast_may_go_on_so() -> None:
    assert codes(100, 180, growth=None) == ["key table drifted"]
    assert codes(100, 180, growth=25) == []
    assert codes(100, 190, growth=25) == ["key table drifted"]
    assert codes(100, 250, age_days=2, growth=25) == []


def test_no_growth_excuses_a_table_without_rows() -> None:
    assert codes(0, 1, growth=1_000_000) == ["key table empty"]
    assert codes(1, 0, growth=1_000_000) == ["key table empty in production"]


@pytest.mark.parametrize(
    ("age_days", "growth", "allowed"),
    [(0, None, 100), (1, None, 100), (7, None, 700), (1, 20.0, 100), (1, 50.0, 160), (7, 100.0, 2110)],
)
def test_the_budget_is_the_larger_of_the_configured_share_and_the_usual_growth(
    age_days: float, growth: float | None, allowed: int
) -> None:
    budget = drift_budget(
        1000, age=timedelta(days=age_days), growth_rows_per_day=growth, tolerances=Tolerances()
    )
    assert budget == allowed


def nights(*rows: int, hours_apart: float = 24) -> list[tuple[datetime, int]]:
    return [(CAPTURED + timedelta(hours=hours_apart * number), count) for number, count in enumerate(rows)]


@pytest.mark.parametrize(
    ("counts", "growth"),
    [
        ([], None),
        (nights(5), None),
        (nights(5, 5), 0),
        (nights(100, 110, 120, 130), 10),
        (nights(130, 120, 110), 10),  # it shrinks as fast
        (nights(100, 110, 120, 1_000_130, 1_000_140), 10),  # one import is no habit
        (nights(100, 130, hours_apart=72), 10),  # nights that were missed
        (nights(100, 150, hours_apart=0.1), None),
        (nights(*range(100, 125), hours_apart=1), 24),  # a dump an hour
        (nights(100, 110) + nights(100, 110), 10),  # the same artifacts in the store and off-site
    ],
)
def test_the_usual_growth_is_the_median_of_the_nights(
    counts: list[tuple[datetime, int]], growth: float | None
) -> None:
    assert daily_growth(reversed(counts)) == (growth if growth is None else pytest.approx(growth))


def test_drift_is_told_in_percent_of_the_restored_rows_and_not_where_there_are_none() -> None:
    def drift(restored_rows: int, production_rows: int) -> float | None:
        return beside(
            USERS,
            None,
            Look(restored_rows, None),
            Look(production_rows, None),
            age=timedelta(days=3),
            growth_rows_per_day=None,
            tolerances=Tolerances(),
        ).drift_percent

    assert drift(200, 210) == 5
    assert drift(0, 10) is None
    assert drift(10, 0) is None


@pytest.mark.parametrize(
    ("restored", "production", "found"),
    [
        (Newest(RECENT, RECENT), Newest(LATER, RECENT), 0),
        (Newest(OLD, OLD), Newest(LATER, RECENT), 1),
        (Newest(OLD, OLD), Newest(LATER, OLD), 0),  # nobody wrote to it in production either
        (Newest(OLD, OLD), Newest(LATER, None), 0),  # production has deleted what was old
        (Newest(None, None), Newest(RECENT, RECENT), 1),
        (Newest(None, None), Newest(LATER, None), 0),  # its first rows came after the backup
        (Newest(None, None), Newest(None, None), 0),
    ],
)
def test_a_recent_row_has_to_be_there_if_production_had_one(
    restored: Newest, production: Newest, found: int
) -> None:
    findings = newest_row_findings(
        USERS, restored, production, captured_at=CAPTURED, tolerances=Tolerances(newest_row_age_hours=48)
    )
    assert len(list(findings)) == found


def test_a_key_table_is_in_public_unless_its_schema_is_named() -> None:
    assert name_of("users") == USERS
    assert name_of("audit.events") == TableName("audit", "events")
