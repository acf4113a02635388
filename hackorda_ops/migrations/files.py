"""The migrations in a team's folder, to find what its tool has not applied yet."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from hackorda_ops.config.expectations import Migrate
from hackorda_ops.migration_tools.registry import TOOLS
from hackorda_ops.migration_tools.tool import MigrationFolder
from hackorda_ops.postgres.catalogs.migration_state import ToolState

# Folders of packages and builds: they contain other projects' migrations, and old copies of one's own.
_PASSED_OVER: Final = frozenset({"node_modules", "vendor", "dist", "build", "target", "venv", "__pycache__"})
_DEEPEST: Final = 6
_MOST_FOLDERS: Final = 10_000


def migration_folders(migrate: Migrate) -> tuple[tuple[MigrationFolder, ...], tuple[str, ...]]:
    """Looks for the team's migrations, in the folder that is configured or where its command runs.

    Returns:
        The folders, and why others couldn't be read, a clause for each.
    """
    root = migrate.working_directory / (migrate.folder or Path())
    unread: list[str] = []
    return find_folders(root, unread.append), tuple(unread)


def find_folders(
    root: Path, on_unread: Callable[[str], None] = lambda _: None
) -> tuple[MigrationFolder, ...]:
    """Looks for the migrations of the known tools in a folder and below.

    Args:
        root: where the team's migration command runs. Hidden folders and packages are skipped.
        on_unread: called with a clause for each folder that can't be read.
    """
    found = defaultdict[str, list[MigrationFolder]](list)
    for folder, inside, names in _walk(root, on_unread):
        for tool in TOOLS.values():
            found[tool.name].extend(tool.find(folder, inside, names))
    return tuple(folder for tool in TOOLS.values() for folder in tool.gather(found[tool.name]))


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


def _walk(root: Path, on_unread: Callable[[str], None]) -> Iterator[tuple[Path, list[str], list[str]]]:
    def unreadable(error: OSError) -> None:
        on_unread(f"the folder {error.filename} can't be read: {error.strerror}")

    for seen, (place, inside, names) in enumerate(os.walk(root, onerror=unreadable)):
        folder = Path(place)
        if seen >= _MOST_FOLDERS:
            on_unread(
                f"{root} has more than {_MOST_FOLDERS:,} folders: say in migrate.folder which has the migrations"
            )
            return
        yield folder, inside, names
        deep = len(folder.relative_to(root).parts) >= _DEEPEST
        inside[:] = (
            []
            if deep
            else sorted(name for name in inside if name not in _PASSED_OVER and not name.startswith("."))
        )
