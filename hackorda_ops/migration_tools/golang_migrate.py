"""golang-migrate's migrations: two files for each, up and down; its table has the newest version alone."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hackorda_ops.migration_tools.reading.by_name import files_by_name, number
from hackorda_ops.migration_tools.tool import MigrationFile, MigrationFolder, MigrationTool, TableState

_NAME: Final = "golang-migrate"
_FILE: Final = re.compile(r"0*(\d+)_.*\.up\.[^.]+", re.ASCII)


@dataclass(frozen=True)
class _Versions(MigrationFolder):
    """Versions in a row: those up to the table's are in force, as the tool itself has it."""

    def in_force(self, state: TableState) -> frozenset[MigrationFile]:
        if state.applied:
            return frozenset(file for file in self.files if int(file.identity) <= int(state.applied[0]))
        # A dirty version was begun, and all before it are in force.
        begun = min(map(number, state.half_applied), default=-1)
        return frozenset(file for file in self.files if int(file.identity) < begun)


def _find(folder: Path, _inside: Sequence[str], names: Sequence[str]) -> Iterator[MigrationFolder]:
    files = files_by_name(folder, names, _FILE, lambda match: match[1])
    if files:
        yield _Versions(_NAME, folder, files)


TOOL: Final = MigrationTool(
    name=_NAME,
    table="schema_migrations",
    columns=frozenset({"version", "dirty"}),
    # One row; none, or -1, where nothing is in force.
    query="SELECT version::bigint::text, version::text, CASE WHEN dirty THEN 'half applied' ELSE 'applied' END, '', ''"
    " FROM {table} AS t WHERE version >= 0 OR dirty ORDER BY t.version DESC LIMIT 1",
    newest_only=True,
    find=_find,
)
