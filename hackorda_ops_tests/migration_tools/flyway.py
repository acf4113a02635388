"""A fourth tool, Flyway: written outside the package, with nothing but what the seam asks for."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from hackorda_ops.migration_tools.tool import MigrationFile, MigrationFolder, MigrationTool

_FILE: Final = re.compile(r"V(\d+)__.*\.sql")


def _find(folder: Path, _inside: Sequence[str], names: Sequence[str]) -> Iterator[MigrationFolder]:
    found = sorted((int(match[1]), match[0]) for name in names if (match := _FILE.fullmatch(name)))
    if found:
        files = tuple(MigrationFile(str(version), name) for version, name in found)
        yield MigrationFolder("flyway", folder, files)


TOOL: Final = MigrationTool(
    name="flyway",
    table="flyway_schema_history",
    columns=frozenset({"installed_rank", "version", "script", "success"}),
    query="SELECT version, script, CASE WHEN success THEN 'applied' ELSE 'half applied' END, '', '' FROM {table}"
    " WHERE version IS NOT NULL ORDER BY installed_rank",
    find=_find,
)
