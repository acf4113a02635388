"""What an engine is asked for, and what it gives back: a night, a restore."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from hackorda_ops.artifacts.manifest import FileEntry, Manifest
from hackorda_ops.environment import Protected
from hackorda_ops.findings import Finding
from hackorda_ops.progress import OnProgress
from hackorda_ops.stores.store import Store


@dataclass(frozen=True)
class Attempts:
    """How a reading gives way to others.

    Attributes:
        yield_after_seconds: how long others may wait for its locks.
        pauses_seconds: the minimum wait before each further attempt.
        free_within_seconds: how long it then waits for schema changes to end; after that it starts anyway.
    """

    yield_after_seconds: float = 5.0
    pauses_seconds: tuple[float, ...] = (5.0, 30.0, 120.0)
    free_within_seconds: float = 600.0


PATIENCE: Final = Attempts()


@dataclass(frozen=True)
class NightOrder:
    """A night to be taken.

    Attributes:
        protected: the database.
        night: the partition; None for the source's own today.
        reason: why it's taken, for the manifest.
        new_source: an operator says that the source may differ from the previous night's.
        private_folder: for what must not be read by others; it is gone afterwards.
        seconds: the night's timings, by stage, to be added to.
        on_progress: called at every stage, from more than one thread.
        patience: how often it starts over if it had to give way to others.
        data_recipient: whom the artifact's files are encrypted to; None where they aren't.
    """

    protected: Protected
    night: date | None
    reason: Literal["night", "on demand"]
    new_source: bool
    private_folder: Path
    seconds: dict[str, float]
    on_progress: OnProgress
    patience: Attempts = PATIENCE
    data_recipient: str | None = None


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Taken:
    """A night whose files are written, read back and proven, but not published yet.

    Attributes:
        manifest: the future artifact's.
        staged: the folder below the store's staging root that has its files.
        compared_with: the artifact id of the previous night; None for the first.
        lasting: of those files, by their paths below the folder, the ones that have been flushed to the disk.
        before_publishing: called last, so that nobody else publishes at the same time; raises if that isn't certain.
        encrypted: the files that were encrypted while they were read back, by the path that they had before: the
            manifest lists them as they were.
    """

    manifest: Manifest
    staged: Path
    compared_with: str | None
    lasting: frozenset[str] = frozenset()
    before_publishing: Callable[[], object] = _nothing
    encrypted: Mapping[str, FileEntry] = field(default_factory=dict)


@dataclass(frozen=True)
class RestoreOrder:
    """An artifact to be restored.

    Attributes:
        protected: the database.
        store: where the artifact lies.
        manifest: the artifact's.
        target: the empty database.
        source: the live database, where it's known: the target must not be it.
        jobs: how many processes restore and compare.
        on_progress: called at every stage, from more than one thread.
        with_access: also creates the missing roles, and applies owners, grants and settings.
        keep_going: restores everything that the server accepts; each thing that it rejects is a finding.
        in_part: whether the manifest is of a part of the artifact only (`Engine.part_of`).
        only_look: opens the target to see whether it may take the artifact, and changes nothing there.
    """

    protected: Protected
    store: Store
    manifest: Manifest
    target: Any
    source: Any
    jobs: int
    on_progress: OnProgress
    with_access: bool = False
    keep_going: bool = False
    in_part: bool = False
    only_look: bool = False


@dataclass(frozen=True)
class Restored:
    """A finished restore, compared with its manifest.

    Attributes:
        seconds: wall-clock time of the restore alone.
        findings: what differs from the manifest; none means PASS.
        warnings: what the tools or the server warned of.
    """

    seconds: float
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
