"""Who the local servers run as, and what that user can reach.

Postgres refuses to run as root. As root (a container, a CI machine) the servers therefore run as an
unprivileged user, and everything that user executes or writes must be where it has access: a checkout
under a private home is not. Any other user runs the servers as themselves, and nothing is copied.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hackorda_ops.errors import ConfigError

# Only root can create anything in it, so no other user can have planted a name in it, as is possible in
# /tmp.
_STATE_OF_ROOT = Path("/var/lib/hackorda-ops")

_CANDIDATES = ("postgres", "_postgres", "nobody")


@dataclass(frozen=True)
class ServerUser:
    """The unprivileged user that servers run as when we are root."""

    name: str
    user_id: int
    group_id: int


def server_user() -> ServerUser | None:
    """The user to run a server as: None (ourselves) unless we are root.

    Raises:
        ConfigError: we are root and the system has no unprivileged user to run a server as.
    """
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(name=name, user_id=entry.pw_uid, group_id=entry.pw_gid)
    raise ConfigError(
        f"Postgres can't run as root, and there is no user called {' or '.join(_CANDIDATES)}.",
        meaning="The embedded Postgres was not started.",
        next_step="Run as an ordinary user, or create one: useradd --system postgres",
    )


def give(path: Path, user: ServerUser | None) -> None:
    """Makes `user` the owner of a file or a folder of ours; None keeps it ours."""
    if user is not None:
        os.chown(path, user.user_id, user.group_id)


def give_all(folder: Path, user: ServerUser | None) -> None:
    """Makes `user` the owner of a folder of ours and of all that is in it; None keeps it ours."""
    if user is not None and folder.is_dir():
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.user_id, user.group_id, follow_symlinks=False)


def make_private_folder(folder: Path, user: ServerUser | None) -> None:
    """Creates `folder` for the server only (0700), owned by `user`; an existing one is left unchanged."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700)
        give(folder, user)


@contextmanager
def executables_for(user: ServerUser | None, bin_dir: Path) -> Iterator[Path]:
    """The folder of server programs that `user` can execute: `bin_dir`, or a copy of it.

    The copy is of the whole installation (`bin_dir`'s parent, about 40 MB). It is removed after the block.
    """
    if user is None or _may_enter(bin_dir / "postgres", user):
        yield bin_dir
        return
    # A new folder, so that its name can't have been planted by another user.
    with tempfile.TemporaryDirectory(prefix="hackorda-ops-programs-") as folder:
        Path(folder).chmod(0o711)
        whole = Path(folder) / "whole"
        shutil.copytree(bin_dir.resolve().parent, whole, symlinks=True)
        for path in (whole, *whole.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        yield whole / bin_dir.resolve().name


def reachable_home(folder: Path, user: ServerUser | None) -> Path:
    """Where the server that belongs to `folder` keeps its files: `folder`, unless `user` can't get there.

    Then it is a folder of root's under /var/lib, and `folder/elsewhere` points to it. If that pointer is
    gone, or was copied along from another place, what an older server left there is deleted.
    """
    if not folder.is_dir():
        # Others may pass through, but not read: the server user must reach its own folder inside.
        folder.mkdir(parents=True)
        folder.chmod(0o711)
    if user is None or _may_enter(folder, user):
        return folder
    home = _root_folder(_STATE_OF_ROOT) / hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    pointer = folder / "elsewhere"
    if not pointer.is_symlink() or pointer.readlink() != home:
        pointer.unlink(missing_ok=True)
        shutil.rmtree(home, ignore_errors=True)
        pointer.symlink_to(home)
    home.mkdir(exist_ok=True)
    home.chmod(0o711)
    return home


def delete_home(folder: Path) -> None:
    """Deletes `folder` and what `reachable_home` put elsewhere for it. The server must not be running."""
    pointer = folder / "elsewhere"
    if pointer.is_symlink():
        target = pointer.readlink()
        if target.parent == _STATE_OF_ROOT:
            shutil.rmtree(target, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _may_enter(path: Path, user: ServerUser) -> bool:
    # The kernel decides (modes of every parent, ACLs, mount options), not our reading of its rules.
    finished = subprocess.run(
        ["test", "-x", path],
        user=user.user_id,
        group=user.group_id,
        extra_groups=[],
        cwd="/",
        check=False,
        timeout=30,
    )
    return finished.returncode == 0


def _root_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
        raise ConfigError(
            f"{folder} is not a folder that only root can write to.",
            meaning="The embedded Postgres would run on files that another user could have put there.",
            next_step=f"Check {folder}, remove it, and start again.",
        )
    folder.chmod(0o755)
    return folder
