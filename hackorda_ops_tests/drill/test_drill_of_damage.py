"""Drills of artifacts that are no longer what was shipped: always one clear verdict, and nothing left behind."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, to_bytes
from hackorda_ops.local.damage import replace_file
from hackorda_ops.local.s3 import S3Server
from hackorda_ops_tests.drill.fixtures import Shipped, check

pytestmark = pytest.mark.server


def with_one_bit_flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    ("which", "damage"),
    [
        ("data", with_one_bit_flipped),
        ("data", lambda data: data[:-1]),
        ("data", lambda data: data + b"\n"),
        ("toc", with_one_bit_flipped),
    ],
    ids=["one bit of data", "data cut short", "one byte more", "one bit of the table of contents"],
)
def test_a_damaged_file_is_a_fail_that_names_it_and_nothing_is_restored(
    protected: Shipped, which: str, damage: Callable[[bytes], bytes]
) -> None:
    fullest = max(protected.manifest.tables, key=lambda each: each.rows)
    name = fullest.file if which == "data" else "dump/toc.dat"
    protected.put_offsite(name, damage(protected.get_offsite(name)))
    failed_before_the_restore(protected, naming=name)


def test_a_missing_file_is_a_fail_that_names_it(protected: Shipped, s3_server: S3Server) -> None:
    name = protected.manifest.tables[0].file
    s3_server.client().delete_object(Bucket=protected.bucket, Key=f"{protected.manifest.prefix}/{name}")
    failed_before_the_restore(protected, naming=name)


def test_a_manifest_that_claims_other_rows_than_the_archive_has_is_a_fail_of_the_archive(
    protected: Shipped,
) -> None:
    first, *others = protected.manifest.tables
    protected.put_manifest(tables=(replace(first, rows=first.rows + 1), *others))
    result = protected.drill()
    assert (result.verdict, result.error) == ("FAIL", None)
    assert {(each.code, each.subject) for each in result.findings} == {
        ("rows differ", str(first.name)),
        ("table changed", str(first.name)),
    }
    assert check(result, "offsite_equals_manifest").outcome == "failed"
    assert check(result, "restored_equals_manifest").outcome == "failed"
    assert "read the artifact" in [stage.name for stage in result.stages]


def test_a_data_file_that_can_not_be_read_is_a_fail_although_hashes_fit(protected: Shipped) -> None:
    fullest = max(protected.manifest.tables, key=lambda each: each.rows)
    data = protected.get_offsite(fullest.file)
    replace_file(protected.offsite, protected.manifest, fullest.file, data[: len(data) // 2])
    failed_before_the_restore(protected, naming=f"artifact damaged (fatal): {fullest.file}")


def test_the_rows_of_a_sound_artifact_are_read_once_in_the_restored_copy(protected: Shipped) -> None:
    result = protected.drill()
    assert result.verdict == "PASS"
    assert "read the artifact" not in [stage.name for stage in result.stages]
    assert check(result, "offsite_equals_manifest").summary == (
        f"All {len(protected.manifest.files)} files have the bytes that {protected.manifest.contents} were read back "
        "from on their night."
    )


def test_a_table_of_contents_that_can_not_be_read_is_a_fail_although_hashes_fit(protected: Shipped) -> None:
    contents = protected.get_offsite("dump/toc.dat")
    replace_file(protected.offsite, protected.manifest, "dump/toc.dat", contents[: len(contents) // 2])
    failed_before_the_restore(protected, naming="artifact damaged (fatal): dump/toc.dat")


@pytest.mark.parametrize(
    ("manifest", "complaint"),
    [
        (lambda protected: b"", "is not readable"),
        (lambda protected: to_bytes(protected.manifest)[:-500], "is not readable"),
        (
            lambda protected: to_bytes(replace(protected.manifest, artifact_id="20200101T000000Z-000000")),
            "which its artifact id contradicts",
        ),
        (lambda protected: to_bytes(replace(protected.manifest, database="honeydue")), "belongs to"),
    ],
    ids=["emptied", "cut short", "of another artifact", "of another database"],
)
def test_a_manifest_that_can_not_be_believed_is_a_fail_that_names_it(
    protected: Shipped, manifest: Callable[[Shipped], bytes], complaint: str
) -> None:
    protected.put_offsite(MANIFEST_NAME, manifest(protected))
    result = protected.drill()
    assert (result.verdict, result.error) == ("FAIL", None)
    [finding] = result.findings
    assert (finding.code, finding.subject) == ("artifact damaged", protected.manifest.prefix)
    assert f"{protected.manifest.prefix}/{MANIFEST_NAME}" in finding.observed
    assert complaint in finding.observed
    assert check(result, "offsite_equals_manifest").outcome == "failed"
    assert "No sound artifact is off-site" in result.warnings[-1]


def test_a_damaged_artifact_newer_than_the_one_restored_is_a_fail(protected: Shipped) -> None:
    newer = f"{protected.manifest.captured_at + timedelta(hours=1):%Y%m%dT%H%M%SZ}-000000"
    replace(protected, manifest=replace(protected.manifest, artifact_id=newer)).put_offsite(
        MANIFEST_NAME, b""
    )
    result = protected.drill()
    assert result.verdict == "FAIL"
    assert [(each.code, each.subject) for each in result.findings] == [
        ("artifact damaged", f"hackorda/{newer}")
    ]
    assert result.artifact is not None
    assert result.artifact.artifact_id == protected.manifest.artifact_id
    assert check(result, "restored_equals_manifest").outcome == "passed"


def failed_before_the_restore(protected: Shipped, *, naming: str) -> None:
    result = protected.drill()
    assert (result.verdict, result.error) == ("FAIL", None)
    assert naming in " ".join(map(str, result.findings))
    assert check(result, "offsite_equals_manifest").outcome == "failed"
    assert check(result, "restored_equals_manifest").outcome == "not reached"
    assert result.scratch is None
