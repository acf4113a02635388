"""Whether the archive in a Postgres artifact is what the manifest says: every file, every row, read once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from hackorda_ops.artifacts.damage import OTHER_BYTES, FileSeen, all_hashed, file_findings
from hackorda_ops.artifacts.damage import hashed as hashed_file
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.evidence.archive import toc_findings
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME, PostgresManifest
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.archives import large_objects, toc
from hackorda_ops.postgres.archives.one_frame import is_one_whole_frame
from hackorda_ops.postgres.archives.reader import ArchivedFile
from hackorda_ops.postgres.archives.reading_back import read_back
from hackorda_ops.progress import OnProgress

# A finding tells how many rows there are instead; but not of a file that grows without end.
_MORE_ROWS: Final = 1_000_000


def judge(
    folder: Path,
    manifest: PostgresManifest,
    *,
    part: PostgresManifest | None = None,
    hashed: Mapping[str, FileSeen] | None = None,
    jobs: int,
    on_progress: OnProgress,
) -> tuple[Finding, ...]:
    """Reads a fetched artifact from disk once and compares it with its manifest.

    Args:
        folder: the folder of the fetched artifact.
        manifest: its manifest.
        part: the manifest of the part of it that was fetched; None for all.
        hashed: the files as they were fetched. Where each has the manifest's SHA-256 and the form that pg_dump gives
            it, and the table of contents says what the manifest does, no row is read: the manifest's digests were made
            from the same bytes. None: all is read.
        jobs: how many processes read.
        on_progress: called with the bytes read, from more than one thread.

    Raises:
        ArtifactDamaged: all files have the manifest's bytes, but were unsound when it was written: a data file
            can't be decompressed or has no proper end, or there's no table of contents.
    """
    fetched = part or manifest
    if hashed is not None and _plainly_the_same(folder, manifest, fetched, hashed):
        return ()
    try:
        dumped = read_back(
            folder / DUMP_FOLDER_NAME,
            jobs=jobs,
            on_progress=on_progress,
            most_rows={
                table.file.removeprefix(f"{DUMP_FOLDER_NAME}/"): 2 * table.rows + _MORE_ROWS
                for table in fetched.tables
            },
        )
        contents = toc.read_toc(folder / DUMP_FOLDER_NAME)
    except ArtifactDamaged:
        # Which bit of a file changed decides whether it can still be read, and reading ends at the first that can't.
        with suppress(OSError):
            if changed := tuple(file_findings(fetched, all_hashed(folder, fetched))):
                return changed
        raise
    return (
        *differences(fetched, (*dumped, *_beside(folder, fetched))),
        *(toc_findings(manifest, contents) if contents is not None else ()),
    )


def _plainly_the_same(
    folder: Path, manifest: PostgresManifest, fetched: PostgresManifest, read: Mapping[str, FileSeen]
) -> bool:
    """Whether hashes and table of contents agree with the manifest; what is unclear needs the full reading."""
    if any(file_findings(fetched, read)):
        return False
    # A restore takes a table's file up to the end of its first rows, whatever follows. Only zstd's form shows that.
    if not all(_is_one_file_of_rows(folder / table.file) for table in fetched.tables):
        return False
    # A restore loads the objects that the dump's own list names, and would neither miss nor notice any other.
    in_dump = (entry.path.removeprefix(f"{DUMP_FOLDER_NAME}/") for entry in fetched.files)
    if large_objects.files_of_objects(in_dump) != fetched.large_objects.objects:
        return False
    contents = toc.read_toc(folder / DUMP_FOLDER_NAME)
    return contents is not None and not toc_findings(manifest, contents)


def _is_one_file_of_rows(path: Path) -> bool:
    return path.suffix == ".zst" and is_one_whole_frame(path)


def _beside(folder: Path, manifest: PostgresManifest) -> Iterator[ArchivedFile]:
    """The artifact's few small files outside the dump, with paths relative to the dump's folder."""
    for entry in manifest.files:
        if not entry.path.startswith(f"{DUMP_FOLDER_NAME}/") and (file := hashed_file(folder, entry.path)):
            yield ArchivedFile(f"../{file.path}", file.size_bytes, file.sha256, None, None)


def differences(manifest: PostgresManifest, files: Sequence[ArchivedFile]) -> tuple[Finding, ...]:
    """Compares what was read with what the manifest says; pure.

    Args:
        manifest: what must be there.
        files: with paths relative to the dump's folder.

    Returns:
        A finding for every file that is missing or has different bytes, for every table whose rows or
        digest differ, and one if the large objects, taken together, do.
    """
    read = {_in_artifact(file.path): file for file in files}
    return (*file_findings(manifest, read), *_tables(manifest, read), *_large_objects(manifest, files))


def _in_artifact(path: str) -> str:
    return path.removeprefix("../") if path.startswith("../") else f"{DUMP_FOLDER_NAME}/{path}"


def _tables(manifest: PostgresManifest, read: dict[str, ArchivedFile]) -> Iterator[Finding]:
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


def _large_objects(manifest: PostgresManifest, files: Sequence[ArchivedFile]) -> Iterator[Finding]:
    expected, found = manifest.large_objects, large_objects.digest_of(large_objects.archived(files))
    if found != expected:
        yield Finding("large objects changed", "large objects", str(expected), str(found), OTHER_BYTES)
