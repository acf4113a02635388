"""Where a report is stored, and that storing it harms nothing."""

import stat
from pathlib import Path

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.drill.report.history import read_past
from hackorda_ops.drill.report.report import report_files, store_report
from hackorda_ops.errors import StoreRefused
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops_tests.drill import results

PREFIX = "hackorda/drills/20261122T040007Z-4c5d6e"
FILES = {
    f"{PREFIX}/{name}"
    for name in ("comparison.csv", "report.html", "report.json", "report.md", "report.schema.json")
}


@pytest.fixture
def nightly(tmp_path: Path) -> FolderStore:
    """An empty store in a folder."""
    made = FolderStore(tmp_path / "backups")
    made.check()
    return made


def offsite(server: S3Server, bucket: str) -> S3Store:
    """A store in a bucket."""
    return S3Store(
        bucket,
        "hackorda ops",
        endpoint_url=server.endpoint_url,
        region=server.region,
        access_key_id=server.access_key_id,
        secret_access_key=server.secret_access_key,
        attempts=1,
    )


@pytest.mark.server
def test_a_report_is_in_the_folder_and_off_site_and_read_back_from_both(
    nightly: FolderStore, s3_server: S3Server, new_bucket: str
) -> None:
    bucket = offsite(s3_server, new_bucket)
    past = results.history(2)

    places = store_report([nightly, bucket], results.bad(), past)

    assert places.pages == (
        f"{nightly.root}/{PREFIX}/report.html",
        f"s3://{new_bucket}/hackorda ops/{PREFIX}/report.html",
    )
    assert places.not_stored == ()
    for store in (nightly, bucket):
        assert {entry.key for entry in store.list("")} == FILES
        assert read_past(store, "hackorda") == (results.bad(),)
        for name, data in report_files(results.bad(), past).items():
            assert store.read_small(f"{PREFIX}/{name}") == data
            assert s3_server.secret_access_key.encode() not in data


def test_reports_are_private(nightly: FolderStore) -> None:
    store_report([nightly], results.sound(), ())

    for path in nightly.root.glob("hackorda/**/*"):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected


def test_reports_are_never_taken_for_artifacts(nightly: FolderStore) -> None:
    store_report([nightly], results.sound(), ())

    found = catalog.read(nightly, "hackorda")
    assert found.artifacts == ()
    assert found.damaged == ()


def test_storing_a_report_twice_leaves_one(nightly: FolderStore) -> None:
    first = store_report([nightly], results.sound(), ())

    assert store_report([nightly], results.sound(), read_past(nightly, "hackorda")) == first
    assert read_past(nightly, "hackorda") == (results.sound(),)


@pytest.mark.server
def test_a_store_that_refuses_does_not_keep_the_other_from_its_report(
    nightly: FolderStore, s3_server: S3Server
) -> None:
    places = store_report([offsite(s3_server, "no-such-bucket"), nightly], results.sound(), ())

    assert places.pages == (f"{nightly.root}/{PREFIX}/report.html",)
    assert len(places.not_stored) == 1
    assert "no-such-bucket" in places.not_stored[0]


@pytest.mark.server
def test_a_report_that_no_store_takes_is_an_error(s3_server: S3Server) -> None:
    with pytest.raises(StoreRefused, match="no-such-bucket"):
        store_report([offsite(s3_server, "no-such-bucket")], results.sound(), ())


def test_the_json_is_the_last_because_it_makes_the_report_exist() -> None:
    assert list(report_files(results.sound(), ()))[-1] == "report.json"
