"""The migration tools that a database's state and a team's files are looked at for: a line for each."""

from typing import Final

from hackorda_ops.migration_tools import drizzle, goose, prisma
from hackorda_ops.migration_tools.tool import MigrationTool

TOOLS: Final[dict[str, MigrationTool]] = {
    tool.name: tool
    for tool in (
        drizzle.TOOL,
        prisma.TOOL,
        goose.TOOL,
    )
}
