"""Goose's migrations: a file for each that begins with its version."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from hackorda_ops.migration_tools.tool import MigrationFile, MigrationFolder, MigrationTool, text_of

_NAME: Final = "goose"
_FILE: Final = re.compile(r"0*(\d+)_.*(?<!_test)\.(?:sql|go)", re.ASCII)
_MARK: Final = re.compile(r"^--\s*\+goose\s+up\b|\bgoose\.Add\w*Migration", re.IGNORECASE | re.MULTILINE)


def _find(folder: Path, _inside: Sequence[str], names: Sequence[str]) -> Iterator[MigrationFolder]:
    found = []
    marked = False
    for name in names:
        match = _FILE.fullmatch(name)
        if match and int(match[1]) > 0:
            text = text_of(folder / name)
            if text is None or _MARK.search(text):
                found.append((int(match[1]), name))
                marked = marked or text is not None
    if marked:
        yield MigrationFolder(
            _NAME, folder, tuple(MigrationFile(str(version), name) for version, name in sorted(found))
        )


TOOL: Final = MigrationTool(
    name=_NAME,
    table="goose_db_version",
    columns=frozenset({"id", "version_id", "is_applied"}),
    # Older releases of goose add a row for "down" instead of deleting the one for "up", so the newest row of
    # a version decides: one that is false and stands is a migration that was rolled back. Version 0 is the row that
    # goose starts with.
    query="SELECT version_id::bigint::text, version_id::text,"
    " CASE WHEN is_applied THEN 'applied' ELSE 'rolled back' END, '', '' FROM"
    " (SELECT DISTINCT ON (version_id) version_id, is_applied FROM {table} ORDER BY version_id, id DESC)"
    " AS newest WHERE version_id > 0 ORDER BY newest.version_id",
    find=_find,
)
