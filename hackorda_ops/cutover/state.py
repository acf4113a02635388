"""How far a cutover has got: one file per database in the work folder, written before and after each step.

It makes a cutover resumable wherever it was interrupted, from the command line and from Dagster alike. Only the
owner can read it, and no secret is in it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from hackorda_ops.artifacts.documents import Advice, Document
from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.cutover.steps import NAMES, StepName
from hackorda_ops.environment import Protected
from hackorda_ops.errors import LockHeld
from hackorda_ops.stores.disk_errors import disk_errors

STATE_VERSION: Final = 1
_FOLDER: Final = "cutover"


@dataclass(frozen=True)
class StepDone:
    """A finished step.

    Attributes:
        name: which.
        at: when it ended, aware.
        seconds: how long it took.
        said: what it saw or did, in a sentence.
    """

    name: StepName
    at: datetime
    seconds: float
    said: str


@dataclass(frozen=True)
class CutoverState:
    """A cutover, finished or not.

    Attributes:
        cutover_id: of this attempt; the new database carries it while it is being filled.
        database: the name in databases.yaml.
        source: the old database, without secrets.
        target: the new one.
        began: the step that has begun and not ended; None between two.
        done: the finished ones, in their order.
        artifact_id: of the final dump.
        schema_moved: whether the team's migrations changed anything in the new database.
    """

    cutover_id: str
    database: str
    source: str
    target: str
    began: StepName | None = None
    done: tuple[StepDone, ...] = ()
    artifact_id: str | None = None
    schema_moved: bool = False
    state_version: int = field(default=STATE_VERSION)

    @property
    def next_step(self) -> StepName | None:
        """The first step that isn't finished; None once all are."""
        return next((name for name in NAMES if not self.has(name)), None)

    def has(self, name: StepName) -> bool:
        """Whether a step is finished."""
        return any(each.name == name for each in self.done)

    def beginning(self, name: StepName) -> "CutoverState":
        """With a step begun."""
        return replace(self, began=name)

    def finishing(self, done: StepDone, **changes: Any) -> "CutoverState":
        """With a step finished, and what it found out."""
        return replace(self, began=None, done=(*self.done, done), **changes)

    def back_to(self, name: StepName) -> "CutoverState":
        """With a step begun anew, and nothing after it done."""
        before = NAMES[: NAMES.index(name)]
        return replace(self, began=name, done=tuple(each for each in self.done if each.name in before))


_DOCUMENT: Final = Document(
    name="state of the cutover",
    adapter=TypeAdapter(CutoverState),
    version_field="state_version",
    version=STATE_VERSION,
    unreadable=Advice(
        "It's unknown how far the cutover got, so nothing more was done.",
        "Find out by hand which database the application uses. Then remove the file, and begin again.",
    ),
)


def new_state(protected: Protected, *, source: str, target: str, now: datetime) -> CutoverState:
    """A cutover that has yet to begin.

    Args:
        protected: the database.
        source: the old database, without secrets.
        target: the new one.
        now: aware.
    """
    return CutoverState(new_id(now), protected.name, source, target)


def folder_of(protected: Protected) -> Path:
    """Where a database's state file and sheets are; made where it's missing."""
    folder = protected.policy.dump.work_folder / _FOLDER
    with disk_errors(f"write to {folder}"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def load(protected: Protected) -> CutoverState | None:
    """The state of a database's cutover; None where there's none.

    Raises:
        ArtifactDamaged: the file can't be read.
        OpsError: the disk doesn't let us.
    """
    # Without making the folder: whoever only asks changes nothing.
    path = protected.policy.dump.work_folder / _FOLDER / _name(protected)
    with disk_errors(f"read {path}"):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
    return _DOCUMENT.from_bytes(data, origin=str(path))


def save(protected: Protected, state: CutoverState) -> None:
    """Writes the state; afterwards it is on the disk, whatever happens to this machine.

    Raises:
        OpsError: the disk doesn't let us.
    """
    write_private(_path(protected), _DOCUMENT.to_bytes(state))


def write_private(path: Path, data: bytes) -> None:
    """Writes a file that only its owner can read, all at once.

    Raises:
        OpsError: the disk doesn't let us.
    """
    unfinished = path.with_suffix(f".{os.getpid()}")
    with disk_errors(f"write {path}"):
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)


@contextmanager
def alone(protected: Protected) -> Iterator[None]:
    """Keeps two processes from working on one cutover at a time. Ends with this process, however that ends.

    Raises:
        LockHeld: another one is at work.
    """
    path = folder_of(protected) / f"{protected.name}.lock"
    with disk_errors(f"write {path}"):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockHeld(
                f"Another cutover of {protected.name} is running on this machine.",
                meaning="Nothing was done here.",
                next_step="Let it finish, or end it; then look at `hackorda-ops cutover status`.",
            ) from None
        yield
    finally:
        os.close(descriptor)


def _path(protected: Protected) -> Path:
    return folder_of(protected) / _name(protected)


def _name(protected: Protected) -> str:
    return f"{protected.name}.json"
