"""The migration tools that a database's state and a team's files are looked at for: a line for each."""

from typing import Final

from hackorda_ops.migration_tools import (
    alembic,
    dbmate,
    django,
    drizzle,
    flyway,
    golang_migrate,
    goose,
    liquibase,
    node_pg_migrate,
    prisma,
    rails,
    sqitch,
)
from hackorda_ops.migration_tools.tool import MigrationTool

TOOLS: Final[dict[str, MigrationTool]] = {
    tool.name: tool
    for tool in (
        drizzle.TOOL,
        prisma.TOOL,
        goose.TOOL,
        alembic.TOOL,
        dbmate.TOOL,
        django.TOOL,
        flyway.TOOL,
        golang_migrate.TOOL,
        liquibase.TOOL,
        node_pg_migrate.TOOL,
        rails.TOOL,
        sqitch.TOOL,
    )
}
