"""dbmate's migrations: a file for each that begins with its version, and has both ways in it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from hackorda_ops.migration_tools.reading.by_name import files_by_name
from hackorda_ops.migration_tools.tool import MigrationFolder, MigrationTool

_NAME: Final = "dbmate"
_FILE: Final = re.compile(r"(\d+).*\.sql", re.ASCII)
_MARK: Final = re.compile(r"^--\s*migrate:up\b", re.MULTILINE)


def _find(folder: Path, _inside: Sequence[str], names: Sequence[str]) -> Iterator[MigrationFolder]:
    files = files_by_name(folder, names, _FILE, lambda match: match[1], _MARK)
    if files:
        yield MigrationFolder(_NAME, folder, files)


TOOL: Final = MigrationTool(
    name=_NAME,
    table="schema_migrations",
    columns=frozenset({"version"}),
    # golang-migrate, Ecto, Rails and many a script have tables of the same name.
    exact=True,
    never_beside="ar_internal_metadata",
    query="SELECT version::text, version::text, 'applied', '', '' FROM {table} ORDER BY version",
    find=_find,
    usual_command="dbmate migrate",
)
