"""The watch over histories that somebody has to look after: what it starts, and what there is of it."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster import AssetKey

from hackorda_ops.config.models import Config, Policy
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.upkeep.keeping import WATCH, HistorySeen, WatchedHistory, what_to_do

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
WELL, BAD, LACKS = HistorySeen(True, False), HistorySeen(False, False), HistorySeen(False, True)


def started(*seen: HistorySeen, every: timedelta = timedelta(minutes=5)) -> list[str | None]:
    """What a database's looks start, one after the other."""
    known, jobs = WatchedHistory(), []
    for n, each in enumerate(seen):
        known, job = what_to_do(known, each, NOW + n * every)
        jobs.append(job)
    return jobs


@pytest.mark.parametrize(
    ("seen", "jobs"),
    [
        ((WELL, WELL), [None, None]),
        ((BAD, BAD, BAD), ["history_kept", None, None]),
        ((BAD, WELL, WELL), ["history_kept", "history_kept", None]),
        ((BAD, WELL, BAD), ["history_kept", "history_kept", "history_kept"]),
        ((LACKS, LACKS, WELL), ["base_backup", None, None]),
        ((LACKS, BAD, WELL), ["base_backup", "history_kept", "history_kept"]),
        ((BAD, LACKS, LACKS, WELL), ["history_kept", "base_backup", None, "history_kept"]),
    ],
)
def test_what_is_bad_is_reported_once_and_so_is_its_end(
    seen: tuple[HistorySeen, ...], jobs: list[str | None]
) -> None:
    assert started(*seen) == jobs


def test_what_stays_bad_is_reported_and_what_is_missing_asked_for_once_a_day() -> None:
    half_a_day = timedelta(hours=12)

    assert started(BAD, BAD, BAD, every=half_a_day) == ["history_kept", "history_kept", None]
    assert started(LACKS, LACKS, LACKS, every=half_a_day) == ["base_backup", "base_backup", None]


def test_only_what_is_kept_here_has_base_backups_and_only_what_barman_keeps_is_watched() -> None:
    plain = {"scratch": {"server": {}}}
    config = Config(
        databases={
            "neon": Policy(),
            "theirs": Policy.model_validate(
                {**plain, "source": {"url_env": "THEIR_URL"}, "history": {"barman": {"server": "main"}}}
            ),
            "here": Policy.model_validate(
                {**plain, "source": {"url_env": "HERE_URL"}, "history": {"barman": {}}}
            ),
        }
    )
    definitions = build_defs(config)
    dg.Definitions.validate_loadable(definitions)
    jobs = {each.name for each in definitions.resolve_all_job_defs()}
    sensors = {each.name for each in definitions.sensors or ()}
    assets = definitions.resolve_asset_graph().get_all_asset_keys()

    assert {name for name in jobs if name.endswith("_base_backup")} == {"here_base_backup"}
    assert {name for name in jobs if name.endswith("_history_kept")} == {
        "here_history_kept",
        "theirs_history_kept",
    }
    assert WATCH in sensors
    assert AssetKey(["here", "base_backup"]) in assets
    assert AssetKey(["theirs", "base_backup"]) not in assets


def test_without_such_a_history_there_is_no_watch() -> None:
    definitions = build_defs(Config(databases={"shop": Policy()}))

    assert WATCH not in {each.name for each in definitions.sensors or ()}
