"""What is measured, each as a function that a process of its own runs: `python -m bench.variants NAME FOLDER`.

It prints its seconds, counted from when everything is imported: what a command takes to start is a row of its own.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from pyrage import x25519

from hackorda_ops.artifacts.copying import copy_artifact
from hackorda_ops.artifacts.fetch import fetch_artifact
from hackorda_ops.artifacts.manifest import FileEntry, Manifest
from hackorda_ops.config.models import Policy
from hackorda_ops.drill.quarter import hold_drill
from hackorda_ops.environment import Protected
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.postgres import wheel_bin_dir
from hackorda_ops.night import night
from hackorda_ops.night_proof.prove import prove
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.progress import ignore
from hackorda_ops.recovery import bring_back
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.week import week

NAME = "bench"
_SOURCE = "DATABASE_URL"
_TARGET = "RESTORE_URL"


def _tool(name: str, *arguments: str | Path, url: str) -> None:
    target = connection.parse(os.environ[url], origin=url)
    # Bare, so without `child.run` and its password file; the server is the bench's own.
    variables = connection.environment(target, base=os.environ) | {"PGPASSWORD": target.password or ""}
    subprocess.run([wheel_bin_dir() / name, *arguments], env=variables, check=True)


def protected(folder: Path, **more: object) -> Protected:
    """The database that is measured, with its store in the folder; `more` are further keys of its policy."""
    policy = {
        "store": str(folder / "store"),
        "dump": {"work_folder": str(folder)},
        "scratch": {"server": {}},
        "offsite": {"bucket": NAME},
        **more,
    }
    return Protected(NAME, Policy.model_validate(policy), dict(os.environ))


def _directory_dump(folder: Path) -> None:
    into = folder / "bare"
    shutil.rmtree(into, ignore_errors=True)
    _tool("pg_dump", "--format=directory", "--jobs=2", "--compress=zstd:1", f"--file={into}", url=_SOURCE)


def _default_dump(folder: Path) -> None:
    into = folder / "bare.dump"
    _tool("pg_dump", "--format=custom", f"--file={into}", url=_SOURCE)
    into.unlink()


def _night(folder: Path) -> None:
    shutil.rmtree(folder / "store", ignore_errors=True)
    night.take_night(protected(folder))


def _sealed_night(folder: Path) -> None:
    shutil.rmtree(folder / "sealed", ignore_errors=True)
    recipient = str(x25519.Identity.generate().to_public())
    night.take_night(protected(folder, store=str(folder / "sealed"), encrypt_to=[recipient]))


def _prove(folder: Path) -> None:
    proven = prove(protected(folder)).proof
    if proven.verdict != "PASS":
        raise SystemExit(f"The proof ended with {proven.verdict}: {proven.error}")


def _bare_restore(folder: Path) -> None:
    target = connection.parse(os.environ[_TARGET], origin=_TARGET)
    [dump] = (folder / "store" / NAME).glob("*/dump")
    _tool("pg_restore", "--jobs=2", "--exit-on-error", f"--dbname={target.database}", dump, url=_TARGET)


def _proven_restore(folder: Path) -> None:
    of = protected(folder)
    brought = bring_back.bring_back(
        of,
        of.store,
        choose(read_judged({"store": of.store}, NAME), None).candidates[0].manifest,
        connection.parse(os.environ[_TARGET], origin=_TARGET),
        source=None,
        on_progress=ignore,
    )
    if brought.findings:
        raise SystemExit(f"The restore differs: {brought.findings}")


def _ship(folder: Path) -> None:
    of = protected(folder)
    week.ship(of, choose(read_judged({"store": of.store}, NAME), None).candidates[0].manifest)


def _drill(folder: Path) -> None:
    held = hold_drill(protected(folder))
    if held.result.verdict != "PASS":
        raise SystemExit(
            f"The drill ended with {held.result.verdict}: {held.result.findings} {held.result.error}"
        )


def entries(folder: Path) -> list[FileEntry]:
    """The files that go over the slow link."""
    return [FileEntry(**each) for each in json.loads((folder / "files.json").read_text())]


def _copy(folder: Path) -> None:
    copy_artifact(
        FolderStore(folder / "files"),
        protected(folder).offsite,
        prefix=f"{NAME}/copied",
        files=entries(folder),
        manifest_bytes=b"{}",
    )


def _aws_copy(folder: Path) -> None:
    _aws("cp", "--recursive", folder / "files" / NAME / "copied", f"s3://{NAME}/by-aws/")
    _aws_fetch(folder)


def _fetch(folder: Path) -> None:
    into = folder / "fetched"
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(mode=0o700)
    manifest = SimpleNamespace(
        prefix=f"{NAME}/copied",
        files=entries(folder),
        size_bytes=sum(each.size_bytes for each in entries(folder)),
    )
    fetch_artifact(protected(folder).offsite, cast(Manifest, manifest), into, on_progress=ignore)


def _aws_fetch(folder: Path) -> None:
    shutil.rmtree(folder / "by-aws", ignore_errors=True)
    _aws("cp", "--recursive", f"s3://{NAME}/by-aws/", folder / "by-aws")


def _aws(*arguments: str | Path) -> None:
    keys = {
        "AWS_ACCESS_KEY_ID": os.environ["OFFSITE_ACCESS_KEY_ID"],
        "AWS_SECRET_ACCESS_KEY": os.environ["OFFSITE_SECRET_ACCESS_KEY"],
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [
        "aws",
        "--endpoint-url",
        os.environ["OFFSITE_ENDPOINT_URL"],
        "s3",
        *arguments,
        "--only-show-errors",
    ]
    subprocess.run(command, env=os.environ | keys, check=True)


VARIANTS: dict[str, Callable[[Path], None]] = {
    "pg_dump": _directory_dump,
    "pg_dump_default": _default_dump,
    "night": _night,
    "sealed_night": _sealed_night,
    "prove": _prove,
    "pg_restore": _bare_restore,
    "restore": _proven_restore,
    "ship": _ship,
    "drill": _drill,
    "copy": _copy,
    "aws_copy": _aws_copy,
    "fetch": _fetch,
    "aws_fetch": _aws_fetch,
}


def main() -> None:
    """Runs one variant, and prints its seconds."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(exist_ok=True)
    began = time.monotonic()
    VARIANTS[name](folder)
    print(time.monotonic() - began)


if __name__ == "__main__":
    main()
