"""sqitch's changes: in the order of a plan."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from hackorda_ops.migration_tools.tool import MigrationFile, MigrationFolder, MigrationTool, text_of

_NAME: Final = "sqitch"
_PLAN: Final = "sqitch.plan"
_PROJECT: Final = re.compile(r"^\s*%\s*project\s*=\s*(\S+)", re.MULTILINE)
# A change begins with its name, perhaps after "+"; other lines are pragmas, tags, comments and "-" for a revert.
_CHANGE: Final = re.compile(r"^[ \t]*\+?[ \t]*([^\s%@#+\-\[][^\s\[]*)(?=[ \t\[])", re.MULTILINE)


def _find(folder: Path, _inside: Sequence[str], names: Sequence[str]) -> Iterator[MigrationFolder]:
    text = text_of(folder / _PLAN) if _PLAN in names else None
    project = _PROJECT.search(text or "")
    if text is None or project is None:
        return
    # A change that was reworked is in the plan again by the same name.
    times = Counter[str]()
    files = []
    for match in _CHANGE.finditer(text):
        name = match[1]
        times[name] += 1
        again = f" ({times[name]})" if times[name] > 1 else ""
        files.append(MigrationFile(f"{project[1]}:{name}:{times[name]}", f"{name}{again}"))
    yield MigrationFolder(_NAME, folder, tuple(files))


TOOL: Final = MigrationTool(
    name=_NAME,
    table="changes",
    columns=frozenset({"change_id", "change", "project", "committed_at", "planned_at"}),
    query="SELECT project || ':' || change || ':' ||"
    " row_number() OVER (PARTITION BY project, change ORDER BY committed_at), change, 'applied', '', ''"
    " FROM {table} ORDER BY committed_at",
    find=_find,
)
