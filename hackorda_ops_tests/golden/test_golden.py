"""What earlier releases wrote is listed, verified, restored and compared by this one, of every version."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hackorda_ops.artifacts import catalog, manifest
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest
from hackorda_ops.config.models import Policy
from hackorda_ops.drill.report import json_form
from hackorda_ops.drilling.result import RESULT_VERSION
from hackorda_ops.environment import Protected
from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server, running_postgres
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import bring_back
from hackorda_ops.recovery.verify import verify
from hackorda_ops_tests.drill.fixtures import PROGRAMS
from hackorda_ops_tests.golden.make import DATABASE, HERE
from hackorda_ops_tests.zoo.servers import programs_of

GOLDEN = sorted(path.parent for path in HERE.glob(f"*/{DATABASE}"))
MAKE_ONE = "Make one: python -m hackorda_ops_tests.golden.make --help"
ROWS = 170
# Whatever the clock says where this runs, they are of the past.
NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def server_of(
    postgres_server: PostgresServer, debian_postgres_server: PostgresServer, server_folder: Path
) -> Iterator[Callable[[int], PostgresServer]]:
    """A server that an artifact of a version can be restored on: its own, or the next."""
    newest = server_folder / "golden-18"
    with running_postgres(newest, bin_dir=programs_of(18), settings={"fsync": "off"}) as server:
        yield lambda major: {15: debian_postgres_server, 16: postgres_server, 17: postgres_server}.get(
            major, server
        )
    delete_server(newest)


def kept(golden: Path, tmp_path: Path) -> Protected:
    """A database whose store has one golden artifact."""
    shutil.copytree(golden / DATABASE, tmp_path / "store" / DATABASE)
    policy = {
        "store": str(tmp_path / "store"),
        "dump": {"work_folder": str(tmp_path / "work")},
        "source": {"client_folders": [str(programs_of(major)) for major in (15, 16, 17, 18)]},
        "identity": {"file": str(HERE / "identity.txt")},
    }
    return Protected(DATABASE, Policy.model_validate(policy), PROGRAMS)


def listed(protected: Protected) -> Manifest:
    """The one artifact of its store."""
    found = catalog.read(protected.store, DATABASE, now=NOW)
    assert found.damaged == ()
    assert [each.artifact_id for each in catalog.summarise(protected.store, DATABASE, now=NOW).artifacts] == [
        each.artifact_id for each in found.artifacts
    ]
    [artifact] = found.artifacts
    return artifact


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.name)
def test_what_an_earlier_release_wrote_is_listed_verified_restored_and_compared(
    golden: Path, tmp_path: Path, server_of: Callable[[int], PostgresServer]
) -> None:
    protected = kept(golden, tmp_path)
    artifact = listed(protected)
    assert (artifact.rows, artifact.sound) == (ROWS, True)

    verified = verify(protected, protected.store, artifact, on_progress=ignore)
    assert (verified.verdict, verified.findings, verified.not_measured) == ("PASS", (), "")

    server = server_of(int(artifact.server_version.partition(".")[0]))
    target = connection.parse(create_database(server, golden.name), origin="a test")
    brought = bring_back(protected, protected.store, artifact, target, source=None, on_progress=ignore)
    assert (brought.verdict, brought.findings, brought.rows) == ("PASS", (), ROWS)


@pytest.mark.parametrize("report", sorted(HERE.glob("*/report.json")), ids=lambda path: path.parent.name)
def test_the_report_of_an_earlier_drill_is_read(report: Path, tmp_path: Path) -> None:
    result = json_form.from_bytes(report.read_bytes(), origin=str(report))
    assert result.artifact is not None
    assert result.verdict == "PASS"
    assert result.artifact.artifact_id == listed(kept(report.parent, tmp_path)).artifact_id


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.name)
def test_one_changed_byte_of_it_is_seen(golden: Path, tmp_path: Path) -> None:
    protected = kept(golden, tmp_path)
    artifact = listed(protected)
    largest = max(artifact.files, key=lambda entry: entry.size_bytes)
    path = tmp_path / "store" / artifact.prefix / largest.path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert verify(protected, protected.store, artifact, on_progress=ignore).verdict == "FAIL"


def test_there_is_one_of_every_version_of_a_manifest_and_of_a_report() -> None:
    versions = {
        json.loads(path.read_text())["format_version"]
        for path in HERE.glob(f"*/{DATABASE}/*/{MANIFEST_NAME}")
    }
    assert versions >= {manifest.FORMAT_VERSION, manifest.SEALED_FORMAT_VERSION}, MAKE_ONE
    reports = {json.loads(path.read_text())["result_version"] for path in HERE.glob("*/report.json")}
    assert RESULT_VERSION in reports, MAKE_ONE


def test_there_is_one_of_every_version_of_postgres_that_is_tested() -> None:
    assert {f"postgres-{major}" for major in (15, 16, 17, 18)} <= {path.name for path in GOLDEN}, MAKE_ONE


def test_what_this_release_writes_is_what_the_golden_manifest_of_its_version_has() -> None:
    """A field that is new in a manifest must be optional, and wants a golden artifact of its own."""
    newest = {"1": HERE / "postgres-17", "2": HERE / "encrypted-17"}
    for version, golden in newest.items():
        [path] = golden.glob(f"{DATABASE}/*/{MANIFEST_NAME}")
        written = json.loads(path.read_text())
        again = json.loads(manifest.to_bytes(manifest.from_bytes(path.read_bytes(), origin=str(path))))
        assert str(written["format_version"]) == version
        assert again == written, MAKE_ONE
