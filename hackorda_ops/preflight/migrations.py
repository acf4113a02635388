"""Whether the team's migration command can be started: its folder, its program, its script, its variables."""

import json
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hackorda_ops.concerns import Concern, Looked
from hackorda_ops.config.expectations import Migrate
from hackorda_ops.redaction.passwords import without_passwords

# What these run is a script of package.json.
_RUNNERS: Final = ("npm", "pnpm", "yarn", "bun")
_RUN: Final = ("run", "run-script")


def look_at_migrations(migrate: Migrate, environ: Mapping[str, str]) -> Looked:
    """Whether the team's migration command can be started: its folder, its program, its variables."""
    return Looked(
        "migrations", without_passwords(migrate.command, ()), tuple(_migration_concerns(migrate, environ))
    )


def _migration_concerns(migrate: Migrate, environ: Mapping[str, str]) -> Iterator[Concern]:
    folder = migrate.working_directory
    if not folder.is_dir():
        yield Concern(
            "stops the drill",
            f"The migration command's folder {folder} does not exist.",
            "A drill can't migrate the restored copy.",
            "Correct migrate.working_directory in databases.yaml, or check the application's code out there.",
        )
    elif migrate.folder is not None and not (folder / migrate.folder).is_dir():
        yield Concern(
            "worth knowing",
            f"The folder of the migrations {folder / migrate.folder} does not exist.",
            "A drill can't name the migrations that are pending.",
            "Correct migrate.folder in databases.yaml, or remove it: known tools' files are found by themselves.",
        )
    program = _program(migrate.command)
    if program is None:
        yield Concern(
            "stops the drill",
            f"The migration command names no program: {without_passwords(migrate.command, ())}",
            "A drill can't migrate the restored copy.",
            "Correct migrate.command in databases.yaml: shell words, with every quote closed.",
        )
    elif not _is_found(program, folder, environ):
        yield Concern(
            "stops the drill",
            f"The migration command's program {program} is not found.",
            "A drill can't migrate the restored copy.",
            "Install it where drills run, or correct migrate.command in databases.yaml.",
        )
    elif folder.is_dir():
        yield from _script_concerns(migrate.command, folder)
    unset = [variable for variable in migrate.pass_env if variable not in environ]
    if unset:
        yield Concern(
            "worth knowing",
            f"The migration command expects variables that are not set here: {', '.join(unset)}.",
            "It runs without them.",
            "Set them where drills run, or remove them from migrate.pass_env in databases.yaml.",
        )


def _script_concerns(command: str, folder: Path) -> Iterator[Concern]:
    """Whether package.json has the script that the command runs; such a program finds out only when it's started."""
    runner, *words = shlex.split(command)
    if (
        Path(runner).name not in _RUNNERS
        or len(words) < 2
        or words[0] not in _RUN
        or words[1].startswith("-")
    ):
        return
    script = words[1]
    try:
        package: Any = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        package = None
    scripts = package.get("scripts") if isinstance(package, dict) else None
    if not isinstance(scripts, dict):
        yield Concern(
            "stops the drill",
            f"The migration command runs a script of package.json, and {folder} has none that can be read.",
            "A drill can't migrate the restored copy.",
            "Set migrate.working_directory in databases.yaml to the folder of the application's package.json.",
        )
    elif script not in scripts:
        yield Concern(
            "stops the drill",
            f"{folder / 'package.json'} has no script {script}.",
            "A drill can't migrate the restored copy.",
            "Correct migrate.command in databases.yaml: it names the script that applies the migrations.",
        )


def _program(command: str) -> str | None:
    try:
        return next(iter(shlex.split(command)), None)
    except ValueError:
        return None


def _is_found(program: str, folder: Path, environ: Mapping[str, str]) -> bool:
    if "/" in program:
        return (folder / program).is_file() and os.access(folder / program, os.X_OK)
    return shutil.which(program, path=environ.get("PATH", os.defpath)) is not None
