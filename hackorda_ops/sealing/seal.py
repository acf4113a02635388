"""Seals a night: every file encrypted to the artifact's own key, the plaintext gone, the evidence sealed."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from hackorda_ops.age.data_key import DataKey
from hackorda_ops.age.streams import encrypt_file, write_small
from hackorda_ops.artifacts.by_hand import copies_of
from hackorda_ops.artifacts.checksums import with_checksums
from hackorda_ops.artifacts.manifest import RECOVERY_SHEET_NAME, FileEntry, Manifest, digest_of, to_bytes
from hackorda_ops.artifacts.sealed import SEALED_NAME, SUFFIX, SealedManifest, key_name, sealed_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.sealing.recovery_sheet import recovery_sheet
from hackorda_ops.stores.disk_errors import disk_errors


def seal(
    protected: Protected,
    staged: Path,
    manifest: Manifest,
    key: DataKey,
    recipients: Sequence[str],
    *,
    already: Mapping[str, FileEntry],
    on_progress: OnProgress,
) -> SealedManifest:
    """Encrypts what isn't encrypted yet, and removes the plaintext of each file once its ciphertext is written.

    Args:
        protected: the database.
        staged: the folder with the night's files, not yet published.
        manifest: the engine's own.
        key: the artifact's.
        recipients: whom this is wrapped for.
        already: the files that were encrypted while they were read back, by the path that they had before.
        on_progress: called with the bytes encrypted.

    Returns:
        What the artifact shows of itself.

    Raises:
        ArtifactDamaged: a file is no longer the one that was read back.
        DiskFull, StoreRefused: the disk doesn't take it.
    """
    files, done_bytes = [], sum(entry.size_bytes for entry in already.values())
    for entry in manifest.files:
        encrypted = already.get(entry.path) or _encrypted(staged, entry, key)
        files.append(encrypted)
        done_bytes += 0 if entry.path in already else encrypted.size_bytes
        on_progress(Progress("encrypt", done_bytes, manifest.size_bytes, "bytes"))
    sheet = recovery_sheet(
        manifest, recipients=recipients, offsite=copies_of(protected.policy.offsites, protected.environ)
    ).encode()
    with disk_errors(f"write into {staged}"):
        written = write_small(staged / SEALED_NAME, to_bytes(manifest), key.recipient)
        _write(staged / key_name(1), key.wrapped(recipients))
        _write(staged / RECOVERY_SHEET_NAME, sheet)
        listed = with_checksums(
            staged,
            (
                *files,
                FileEntry(SEALED_NAME, written.size_bytes, written.sha256),
                FileEntry(RECOVERY_SHEET_NAME, len(sheet), digest_of(sheet)),
            ),
        )
    return sealed_of(manifest, listed, data_recipient=key.recipient, encrypted_to=recipients)


def _encrypted(staged: Path, entry: FileEntry, key: DataKey) -> FileEntry:
    plain, target = staged / entry.path, staged / f"{entry.path}{SUFFIX}"
    with disk_errors(f"encrypt {plain}"):
        seen, written = encrypt_file(plain, target, key.recipient)
        if (seen.size_bytes, seen.sha256) != (entry.size_bytes, entry.sha256):
            raise ArtifactDamaged(
                f"{plain} changed between reading it back and encrypting it.",
                meaning="No artifact was made of it: it would not be what was proven.",
                next_step="Check the disk and its free space, and find out what else writes there. Then dump again.",
            )
        plain.unlink()
    return FileEntry(f"{entry.path}{SUFFIX}", written.size_bytes, written.sha256)


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)
