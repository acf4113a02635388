"""What is measured, each as a function that a process of its own runs: `python -m bench.variants NAME FOLDER`."""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.postgres import wheel_bin_dir
from hackorda_ops.night import night
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.progress import ignore
from hackorda_ops.recovery import bring_back

_SOURCE = "DATABASE_URL"
_TARGET = "RESTORE_URL"


@dataclass(frozen=True)
class Variant:
    """One way to do it.

    Attributes:
        title: for the table.
        run: does it, below an existing folder.
        beside: the variant that it is a ratio of; None for a floor.
    """

    title: str
    run: Callable[[Path], None]
    beside: str | None


def _tool(name: str, *arguments: str | Path, url: str) -> None:
    target = connection.parse(os.environ[url], origin=url)
    # Bare, so without `child.run` and its password file; the server is the bench's own.
    variables = connection.environment(target, base=os.environ) | {"PGPASSWORD": target.password or ""}
    subprocess.run([wheel_bin_dir() / name, *arguments], env=variables, check=True)


def _bare_dump(folder: Path, *options: str) -> None:
    into = folder / "bare"
    shutil.rmtree(into, ignore_errors=True)
    into.unlink(missing_ok=True)
    _tool("pg_dump", *options, f"--file={into}", url=_SOURCE)


def _directory_dump(folder: Path) -> None:
    _bare_dump(folder, "--format=directory", "--jobs=2", "--compress=zstd:1")


def _default_dump(folder: Path) -> None:
    _bare_dump(folder, "--format=custom")
    (folder / "bare").unlink()


def _protected(folder: Path) -> Protected:
    policy = {"store": str(folder / "store"), "dump": {"work_folder": str(folder)}}
    return Protected("bench", Policy.model_validate(policy), dict(os.environ))


def _night(folder: Path) -> None:
    shutil.rmtree(folder / "store", ignore_errors=True)
    night.take_night(_protected(folder))


def _bare_restore(folder: Path) -> None:
    target = connection.parse(os.environ[_TARGET], origin=_TARGET)
    _tool(
        "pg_restore", "--jobs=2", "--exit-on-error", f"--dbname={target.database}", _dump(folder), url=_TARGET
    )


def _dump(folder: Path) -> Path:
    [dump] = (folder / "store" / "bench").glob("*/dump")
    return dump


def _proven_restore(folder: Path) -> None:
    protected = _protected(folder)
    brought = bring_back.bring_back(
        protected,
        protected.store,
        choose(read_judged({"store": protected.store}, "bench"), None).candidates[0].manifest,
        connection.parse(os.environ[_TARGET], origin=_TARGET),
        source=None,
        on_progress=ignore,
    )
    if brought.findings:
        raise SystemExit(f"The restore differs: {brought.findings}")


# In this order: the restores bring back what the night took.
VARIANTS = {
    "directory dump": Variant("pg_dump -Fd -j2 zstd:1, unproven", _directory_dump, None),
    "default dump": Variant("pg_dump -Fc, the documented default", _default_dump, "directory dump"),
    "night": Variant("a night: dumped, counted, read back, digested", _night, "directory dump"),
    "bare restore": Variant("pg_restore -j2, unproven", _bare_restore, None),
    "restore": Variant("restore: checked, restored, compared row for row", _proven_restore, "bare restore"),
}


def main() -> None:
    """Runs one variant, and prints its seconds and its largest resident size as JSON."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(exist_ok=True)
    began = time.monotonic()
    VARIANTS[name].run(folder)
    seconds = time.monotonic() - began
    peak_kibibytes = max(
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(json.dumps({"seconds": seconds, "peak_bytes": peak_kibibytes * 1024}))


if __name__ == "__main__":
    main()
