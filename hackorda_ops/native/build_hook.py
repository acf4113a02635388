"""Builds the C extension while the package is built or installed (a build hook of hatchling).

Without a C compiler the package is built without it: everything works, and reading rows takes longer.
"""

import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext

_FOLDER = Path("hackorda_ops/native")
_NAME = "_row_digest"


class NativeBuild(BuildHookInterface[Any]):
    """See `BuildHookInterface`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        """Compiles it into the source folder, from where wheels take it, and editable installations import it."""
        if self.target_name != "wheel":
            return
        # A failed compilation must not leave the one of an older source.
        for old in (Path(self.root) / _FOLDER).glob(f"{_NAME}*.so"):
            old.unlink()
        try:
            built = self._compiled()
        except Exception as error:  # noqa: BLE001  # whatever a compiler, or its absence, brings
            self.app.display_warning(f"Built without the C extension, so reading rows takes longer: {error}")
            return
        build_data["artifacts"].append(f"/{built.as_posix()}")
        build_data["pure_python"] = False
        # The extension keeps to Python's stable interface of 3.11: one wheel for each platform serves all versions.
        build_data["tag"] = f"cp311-abi3-{next(sys_tags()).platform}"

    def _compiled(self) -> Path:
        root = Path(self.root)
        extension = Extension(
            f"hackorda_ops.native.{_NAME}",
            [str(root / _FOLDER / "row_digest.c")],
            extra_compile_args=["-O3"],
            py_limited_api=True,
        )
        with tempfile.TemporaryDirectory() as work:
            command = build_ext(Distribution({"name": "hackorda-ops", "ext_modules": [extension]}))
            command.build_lib, command.build_temp = f"{work}/lib", f"{work}/temp"
            command.ensure_finalized()
            command.run()
            [written] = Path(work, "lib").rglob(f"{_NAME}*")
            built = _FOLDER / written.name
            (root / built).write_bytes(written.read_bytes())
        return built
