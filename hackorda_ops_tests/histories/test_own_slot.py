"""What is decided before WAL is received: whether the slot may be made, and whether it is ours. Without any server."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hackorda_ops.config.barman import BarmanSection
from hackorda_ops.errors import ConfigError, HistoryRefused, OpsError, RightsMissing
from hackorda_ops.histories.barman.installation import configuration, longest_gap
from hackorda_ops.histories.barman.own_slot import (
    SlotRecord,
    SourceSeen,
    read_record,
    what_to_do,
    write_record,
)
from hackorda_ops.histories.barman.targets import WalPosition, leads_to

NOW = datetime(2026, 3, 4, tzinfo=UTC)
FOLDER = Path("/history/shop")
SOUND = SourceSeen(18, "7001", "replica", "20GB", True, True, "none", NOW)
OURS = SlotRecord("ours", "7001", NOW)


def decided(seen: SourceSeen, record: SlotRecord | None = OURS, *, without_bound: bool = False) -> str:
    return what_to_do(seen, record, "ours", without_bound=without_bound, folder=FOLDER)


def test_a_slot_is_made_used_and_made_anew() -> None:
    assert decided(SOUND, None) == "make"
    # Somebody dropped it: there is a gap, and a new one.
    assert decided(SOUND) == "make"
    assert decided(replace(SOUND, slot="inactive")) == "use"
    assert decided(replace(SOUND, slot="lost")) == "renew"
    # Without the right to see the identifier, the slot's own record has to do.
    assert decided(replace(SOUND, slot="inactive", system_identifier=None)) == "use"


def test_without_a_bound_none_is_made_unless_accepted_and_one_that_is_there_is_read_on() -> None:
    unbounded = replace(SOUND, keep_size="-1")

    with pytest.raises(HistoryRefused, match="max_slot_wal_keep_size is -1"):
        decided(unbounded, None)
    assert decided(unbounded, None, without_bound=True) == "make"
    assert decided(replace(unbounded, slot="inactive")) == "use"


@pytest.mark.parametrize(
    ("seen", "record", "error", "said"),
    [
        (replace(SOUND, slot="inactive"), None, HistoryRefused, "was not made here"),
        (replace(SOUND, slot="lost"), None, HistoryRefused, "was not made here"),
        (replace(SOUND, slot="inactive"), replace(OURS, slot="other"), HistoryRefused, "was not made here"),
        (replace(SOUND, slot="logical"), OURS, HistoryRefused, "was not made here"),
        (
            replace(SOUND, slot="active"),
            OURS,
            HistoryRefused,
            "receiving by the replication slot ours already",
        ),
        (replace(SOUND, system_identifier="7002"), OURS, HistoryRefused, "another server"),
        (replace(SOUND, wal_level="minimal"), None, HistoryRefused, "wal_level is minimal"),
        (replace(SOUND, may_replicate=False), None, RightsMissing, "may not replicate"),
        (replace(SOUND, may_monitor=False), None, RightsMissing, "may not replicate"),
    ],
)
def test_what_stands_against_receiving_is_said(
    seen: SourceSeen, record: SlotRecord | None, error: type[OpsError], said: str
) -> None:
    with pytest.raises(error, match=said):
        decided(seen, record)


def test_the_record_is_read_as_it_was_written_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None
    write_record(tmp_path, "ours", SOUND)
    assert read_record(tmp_path) == OURS
    (tmp_path / "slot.json").write_text("{")
    with pytest.raises(HistoryRefused, match=r"slot\.json can't be read"):
        read_record(tmp_path)


@pytest.mark.parametrize(
    ("cron", "gap"),
    [("30 0 * * 0", timedelta(days=7)), ("0 1 * * *", timedelta(days=1)), ("0 1 1 * *", timedelta(days=31))],
)
def test_the_longest_time_between_two_base_backups_follows_from_their_schedule(
    cron: str, gap: timedelta
) -> None:
    assert longest_gap(cron) == gap


def written(**changes: object) -> str:
    values = {
        "user": "hackorda",
        "parameters": {"host": "db", "user": "receiver"},
        "database": "shop",
        "slot": "ours",
        "programs": Path("/usr/bin"),
        "keep_days": 7.5,
        "base_backup_days": 7.0,
    }
    return configuration(FOLDER, **{**values, **changes})  # type: ignore[arg-type]


def test_the_configuration_keeps_what_the_policy_wants_and_notices_a_late_base_backup() -> None:
    lines = written().splitlines()

    assert "retention_policy = RECOVERY WINDOW OF 8 DAYS" in lines
    assert "last_backup_maximum_age = 180 HOURS" in lines
    [conninfo] = [line.partition(" = ")[2] for line in lines if line.startswith("conninfo")]
    assert set(conninfo.split()) == {"host=db", "user=receiver", "dbname=shop"}


def test_what_barman_can_not_read_is_refused_and_a_database_with_a_blank_is_not_needed() -> None:
    for parameters in ({"host": "db\narchiver = on"}, {"user": "a b"}, {"user": "50%"}):
        with pytest.raises(ConfigError, match="a % or a blank"):
            written(parameters=parameters)
    assert "dbname=postgres" in written(database="my shop")


@pytest.mark.parametrize(
    "section", [{"server": "main", "run": {}}, {"config": "/etc/barman.conf"}, {"run": {"slot": "a-b"}}]
)
def test_a_section_that_contradicts_itself_is_refused(section: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        BarmanSection.model_validate(section)


@pytest.mark.parametrize(
    ("end", "position", "leads"),
    [
        ("0/3000158", "0/3000158", True),
        ("0/3000160", "0/3000158", True),
        ("0/3000150", "0/3000158", False),
        # A page's end: the next record begins behind the header of the next page, or of the next segment.
        ("0/3002000", "0/3002018", True),
        ("0/4000000", "0/4000028", True),
        ("0/4000008", "0/4000030", False),
        ("0/4000000", "0/4000030", False),
        (None, "0/3000158", False),
    ],
)
def test_wal_leads_to_a_position_only_where_nothing_is_missing_before_it(
    end: str | None, position: str, leads: bool
) -> None:
    ended = None if end is None else WalPosition(end, 1)

    assert leads_to(ended, WalPosition(position)) == leads
    assert leads_to(ended, WalPosition(position, 1)) == leads
    # Elsewhere the same position is another moment.
    assert not leads_to(ended, WalPosition(position, 2))
