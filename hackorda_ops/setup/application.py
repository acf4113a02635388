"""What a team's repository says of its migrations: which tool, which command, and where that runs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hackorda_ops.migration_tools.registry import TOOLS
from hackorda_ops.migration_tools.tool import MigrationFolder, MigrationTool, ancestor
from hackorda_ops.migrations.files import find_folders

_PACKAGE: Final = "package.json"
_MOST_BYTES: Final = 1_000_000


@dataclass(frozen=True)
class MigrateProposal:
    """How the team's migrations are probably applied.

    Attributes:
        tool: the tool's name.
        command: what applies them; "" where the tool is known and its command isn't.
        folder: where that runs.
    """

    tool: str
    command: str
    folder: Path


def propose_migrate(root: Path, tools: Sequence[str]) -> MigrateProposal | None:
    """How the migrations of a repository are probably applied; None where nothing is known of any.

    Args:
        root: the repository, or any folder that may have none.
        tools: those whose tables the database has.
    """
    folders = find_folders(root)
    for name in dict.fromkeys((*tools, *(each.tool for each in folders))):
        tool = TOOLS[name]
        of_tool = [each for each in folders if each.tool == name]
        if not of_tool and not tools:
            continue
        started = _started_in(tool, of_tool, root)
        return MigrateProposal(name, _script(tool, started) or tool.usual_command, started)
    return None


def _started_in(tool: MigrationTool, folders: Sequence[MigrationFolder], root: Path) -> Path:
    if tool.started_in and folders:
        found = ancestor(folders[0].path, lambda each: (each / tool.started_in).is_file())
        if found is not None and found.is_relative_to(root):
            return found
    return root


def _script(tool: MigrationTool, folder: Path) -> str:
    """The script of package.json that does what the tool's usual command does; "" where there is none."""
    if tool.started_in != _PACKAGE:
        return ""
    path = folder / _PACKAGE
    try:
        if path.stat().st_size > _MOST_BYTES:
            return ""
        package: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    scripts = package.get("scripts") if isinstance(package, dict) else None
    wanted = tool.usual_command.removeprefix("npx ")
    for name, text in scripts.items() if isinstance(scripts, dict) else ():
        if isinstance(text, str) and wanted in text and name.replace(":", "").replace("-", "").isalnum():
            return f"npm run {name}"
    return ""
