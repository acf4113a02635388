"""Identities and databases for tests of encryption."""

import subprocess
from pathlib import Path
from typing import Any

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected


def keygen(path: Path) -> str:
    """Makes an identity with age-keygen; its recipient."""
    subprocess.run(["age-keygen", "-o", path], check=True, capture_output=True)
    return subprocess.run(
        ["age-keygen", "-y", path], check=True, capture_output=True, text=True
    ).stdout.strip()


def encrypted(tmp_path: Path, url: str, *recipients: str, **more: Any) -> Protected:
    """A database whose nights are encrypted, on a machine that has no identity."""
    policy = Policy.model_validate(
        {
            "store": str(tmp_path / "store"),
            "dump": {"work_folder": str(tmp_path / "work")},
            "encrypt_to": list(recipients),
            **more,
        }
    )
    return Protected("hackorda", policy, {"DATABASE_URL": url, "PATH": "/usr/local/bin:/usr/bin:/bin"})


def with_identity(protected: Protected, path: Path) -> Protected:
    """The same database, where an identity is."""
    policy = Policy.model_validate({**protected.policy.model_dump(), "identity": {"file": str(path)}})
    return Protected(protected.name, policy, protected.environ)


def everything_in(folder: Path) -> bytes:
    """All bytes of all files below a folder, and their names."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return b"\n".join(part for path in found for part in (str(path).encode(), path.read_bytes()))
