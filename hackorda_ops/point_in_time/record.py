"""What a recovery has done so far, kept in the work folder, so that a command that was interrupted can go on.

Losing it costs only that the hooks run again: which branch is whose is written to the branches themselves.
"""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter

from hackorda_ops.artifacts.documents import Advice, Document
from hackorda_ops.config.models import Policy
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.hooks.hooks import HookRun


@dataclass(frozen=True)
class RecoveryRecord:
    """A recovery.

    Attributes:
        recovery_id: "YYYYMMDDTHHMMSSZ-xxxxxx", when it began.
        database: the protected database's name.
        copy_id: of its branch; "" before there is one.
        asked_at: when it was first asked for; recovery time is counted from here.
        hooks: the last run of each, in the order in which they ran.
    """

    recovery_id: str
    database: str
    copy_id: str
    asked_at: datetime
    hooks: tuple[HookRun, ...] = ()
    record_version: Literal[1] = 1

    @property
    def succeeded(self) -> frozenset[str]:
        """The keys of the hooks that have succeeded on its branch."""
        return frozenset(run.name for run in self.hooks if run.succeeded)

    @property
    def verified_seconds(self) -> float | None:
        """From asking for it to the success of `verify`; None where that hasn't succeeded."""
        for run in self.hooks:
            if run.name == "verify" and run.succeeded:
                return round((run.began_at - self.asked_at).total_seconds() + run.seconds, 3)
        return None

    def with_run(self, run: HookRun) -> "RecoveryRecord":
        """The record with another run of a hook; those that came after it at an earlier time no longer count."""
        kept = [each for each in self.hooks if each.name != run.name and each.began_at <= run.began_at]
        return replace(self, hooks=(*kept, run))


_DOCUMENT: Final = Document(
    name="record of a recovery",
    adapter=TypeAdapter(RecoveryRecord),
    version_field="record_version",
    version=1,
    unreadable=Advice("The hooks run again.", "Nothing: it is written anew."),
)


def read(policy: Policy, database: str, recovery_id: str, copy_id: str) -> RecoveryRecord | None:
    """What is kept of a recovery; None where nothing is, or it is of another branch.

    Args:
        policy: the database's.
        database: its name in databases.yaml.
        recovery_id: the recovery's.
        copy_id: its branch.
    """
    path = _path(policy, database, recovery_id)
    try:
        found = _DOCUMENT.from_bytes(path.read_bytes(), origin=str(path))
    except (OSError, ArtifactDamaged):
        return None
    fits = (found.recovery_id, found.database, found.copy_id) == (recovery_id, database, copy_id)
    return found if fits else None


def keep(policy: Policy, record: RecoveryRecord) -> str:
    """Keeps a record, for its owner's eyes only.

    Returns:
        Why it could not be kept, in a sentence: a full disk must not stop a recovery. "" where it was.
    """
    path = _path(policy, record.database, record.recovery_id)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_DOCUMENT.to_bytes(record))
        Path(name).replace(path)
    except OSError as error:
        return f"{path} could not be written ({error.strerror}): after an interruption the hooks run again."
    return ""


def duration_lines(runs: Iterable[HookRun]) -> tuple[str, ...]:
    """Each hook with its outcome and time, a line each. Pure."""
    return tuple(f"{run.name}: {run.outcome} after {run.seconds:.1f} s" for run in runs)


def _path(policy: Policy, database: str, recovery_id: str) -> Path:
    return policy.dump.work_folder / "recoveries" / database / f"{recovery_id}.json"
