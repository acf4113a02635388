"""Whether an artifact's bytes are still what its manifest says: every file, every row, read once."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from hackorda_ops.artifacts.fetch import fetch_artifact
from hackorda_ops.artifacts.manifest import DUMP_FOLDER_NAME, Manifest
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing
from hackorda_ops.evidence.archive import toc_findings
from hackorda_ops.evidence.next_steps import OTHER_BYTES
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.postgres.archives import contents as archive
from hackorda_ops.postgres.archives import large_objects, toc
from hackorda_ops.postgres.archives.contents import ArchivedFile
from hackorda_ops.progress import OnProgress
from hackorda_ops.stores.store import Store


@dataclass(frozen=True)
class Verification:
    """What verifying an artifact found.

    Attributes:
        manifest: the artifact's.
        location: where it was read from.
        findings: what differs from the manifest; none means PASS.
    """

    manifest: Manifest
    location: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> str:
        """Either "PASS" or "FAIL"."""
        return "FAIL" if fatal(self.findings) else "PASS"


def verify(
    store: Store, manifest: Manifest, *, work_folder: Path, jobs: int, on_progress: OnProgress
) -> Verification:
    """Fetches an artifact and compares each of its files and tables with the manifest.

    Args:
        store: where it lies.
        manifest: what it must be.
        work_folder: where it is kept meanwhile; it's removed from there afterwards.
        jobs: how many processes read it back.
        on_progress: called at every stage, from more than one thread.

    Raises:
        DiskFull, StoreRefused, StoreUnreachable: it couldn't be verified.
    """
    work_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="verify-", dir=work_folder) as name:
        folder = Path(name)
        try:
            fetch_artifact(store, manifest, folder, on_progress=on_progress)
            findings = judge(folder, manifest, jobs=jobs, on_progress=on_progress)
        except (ArtifactDamaged, ArtifactMissing) as error:
            findings = (damage(manifest, error),)
    return Verification(manifest, f"{store.describe()}/{manifest.prefix}", findings)


def judge(folder: Path, manifest: Manifest, *, jobs: int, on_progress: OnProgress) -> tuple[Finding, ...]:
    """Reads a fetched artifact from disk once and compares it with its manifest.

    Args:
        folder: the folder of the fetched artifact.
        manifest: its manifest.
        jobs: how many processes read.
        on_progress: called with the bytes read, from more than one thread.

    Raises:
        ArtifactDamaged: all files have the manifest's bytes, but were unsound when it was written: a data file
            can't be decompressed or has no proper end, or there's no table of contents.
    """
    try:
        dumped = archive.read_back(folder / DUMP_FOLDER_NAME, jobs=jobs, on_progress=on_progress)
        contents = toc.read_toc(folder / DUMP_FOLDER_NAME)
    except ArtifactDamaged:
        # Which bit of a file changed decides whether it can still be read, and reading ends at the first that can't.
        with suppress(OSError):
            hashed = {entry.path: file for entry in manifest.files if (file := _hashed(folder, entry.path))}
            if changed := tuple(_files(manifest, hashed)):
                return changed
        raise
    return (
        *differences(manifest, (*dumped, *_beside(folder, manifest))),
        *(toc_findings(manifest, contents) if contents is not None else ()),
    )


def _beside(folder: Path, manifest: Manifest) -> Iterator[ArchivedFile]:
    """The artifact's few small files outside the dump, with paths relative to the dump's folder."""
    for entry in manifest.files:
        if not entry.path.startswith(f"{DUMP_FOLDER_NAME}/") and (file := _hashed(folder, entry.path)):
            yield replace(file, path=f"../{file.path}")


def _hashed(folder: Path, path: str) -> ArchivedFile | None:
    """A file's size and hash, without its contents; None if it isn't there.

    Raises:
        OSError: it can't be read.
    """
    try:
        with (folder / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return ArchivedFile(path, file.tell(), digest, None, None)
    except FileNotFoundError:
        return None


def damage(manifest: Manifest, error: ArtifactDamaged | ArtifactMissing) -> Finding:
    """The finding for an artifact that can't be read completely; it names the file, and its table if it has one."""
    named = (entry.path for entry in manifest.files if entry.path in error.what)
    path = next(named, None)
    return Finding(
        "artifact damaged" if path is None or isinstance(error, ArtifactDamaged) else "file missing",
        manifest.prefix if path is None else _subjects(manifest)[path],
        "what its manifest says",
        error.what,
        OTHER_BYTES,
    )


def differences(manifest: Manifest, files: Sequence[ArchivedFile]) -> tuple[Finding, ...]:
    """Compares what was read with what the manifest says; pure.

    Args:
        manifest: what must be there.
        files: with paths relative to the dump's folder.

    Returns:
        A finding for every file that is missing or has different bytes, for every table whose rows or
        digest differ, and one if the large objects, taken together, do.
    """
    read = {_in_artifact(file.path): file for file in files}
    return (*_files(manifest, read), *_tables(manifest, read), *_large_objects(manifest, files))


def _in_artifact(path: str) -> str:
    return path.removeprefix("../") if path.startswith("../") else f"{DUMP_FOLDER_NAME}/{path}"


def _subjects(manifest: Manifest) -> dict[str, str]:
    """How findings name each file: with its table, if it has one."""
    tables = {table.file: f"{table.file} ({table.name})" for table in manifest.tables}
    return {entry.path: tables.get(entry.path, entry.path) for entry in manifest.files}


def _files(manifest: Manifest, read: dict[str, ArchivedFile]) -> Iterator[Finding]:
    subjects = _subjects(manifest)
    for entry in manifest.files:
        file, subject = read.get(entry.path), subjects[entry.path]
        if file is None:
            yield Finding("file missing", subject, f"{entry.size_bytes} bytes", "no such file", OTHER_BYTES)
        elif (file.size_bytes, file.sha256) != (entry.size_bytes, entry.sha256):
            yield Finding(
                "file changed",
                subject,
                f"{entry.size_bytes} bytes with SHA-256 {entry.sha256}",
                f"{file.size_bytes} bytes with SHA-256 {file.sha256}",
                OTHER_BYTES,
            )


def _tables(manifest: Manifest, read: dict[str, ArchivedFile]) -> Iterator[Finding]:
    for table in manifest.tables:
        file = read.get(table.file)
        if file is not None and (file.rows, file.digest) != (table.rows, table.digest):
            yield Finding(
                "table changed",
                str(table.name),
                f"{table.rows} rows with digest {table.digest}",
                f"{file.rows} rows with digest {file.digest}",
                OTHER_BYTES,
            )


def _large_objects(manifest: Manifest, files: Sequence[ArchivedFile]) -> Iterator[Finding]:
    expected, found = manifest.large_objects, large_objects.digest_of(large_objects.archived(files))
    if found != expected:
        yield Finding("large objects changed", "large objects", str(expected), str(found), OTHER_BYTES)
