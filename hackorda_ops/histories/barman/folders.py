"""The folders that copies are recovered into: each with a label that proves whose it is."""

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hackorda_ops import untrusted
from hackorda_ops.errors import HistoryRefused
from hackorda_ops.history.labels import APPLICATION, Label
from hackorda_ops.processes import server_user

_PREFIX: Final = "hackorda-ops-"
_LABEL: Final = "label.json"
# The server of a killed run is ended by its supervisor, a moment later.
_STOPPING_SECONDS: Final = 60.0
_LOOK_AGAIN_SECONDS: Final = 0.2


@dataclass(frozen=True)
class CopyFolder:
    """A copy's folder.

    Attributes:
        path: it.
        label: what was written into it when it was made.
    """

    path: Path
    label: Mapping[str, str]


def made(root: Path, label: Label) -> CopyFolder:
    """Makes a folder for a copy, with its label in it from the first moment.

    Args:
        root: the folder of all copies of this database; made if missing.
        label: whose it is.
    """
    root.mkdir(parents=True, exist_ok=True)
    # A server may run as another user, who passes through and reads nothing.
    root.chmod(0o711)
    words = re.sub(r"[^a-z0-9]+", "-", f"{label.database}-{label.purpose}".lower()).strip("-")[:40]
    name = f"{_PREFIX}{words}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    unfinished = root / f".{name}"
    unfinished.mkdir(mode=0o700)
    (unfinished / _LABEL).touch(mode=0o600)
    (unfinished / _LABEL).write_text(json.dumps(label.annotation()))
    path = unfinished.rename(root / name)
    path.chmod(0o711)
    return CopyFolder(path, label.annotation())


def ours(root: Path, wanted: Mapping[str, str]) -> tuple[CopyFolder, ...]:
    """The folders whose label says all of `wanted`, oldest first; anything else is left alone.

    Args:
        root: the folder of all copies of this database.
        wanted: what the label has to say beside the application's name.
    """
    return tuple(
        found
        for found in _labelled(root)
        if ({"app": APPLICATION} | dict(wanted)).items() <= found.label.items()
    )


def delete(folder: CopyFolder) -> None:
    """Deletes a copy's folder, once its server is gone.

    Raises:
        HistoryRefused: its server doesn't end, or something of it can't be deleted.
    """
    pid = home(folder.path) / "data" / "postmaster.pid"
    deadline = time.monotonic() + _STOPPING_SECONDS
    while pid.exists() and _runs(pid) and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_SECONDS)
    if pid.exists() and _runs(pid):
        raise _not_gone(folder, "its server is still running")
    # The label goes last: until then the folder is known to be ours.
    for each in folder.path.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
    server_user.delete_home(folder.path)
    if folder.path.exists():
        raise _not_gone(folder, "something in it can't be deleted")


def _labelled(root: Path) -> Iterator[CopyFolder]:
    for path in sorted(root.glob(f"{_PREFIX}*")) if root.is_dir() else ():
        try:
            label = untrusted.parsed((path / _LABEL).read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(label, dict) and not path.is_symlink():
            yield CopyFolder(path, {str(key): str(value) for key, value in label.items()})


def home(path: Path) -> Path:
    """Where the files of a copy's server are: its folder, or another that the server's user can reach."""
    pointer = path / "elsewhere"
    return pointer.readlink() if pointer.is_symlink() else path


def _runs(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text().splitlines()[0]), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, IndexError):
        return False
    return True


def _not_gone(folder: CopyFolder, why: str) -> HistoryRefused:
    return HistoryRefused(
        f"The recovered copy in {folder.path} could not be removed: {why}.",
        meaning="It takes room on this machine's disk, and holds the source's rows.",
        next_step="Run hackorda-ops sweep in a minute, or end the server and delete the folder by hand.",
    )
