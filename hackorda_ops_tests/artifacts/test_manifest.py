"""The manifest as a file: it comes back as it was written, and nothing damaged comes back at all."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, from_bytes, to_bytes
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops_tests.builders import manifest


def test_a_manifest_comes_back_as_it_was_written() -> None:
    written = manifest()
    assert from_bytes(to_bytes(written), origin="x") == written


def test_a_manifest_knows_its_size_rows_and_place() -> None:
    assert (manifest().size_bytes, manifest().rows, manifest().prefix) == (
        2_000_000,
        110,
        "hackorda/20261118T210000Z-0a1b2c",
    )


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'{"format_version": 1}', b"\xff\xfe"])
def test_what_is_no_manifest_is_damage(data: bytes) -> None:
    with pytest.raises(ArtifactDamaged):
        from_bytes(data, origin="s3://bucket/x/manifest.json")


def test_half_a_manifest_is_damage() -> None:
    data = to_bytes(manifest())
    with pytest.raises(ArtifactDamaged):
        from_bytes(data[: len(data) // 2], origin="x")


def test_a_manifest_of_a_later_release_is_not_guessed_at() -> None:
    data = json.loads(to_bytes(manifest())) | {"format_version": 3}
    with pytest.raises(
        ArtifactDamaged, match="has format version 3, but this release reads 1 and 2"
    ) as caught:
        from_bytes(json.dumps(data).encode(), origin="x")
    assert "RESTORE.md" in caught.value.next_step


def altered(change: Callable[[Any], object]) -> bytes:
    data = json.loads(to_bytes(manifest()))
    change(data)
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data["files"][0].update(path="../../etc/passwd"), "outside"),
        (lambda data: data["files"][0].update(path="/etc/passwd"), "outside"),
        (lambda data: data["files"][0].update(path="..\\x"), "outside"),
        (lambda data: data["files"][0].update(path="a//b"), "outside"),
        (lambda data: data["files"][0].update(path="./b"), "outside"),
        (lambda data: data["files"][0].update(path="x" * 300), "longer than"),
        (lambda data: data["files"][0].update(path="x/" * 200 + "x"), "longer than"),
        (lambda data: data["files"][0].update(path="a\x1b[2J"), "characters that no name"),
        (lambda data: data["files"][0].update(path=MANIFEST_NAME), "manifest's own"),
        (lambda data: data["files"][0].update(path=f"{data['files'][1]['path']}/x"), "inside another file"),
        (lambda data: data["files"][0].update(sha256="short"), "SHA-256"),
        (lambda data: data["files"][0].update(size_bytes=-1), "SHA-256 or size"),
        (lambda data: data["files"].append(data["files"][0]), "twice"),
        (lambda data: data["files"].pop(), "without a file"),
        (lambda data: data["tables"].pop(), "without evidence"),
        (lambda data: data["large_objects"].update(objects=7), "large objects"),
        (lambda data: data.update(artifact_id="../../x"), "artifact id"),
        (lambda data: data.update(captured_at="2026-11-18T21:00:00"), "time zone"),
    ],
)
def test_a_manifest_that_contradicts_itself_or_points_elsewhere_is_damage(
    change: Callable[[Any], object], says: str
) -> None:
    with pytest.raises(ArtifactDamaged, match=says):
        from_bytes(altered(change), origin="x")
