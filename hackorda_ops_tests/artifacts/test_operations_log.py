"""The operations log: what is written down, where, and that it never stands in anybody's way."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hackorda_ops.artifacts import catalog, operations_log
from hackorda_ops.artifacts.operations_log import Event, LogLine, logged, page, read_log, record, shown
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import StoreRefused, UsageError
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops_tests.stores.examples import behind, put, store_on
from hackorda_ops_tests.stores.s3_proxy import Forward, Reply, Request, refusal

NIGHT = Event(
    "night",
    datetime(2026, 11, 21, 21, 0, 3, tzinfo=UTC),
    "success",
    "2026-11-22",
    "20261121T210003Z-0a1b2c (night): 101,033 rows in 6 tables, 21.4 MB.",
    12.5,
)
COPY = replace(NIGHT, kind="copy", at=NIGHT.at + timedelta(hours=2), subject="week of 2026-11-16")
DRILL = replace(NIGHT, kind="drill", at=NIGHT.at + timedelta(hours=4), outcome="PASS", subject="2026-Q4")


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    """An empty store in a folder."""
    made = FolderStore(tmp_path / "backups")
    made.check()
    return made


def lines_of(store: FolderStore | S3Store) -> list[str]:
    """The lines of a store's page, without the table's head."""
    text = store.read_small("hackorda/operations-log.md").decode()
    return [line for line in text.splitlines() if line.startswith("|")][2:]


def events_in(store: FolderStore | S3Store) -> list[str]:
    """The keys of a store's events."""
    return sorted(entry.key for entry in store.list("hackorda/operations/"))


@pytest.mark.server
def test_an_event_is_a_line_in_the_folder_and_off_site(folder: FolderStore, store: S3Store) -> None:
    assert record([folder, store], "hackorda", NIGHT) == ()
    assert record([folder, store], "hackorda", DRILL) == ()

    for each in (folder, store):
        assert read_log(each, "hackorda") == (NIGHT, DRILL)
        assert lines_of(each) == [
            "| 2026-11-21 21:00:03 UTC | night | 2026-11-22 | success "
            r"| 20261121T210003Z-0a1b2c (night): 101,033 rows in 6 tables, 21.4 MB. | 12 s |",
            "| 2026-11-22 01:00:03 UTC | drill | 2026-Q4 | PASS "
            r"| 20261121T210003Z-0a1b2c (night): 101,033 rows in 6 tables, 21.4 MB. | 12 s |",
        ]
    assert events_in(folder) == events_in(store)


@pytest.mark.server
def test_events_are_never_written_again(s3_server: S3Server, folder: FolderStore, store: S3Store) -> None:
    s3_server.client().put_bucket_versioning(
        Bucket=store.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    for event in (NIGHT, COPY, DRILL):
        record([folder, store], "hackorda", event)

    versions = s3_server.client().list_object_versions(
        Bucket=store.bucket, Prefix="backups/nightly/hackorda/operations/"
    )["Versions"]
    assert len(versions) == 3


def test_events_are_never_taken_for_artifacts(folder: FolderStore) -> None:
    record([folder], "hackorda", NIGHT)

    found = catalog.read(folder, "hackorda")
    assert (found.artifacts, found.damaged) == ((), ())
    assert catalog.read_newest(folder, "hackorda") is None


def test_a_lost_page_is_made_anew_by_the_next_event(folder: FolderStore) -> None:
    record([folder], "hackorda", NIGHT)
    (folder.root / "hackorda" / "operations-log.md").unlink()

    record([folder], "hackorda", DRILL)

    assert len(lines_of(folder)) == 2


@pytest.mark.server
def test_what_a_store_missed_while_it_was_away_comes_with_the_next_event(
    s3_server: S3Server, folder: FolderStore, store: S3Store
) -> None:
    nowhere = store_on(s3_server, "no-such-bucket")

    [problem] = record([folder, nowhere], "hackorda", NIGHT)
    record([store], "hackorda", replace(NIGHT, kind="restore"))

    assert "NoSuchBucket" in problem
    assert record([folder, store], "hackorda", DRILL) == ()
    for each in (folder, store):
        assert [event.kind for event in read_log(each, "hackorda")] == ["night", "restore", "drill"]
        assert len(lines_of(each)) == 3


@pytest.mark.server
def test_a_key_that_may_only_read_is_told_and_changes_nothing_else(
    s3_server: S3Server, store: S3Store, caplog: pytest.LogCaptureFixture
) -> None:
    def read_only(request: Request, forward: Forward) -> Reply:
        if request.method != "GET":
            return refusal(403, "AccessDenied")
        return forward(request)

    line = LogLine("an artifact")
    with (
        behind(s3_server, store, read_only) as refusing,
        logged("restore", [refusing], "hackorda", line),
    ):
        line.outcome, line.detail = "PASS", "It came back."

    [told] = [entry.getMessage() for entry in caplog.records if entry.levelno == logging.WARNING]
    assert told.startswith(
        "The operations log of hackorda is missing a line for its restore. Could not upload"
    )
    assert s3_server.secret_access_key not in told


@pytest.mark.server
def test_a_bucket_that_does_not_answer_costs_the_work_neither_its_end_nor_long(
    s3_server: S3Server, folder: FolderStore, store: S3Store
) -> None:
    tries = []

    def busy(request: Request, forward: Forward) -> Reply:
        tries.append(request.method)
        return refusal(503, "SlowDown")

    with behind(s3_server, replace(store, attempts=9), busy) as away:
        [problem] = record([folder, away], "hackorda", NIGHT)

    assert "SlowDown" in problem
    assert len(tries) == 2
    assert read_log(folder, "hackorda") == (NIGHT,)


def test_what_ends_well_is_logged_with_what_it_filled_in(folder: FolderStore) -> None:
    line = LogLine("tonight")
    with logged("night", [folder], "hackorda", line):
        line.subject, line.outcome, line.detail = "2026-11-22", "FAIL", "Kept, and not sound."

    [event] = read_log(folder, "hackorda")
    assert (event.kind, event.subject, event.outcome, event.detail) == (
        "night",
        "2026-11-22",
        "FAIL",
        "Kept, and not sound.",
    )
    assert event.seconds is not None


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (StoreRefused("The bucket is gone.", meaning="m", next_step="n"), "The bucket is gone."),
        (
            RuntimeError("postgresql://u:s3cret@h/d"),
            "Unexpected error: RuntimeError at ",
        ),
        (KeyboardInterrupt(), "It was interrupted."),
        (SystemExit(143), "It was interrupted."),
    ],
)
def test_what_fails_is_logged_and_fails_as_it_would_have(
    folder: FolderStore, error: BaseException, detail: str
) -> None:
    with pytest.raises(type(error)) as raised, logged("copy", [folder], "hackorda", LogLine("a week")):
        raise error

    assert raised.value is error
    [event] = read_log(folder, "hackorda")
    assert (event.outcome, event.subject) == ("failure", "a week")
    assert event.detail.startswith(detail)
    assert "s3cret" not in event.detail


