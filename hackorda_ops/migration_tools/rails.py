"""Rails' migrations: a Ruby file for each that begins with its version."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from hackorda_ops.migration_tools.reading.by_name import files_by_name
from hackorda_ops.migration_tools.tool import MigrationFolder, MigrationTool

_NAME: Final = "rails"
# As ActiveRecord::Migration::MigrationFilenameRegexp has it; a scope is the engine that a migration was copied from.
_FILE: Final = re.compile(r"([0-9]+)_[_a-z0-9]*(\.[_a-z0-9]*)?\.rb", re.ASCII)
_MARK: Final = re.compile(r"<\s*ActiveRecord::Migration\b")


def _find(folder: Path, _inside: Sequence[str], names: Sequence[str]) -> Iterator[MigrationFolder]:
    files = files_by_name(folder, names, _FILE, lambda match: match[1].lstrip("0") or "0", _MARK)
    if files:
        yield MigrationFolder(_NAME, folder, files)


TOOL: Final = MigrationTool(
    name=_NAME,
    table="schema_migrations",
    columns=frozenset({"version"}),
    # Only Rails (from 5 on) has this beside it; dbmate's table is the same.
    beside="ar_internal_metadata",
    exact=True,
    query="SELECT coalesce(nullif(ltrim(version, '0'), ''), '0'), version, 'applied', '', '' FROM {table}"
    " ORDER BY length(version), version",
    find=_find,
    usual_command="bin/rails db:migrate",
    started_in="Gemfile",
)
