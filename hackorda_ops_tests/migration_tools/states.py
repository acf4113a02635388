"""What a tool's table may say, and the one folder of a tool, for tests without a database."""

from pathlib import Path

from hackorda_ops.migration_tools.tool import MigrationFolder
from hackorda_ops.migrations.files import find_folders
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.migration_state import ToolState


def state(tool: str, *applied: str, **more: tuple[str, ...]) -> ToolState:
    return ToolState(tool, TableName("public", tool), applied, applied[-1] if applied else "", **more)  # type: ignore[arg-type]


def only(root: Path, tool: str) -> MigrationFolder:
    [folder] = [each for each in find_folders(root) if each.tool == tool]
    return folder