def test_wrong_use_leaves_no_line_because_nothing_was_attempted(folder: FolderStore) -> None:
    with pytest.raises(UsageError), logged("drill", [folder], "hackorda", LogLine("a drill")):
        raise UsageError("No.", meaning="m", next_step="n")

    assert list(folder.list("")) == []


def test_a_log_that_breaks_in_an_unforeseen_way_breaks_nothing_else(
    folder: FolderStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_arguments: object) -> tuple[str, ...]:
        raise RuntimeError("password=s3cret")

    monkeypatch.setattr(operations_log, "record", breaks)

    with logged("night", [folder], "hackorda", LogLine("tonight")):
        pass

    assert "RuntimeError" in caplog.text
    assert "s3cret" not in caplog.text


def test_an_event_that_cannot_be_read_is_told_and_hides_no_other(
    folder: FolderStore, caplog: pytest.LogCaptureFixture
) -> None:
    put(folder, "hackorda/operations/20261001T000000Z-night-aaaaaa.json", b'{"kind": "night"}')
    put(folder, "hackorda/operations/notes.txt", b"somebody's own")

    record([folder], "hackorda", NIGHT)

    assert read_log(folder, "hackorda") == (NIGHT,)
    said = "The event hackorda/operations/20261001T000000Z-night-aaaaaa.json has format version None"
    assert said in caplog.text
    assert said in folder.read_small("hackorda/operations-log.md").decode()
    assert len(lines_of(folder)) == 1


def test_the_page_stays_short_and_shows_every_drill() -> None:
    nights = [f"db/operations/2026{n:04d}T000000Z-night-aaaaaa.json" for n in range(1000)]
    drills = [f"db/operations/2020{n:04d}T000000Z-drill-aaaaaa.json" for n in range(60)]

    chosen = shown([*drills, *nights])

    assert set(drills) <= set(chosen)
    assert len(chosen) == 60 + 200
    assert nights[-1] in chosen
    assert nights[0] not in chosen


def test_a_deceiving_detail_stays_text_in_the_page() -> None:
    text = page("my_db", [replace(NIGHT, detail="a | b\n# c <b>")], (), left_out=7)

    assert r"a \| b \# c \<b\>" in text
    assert "# Operations of my\\_db" in text
    assert "- 7 older events not shown" in text


def test_the_log_is_kept_wherever_the_variables_are_set(tmp_path: Path) -> None:
    database = Policy.model_validate({"store": str(tmp_path / "store"), "offsite": "s3://bucket/prefix"})
    keys = {"OFFSITE_ACCESS_KEY_ID": "id", "OFFSITE_SECRET_ACCESS_KEY": "secret"}

    places = [store.describe() for store in Protected("hackorda", database, keys).known_stores]

    assert places == [str(tmp_path / "store"), "s3://bucket/prefix"]
    assert [store.describe() for store in Protected("hackorda", database, {}).known_stores] == [
        str(tmp_path / "store")
    ]
