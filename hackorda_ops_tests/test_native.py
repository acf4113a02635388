"""The C extension as it's built: with a compiler, and without one."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import hackorda_ops

ROOT = Path(hackorda_ops.__file__).parent.parent


def wheel(folder: Path, *, compiler: str | None = None) -> zipfile.ZipFile:
    """The wheel that a copy of this source gives."""
    source = folder / "source"
    shutil.copytree(
        ROOT / "hackorda_ops", source / "hackorda_ops", ignore=shutil.ignore_patterns("*.so", "__pycache__")
    )
    for name in (
        "pyproject.toml",
        "README.md",
        "databases.yaml",
        "dagster.yaml",
        "workspace.yaml",
        ".gitignore",
    ):
        shutil.copy(ROOT / name, source / name)
    environment = dict(os.environ) if compiler is None else {**os.environ, "CC": compiler}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder / "dist"],
        cwd=source,
        check=True,
        capture_output=True,
        env=environment,
    )
    [built] = (folder / "dist").glob("*.whl")
    return zipfile.ZipFile(built)


def test_a_wheel_has_the_extension_for_every_python_of_its_platform(tmp_path: Path) -> None:
    with wheel(tmp_path) as built:
        names = [name for name in built.namelist() if name.startswith("hackorda_ops/native/")]
        [metadata] = [name for name in built.namelist() if name.endswith(".dist-info/WHEEL")]

        assert "hackorda_ops/native/_row_digest.abi3.so" in names
        assert not [name for name in names if name.endswith((".c", ".h", "build_hook.py"))]
        assert b"Tag: cp311-abi3-" in built.read(metadata)
        assert b"Root-Is-Purelib: false" in built.read(metadata)


def test_without_a_compiler_the_wheel_is_built_all_the_same(tmp_path: Path) -> None:
    with wheel(tmp_path, compiler="/nowhere/cc") as built:
        [metadata] = [name for name in built.namelist() if name.endswith(".dist-info/WHEEL")]

        assert not [name for name in built.namelist() if name.endswith(".so")]
        assert "hackorda_ops/postgres/archives/row_digest.py" in built.namelist()
        assert b"Tag: py3-none-any" in built.read(metadata)
