"""What was seen of an artifact's bytes is remembered beside the artifacts, and believed only where it can be."""

import logging
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, files_digest, to_bytes
from hackorda_ops.artifacts.verifications import (
    Verification,
    read_verifications,
    remember,
    verification_keys,
    verification_of,
)
from hackorda_ops.findings import Finding
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.artifacts.nights import of_night
from hackorda_ops_tests.stores.examples import put

ARTIFACT = of_night(18)
PATH = ARTIFACT.files[0].path
BEGAN = datetime(2026, 11, 20, 6, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    made = FolderStore(tmp_path / "store")
    put(made, f"{ARTIFACT.prefix}/{MANIFEST_NAME}", to_bytes(ARTIFACT))
    return made


def seen(*codes: str, **changes: Any) -> Verification:
    findings = [Finding(code, ARTIFACT.subject(PATH), "this", "that", "Look.") for code in codes]
    return verification_of(
        ARTIFACT,
        f"s3://offsite/{ARTIFACT.prefix}",
        by="verification",
        began_at=changes.pop("began_at", BEGAN),
        findings=findings,
        **changes,
    )


def read(store: FolderStore) -> tuple[tuple[Verification, ...], tuple[str, ...]]:
    name = ARTIFACT.database
    return read_verifications(store, name, verification_keys(store, name), [ARTIFACT.artifact_id])


def test_what_was_seen_is_read_again_and_lies_in_private_files_beside_the_artifacts(
    store: FolderStore,
) -> None:
    bad, good = seen("file changed"), seen(began_at=BEGAN + timedelta(days=1))
    assert (bad.sound, bad.damaged_files, good.sound) == (False, (PATH,), True)
    for each in (bad, good):
        remember((store, store), each)

    assert read(store) == ((bad, good), ())
    files = [path for path in store.root.rglob("*.json") if "verifications" in path.parts]
    assert len(files) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    # Neither the artifact nor the list of artifacts looks any different.
    assert [each.artifacts for each in [catalog.read(store, ARTIFACT.database)]] == [(ARTIFACT,)]
    assert catalog.ids(store, ARTIFACT.database) == (ARTIFACT.artifact_id,)
    assert [entry.key for entry in store.list(f"{ARTIFACT.prefix}/")] == [
        f"{ARTIFACT.prefix}/{MANIFEST_NAME}"
    ]


def test_a_warning_damages_nothing_and_a_fatal_finding_about_no_file_names_none() -> None:
    assert seen("migration skipped").sound
    whole = verification_of(
        ARTIFACT,
        "x",
        by="copy",
        began_at=BEGAN,
        findings=[Finding("table changed", "public.users", "this", "that", "Look.")],
    )
    assert (whole.sound, whole.damaged_files) == (False, ())
    # A path that is none of the artifact's is nobody's business.
    assert seen(damaged_files=["/etc/passwd"]).sound


def test_another_manifest_is_another_artifact() -> None:
    other = replace(ARTIFACT.files[0], sha256="b" * 64)

    assert files_digest(ARTIFACT.files) == files_digest(reversed(ARTIFACT.files))
    assert files_digest(ARTIFACT.files) != files_digest((other, *ARTIFACT.files[1:]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"verification_version": 2}',
        b'{"verification_version": 1, "sound": true}',
        b"\xff\xfe",
        b" " * (4 * 1024 * 1024 + 1),
    ],
    ids=["empty", "a list", "another version", "half", "no text", "too large"],
)
def test_what_is_no_verification_says_nothing_and_is_reported(store: FolderStore, data: bytes) -> None:
    put(store, _key(seen()), data)

    found, unread = read(store)

    assert found == ()
    assert len(unread) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"database": "another"},
        {"artifact_id": of_night(17).artifact_id},
        {"verification_id": "20270101T000000Z-aaaaaa"},
        {"began_at": datetime(2026, 11, 20)},  # noqa: DTZ001  # that is what is wrong with it
    ],
)
def test_one_that_says_it_is_another_is_not_believed(store: FolderStore, change: dict[str, Any]) -> None:
    true = seen()
    remember((store,), true)
    stored = store.root / _key(true)
    written = replace(true, **change)
    elsewhere = FolderStore(store.root.parent / "elsewhere")
    put(elsewhere, f"{written.database}/x/y", b"")
    remember((elsewhere,), written)
    stored.write_bytes((elsewhere.root / _key(written)).read_bytes())

    found, unread = read(store)

    assert found == ()
    assert len(unread) == 1


def test_only_what_has_the_name_of_a_verification_is_one(store: FolderStore) -> None:
    folder = f"{ARTIFACT.database}/verifications"
    for name in ("notes.json", f"{ARTIFACT.artifact_id}/notes.txt", f"{ARTIFACT.artifact_id}/a/b.json"):
        put(store, f"{folder}/{name}", b"{}")

    assert verification_keys(store, ARTIFACT.database) == ()


def test_of_one_artifact_only_the_last_few_are_read(store: FolderStore) -> None:
    every = [seen(began_at=BEGAN + timedelta(hours=number)) for number in range(25)]
    for each in every:
        remember((store,), each)

    assert read(store)[0] == tuple(every[-20:])


def test_a_store_that_has_nothing_of_the_database_is_left_as_it_is(tmp_path: Path) -> None:
    remember((FolderStore(tmp_path / "not mounted"),), seen())

    assert list(tmp_path.iterdir()) == []


def test_a_store_that_takes_nothing_changes_nothing(
    store: FolderStore, caplog: pytest.LogCaptureFixture
) -> None:
    folder = store.root / ARTIFACT.database / "verifications"
    folder.write_text("in the way")

    with caplog.at_level(logging.WARNING):
        remember((store,), seen())

    assert "could not be written down" in caplog.text


def _key(verification: Verification) -> str:
    return f"{verification.database}/verifications/{verification.artifact_id}/{verification.verification_id}.json"
