"""Copies and fetches over the slow link, and the AWS command line by itself."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from bench.variants.given import NAME, protected
from hackorda_ops.artifacts.copying import copy_artifact
from hackorda_ops.artifacts.fetch import fetch_artifact
from hackorda_ops.artifacts.manifest import FileEntry, Manifest
from hackorda_ops.progress import ignore
from hackorda_ops.stores.folder import FolderStore


def entries(folder: Path) -> list[FileEntry]:
    """The files that go over the slow link."""
    return [FileEntry(**each) for each in json.loads((folder / "files.json").read_text())]


def copy(folder: Path) -> None:
    """A copy over the slow link, read back."""
    copy_artifact(
        FolderStore(folder / "files"),
        protected(folder).offsite,
        prefix=f"{NAME}/copied",
        files=entries(folder),
        manifest_bytes=b"{}",
    )


def aws_copy(folder: Path) -> None:
    """The same bytes up and down by the AWS command line."""
    _aws_s3("cp", "--recursive", folder / "files" / NAME / "copied", f"s3://{NAME}/by-aws/")
    aws_fetch(folder)


def fetch(folder: Path) -> None:
    """A fetch for a restore."""
    into = folder / "fetched"
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(mode=0o700)
    manifest = SimpleNamespace(
        prefix=f"{NAME}/copied",
        files=entries(folder),
        size_bytes=sum(each.size_bytes for each in entries(folder)),
    )
    fetch_artifact(protected(folder).offsite, cast(Manifest, manifest), into, on_progress=ignore)


def aws_fetch(folder: Path) -> None:
    """The same bytes down by the AWS command line."""
    shutil.rmtree(folder / "by-aws", ignore_errors=True)
    _aws_s3("cp", "--recursive", f"s3://{NAME}/by-aws/", folder / "by-aws")


def _aws_s3(*arguments: str | Path) -> None:
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
