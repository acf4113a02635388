"""A tool that nobody has, the ledger: written outside the package, with nothing but what the seam asks for."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from hackorda_ops.migration_tools.tool import MigrationFile, MigrationFolder, MigrationTool

_FILE: Final = re.compile(r"entry-(\d+)\.sql")


def _find(folder: Path, _inside: Sequence[str], names: Sequence[str]) -> Iterator[MigrationFolder]:
    found = sorted((int(match[1]), match[0]) for name in names if (match := _FILE.fullmatch(name)))
    if found:
        files = tuple(MigrationFile(str(number), name) for number, name in found)
        yield MigrationFolder("ledger", folder, files)


TOOL: Final = MigrationTool(
    name="ledger",
    table="ledger_entries",
    columns=frozenset({"entry", "done"}),
    query="SELECT entry::text, entry::text, CASE WHEN done THEN 'applied' ELSE 'half applied' END, '', ''"
    " FROM {table} AS t ORDER BY t.entry",
    find=_find,
)
