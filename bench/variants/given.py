"""What all variants share: the database that is measured, and Postgres's own programs."""

import os
import subprocess
from pathlib import Path

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.local.postgres import wheel_bin_dir
from hackorda_ops.postgres.sessions import connection

NAME = "bench"
SOURCE = "DATABASE_URL"
TARGET = "RESTORE_URL"


def tool(name: str, *arguments: str | Path, url: str) -> None:
    """Runs one of Postgres's own programs.

    Args:
        name: of the program.
        arguments: its own.
        url: the variable that has the URL of the database.
    """
    target = connection.parse(os.environ[url], origin=url)
    # Bare, so without `child.run` and its password file; the server is the bench's own.
    variables = connection.environment(target, base=os.environ) | {"PGPASSWORD": target.password or ""}
    subprocess.run([wheel_bin_dir() / name, *arguments], env=variables, check=True)


def protected(folder: Path, **more: object) -> Protected:
    """The database that is measured, with its store in the folder; `more` are further keys of its policy."""
    policy = {
        "store": str(folder / "store"),
        "dump": {"work_folder": str(folder)},
        "scratch": {"server": {"superuser": "postgres"}},
        "offsite": {"bucket": NAME},
        **more,
    }
    return Protected(NAME, Policy.model_validate(policy), dict(os.environ))
