"""The tools that npm has: installed by the first test that asks, and kept for the next run beside pytest's cache."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

_PACKAGES = Path(__file__).parent / "package.json"
# A hang, not a slow network: an installation takes half a minute.
_GIVE_UP_SECONDS = 900


def missing(what: str) -> NoReturn:
    """Without a tool its test is skipped; in CI, which installs them all, it fails."""
    if "CI" in os.environ:
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def node_modules(pytestconfig: pytest.Config) -> Path:
    """The folder with the packages of package.json."""
    npm = shutil.which("npm")
    if npm is None:
        missing("no npm (apt install npm)")
    version = hashlib.sha256(_PACKAGES.read_bytes()).hexdigest()[:12]
    assert pytestconfig.cache is not None
    kept = pytestconfig.cache.mkdir("migration-tools") / version
    if not kept.is_dir():
        fresh = Path(tempfile.mkdtemp(dir=kept.parent))
        shutil.copy(_PACKAGES, fresh)
        # Nothing is downloaded but the packages: some would fetch programs of theirs from elsewhere.
        installed = subprocess.run(
            [
                npm,
                "install",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--no-package-lock",
                "--no-progress",
            ],
            cwd=fresh,
            check=False,
            capture_output=True,
            text=True,
            timeout=_GIVE_UP_SECONDS,
        )
        if installed.returncode != 0:
            shutil.rmtree(fresh)
            missing(f"npm install failed: {installed.stderr[-2000:]}")
        try:
            fresh.rename(kept)
        except OSError:  # another run was quicker
            shutil.rmtree(fresh)
    return kept / "node_modules"


@pytest.fixture
def sqitch() -> str:
    found = shutil.which("sqitch")
    if found is None:
        missing("no sqitch (apt install sqitch libdbd-pg-perl)")
    return found
