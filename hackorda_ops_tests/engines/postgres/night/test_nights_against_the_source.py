"""What nights write down of the tables whose values they held against the source's, and who gets to know."""

from pathlib import Path

import psycopg
import pytest

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config.models import Policy
from hackorda_ops.engines.postgres.drill.not_compared import beyond_comparison
from hackorda_ops.environment import Protected
from hackorda_ops.night.night import Night, take_night
from hackorda_ops.orchestration.metadata import of_night

SCHEMA = """
CREATE TABLE users (id int, name text); INSERT INTO users VALUES (1, 'a'), (2, 'b');
CREATE UNLOGGED TABLE carts (id int); INSERT INTO carts VALUES (1);
CREATE TABLE days (day date) PARTITION BY RANGE (day);
CREATE TABLE days_2026 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE MATERIALIZED VIEW counts AS SELECT count(*) FROM users;
"""
HELD = ["public.carts", "public.days_2026", "public.users"]


@pytest.fixture
def url(new_database: str) -> str:
    with psycopg.connect(new_database) as session:
        session.execute(SCHEMA)
    return new_database


def night_of(url: str, store: Path, *, percent: float = 10) -> Night:
    database = Policy.model_validate({"store": str(store), "dump": {"compare_with_source_percent": percent}})
    return take_night(Protected("hackorda", database, {"DATABASE_URL": url, "PATH": "/usr/bin:/bin"}))


def compared(manifest: Manifest) -> list[str]:
    assert manifest.source_values is not None
    return [str(name) for name in manifest.source_values.compared_in(manifest.captured_at)]


def told(manifest: Manifest) -> list[str]:
    """What a drill's report says of the source's values."""
    return [
        f"{each.what}: {each.why}"
        for each in beyond_comparison(manifest)
        if each.what.startswith("values of the source")
    ]


def test_a_small_database_is_compared_as_a_whole_every_night(url: str, tmp_path: Path) -> None:
    first = night_of(url, tmp_path).manifest
    second = night_of(url, tmp_path).manifest
    assert compared(first) == compared(second) == HELD
    assert told(second) == []


def test_what_a_night_did_not_compare_was_last_compared_earlier_and_every_report_says_so(
    url: str, tmp_path: Path
) -> None:
    first = night_of(url, tmp_path).manifest
    with psycopg.connect(url) as session:
        session.execute("DROP TABLE carts; CREATE TABLE carts (id int)")
    second = night_of(url, tmp_path, percent=0)
    assert second.manifest.source_values is not None
    assert compared(second.manifest) == []
    assert {str(each.table): each.compared_at for each in second.manifest.source_values.tables} == {
        "public.carts": None,  # a new table of an old name
        "public.days_2026": first.captured_at,
        "public.users": first.captured_at,
    }
    never, earlier = told(second.manifest)
    assert never.startswith("values of the source that no night has compared yet: public.carts")
    assert "public.days_2026, public.users" in earlier
    assert f"{first.captured_at:%Y-%m-%d %H:%M}" in earlier

    metadata = {label: value.value for label, value in of_night(second).items()}
    assert metadata["values compared with the source"] == 0
    assert metadata["values never compared with the source"] == 1
    assert str(metadata["longest since values were compared"]).startswith("public.days_2026, ")
