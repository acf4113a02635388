"""node-pg-migrate's migrations: a file for each, known by its name without the ending."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from hackorda_ops.migration_tools.reading.by_name import files_by_name
from hackorda_ops.migration_tools.tool import MigrationFolder, MigrationTool

_NAME: Final = "node-pg-migrate"
_FILE: Final = re.compile(r"(\d+[_-].+?)(?<!\.d)\.(?:js|ts|cjs|mjs|cts|mts|sql)", re.ASCII)
# What one in SQL begins with, the builder that those in JavaScript and TypeScript get, and where its types are from.
_MARK: Final = re.compile(r"^--\s*up\s+migration\b|\bpgm\b|node-pg-migrate", re.MULTILINE | re.IGNORECASE)


def _find(folder: Path, _inside: Sequence[str], names: Sequence[str]) -> Iterator[MigrationFolder]:
    files = files_by_name(folder, names, _FILE, lambda match: match[1], _MARK)
    if files:
        yield MigrationFolder(_NAME, folder, files)


TOOL: Final = MigrationTool(
    name=_NAME,
    table="pgmigrations",
    columns=frozenset({"id", "name", "run_on"}),
    query="SELECT name::text, name::text, 'applied', '', '' FROM {table} ORDER BY run_on, id",
    find=_find,
    usual_command="npx node-pg-migrate up",
    started_in="package.json",
)
