"""The migrations in a team's folder, to find what its tool has not applied yet."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from hackorda_ops.migration_tools.registry import TOOLS
from hackorda_ops.migration_tools.tool import MigrationFolder
from hackorda_ops.postgres.catalogs.migration_state import ToolState

# Folders of packages and builds: they contain other projects' migrations, and old copies of one's own.
_PASSED_OVER: Final = frozenset({"node_modules", "vendor", "dist", "build", "target", "venv", "__pycache__"})
_DEEPEST: Final = 6
_MOST_FOLDERS: Final = 10_000


def find_folders(root: Path) -> tuple[MigrationFolder, ...]:
    """Looks for the migrations of the known tools in a folder and below.

    Args:
        root: where the team's migration command runs. Hidden folders and packages are skipped.
    """
    return tuple(_folders(root))


def folder_of(state: ToolState, folders: Iterable[MigrationFolder]) -> MigrationFolder | None:
    """The folder that a tool's table belongs to; None if there is none, or if it can't be determined.

    A folder of another application shares nothing with the table, so the one that shares the most is chosen.
    """
    of_tool = [folder for folder in folders if folder.tool == state.tool]
    shared = [sum(file is not None for file in folder.applied(state)) for folder in of_tool]
    if not of_tool or (state.applied and max(shared) == 0):
        return None
    best = [folder for folder, common in zip(of_tool, shared, strict=True) if common == max(shared)]
    return best[0] if len({folder.files for folder in best}) == 1 else None


def _folders(root: Path) -> Iterator[MigrationFolder]:
    for seen, (place, inside, names) in enumerate(os.walk(root)):
        folder = Path(place)
        if seen >= _MOST_FOLDERS:
            return
        for tool in TOOLS.values():
            yield from tool.find(folder, inside, names)
        deep = len(folder.relative_to(root).parts) >= _DEEPEST
        inside[:] = (
            []
            if deep
            else sorted(name for name in inside if name not in _PASSED_OVER and not name.startswith("."))
        )
