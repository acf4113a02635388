"""Tools that say all is well, and have not done their work."""

import sys
from typing import Final

from hackorda_ops_tests.gallery.damages import Damage
from hackorda_ops_tests.gallery.ways import InsteadOfDump, InsteadOfRestore

_RESTORE: Final = '"$real/pg_restore" "$@" || exit\n'
# What a tool does that skips a row which it can't read: the largest file, without its first line.
_SKIPPING: Final = """
import sys
from pathlib import Path
from hackorda_ops.local.damage import compressed, decompressed
[folder] = [each.removeprefix("--file=") for each in sys.argv if each.startswith("--file=")]
file = max(Path(folder).glob("[0-9]*.dat*"), key=lambda each: each.stat().st_size)
file.write_bytes(compressed(decompressed(file.read_bytes(), file.name).split(b"\\n", 1)[1], file.name))
"""
_WRAPPER: Final = "a wrapper script that loses the return code"

RESTORES: Final = (
    Damage(
        "a restore that did nothing",
        _WRAPPER,
        InsteadOfRestore("exit 0"),
        "table missing",
        "public.customers",
    ),
    Damage(
        "a restore that stopped before the rows",
        _WRAPPER,
        InsteadOfRestore('exec "$real/pg_restore" --section=pre-data "$@"'),
        "rows differ",
        "public.customers",
    ),
    Damage(
        "a restore that stopped before the indexes",
        _WRAPPER,
        InsteadOfRestore('exec "$real/pg_restore" --section=pre-data --section=data "$@"'),
        "schema object missing",
        "INDEX public.orders_by_customer",
    ),
    Damage(
        "a restore of one table only",
        "a command copied from another day",
        InsteadOfRestore('exec "$real/pg_restore" --table=customers "$@"'),
        "table missing",
        "public.orders",
    ),
    Damage(
        "a restore with options that leave comments out",
        "a command copied from another day",
        InsteadOfRestore('exec "$real/pg_restore" --no-comments "$@"'),
        "schema object missing",
        "COMMENT public.TABLE customers",
    ),
    Damage(
        "a restore that loaded a table twice",
        "a script that tries again after a broken connection",
        InsteadOfRestore(_RESTORE + 'exec "$real/pg_restore" --data-only --table=visits "$@"'),
        "rows differ",
        "public.visits",
    ),
    Damage(
        "a restore of other rows than the archive's",
        "a restore from a folder of the same name",
        InsteadOfRestore(
            _RESTORE
            + 'exec "$real/psql" --no-psqlrc --quiet --command="UPDATE public.visits SET page = upper(page)"'
        ),
        "content differs",
        "public.visits",
    ),
    Damage(
        "a restore that says what went wrong, and ends early",
        "a server that ran out of memory",
        InsteadOfRestore(
            '"$real/pg_restore" --section=pre-data "$@"; echo "pg_restore: error: out of memory" >&2; exit 1'
        ),
        "",
        "out of memory",
        "ERROR",
    ),
)

DUMPS: Final = (
    Damage(
        "a dump without one table's rows",
        "an option left from a trial",
        InsteadOfDump('exec "$real/pg_dump" --exclude-table-data=public.orders "$@"'),
        "",
        "public.orders has no data file",
        "NO ARTIFACT",
    ),
    Damage(
        "a dump without one table",
        "an option left from a trial",
        InsteadOfDump('exec "$real/pg_dump" --exclude-table=public.wishes "$@"'),
        "",
        "public.wishes has no data file",
        "NO ARTIFACT",
    ),
    Damage(
        "a dump with fewer rows than the database",
        "row-level security, or a tool that skips rows it can't read",
        InsteadOfDump(f'"$real/pg_dump" "$@" || exit\n{sys.executable} - "$@" <<\'END\'\n{_SKIPPING}END\n'),
        "",
        "public.customers has 149 rows in the archive, but 150 in the snapshot",
        "NO ARTIFACT",
    ),
    Damage(
        "a dump that did nothing",
        _WRAPPER,
        InsteadOfDump("exit 0"),
        "",
        "(toc.dat) is missing",
        "NO ARTIFACT",
    ),
    Damage(
        "a dump without large objects",
        "an option left from a trial",
        InsteadOfDump('exec "$real/pg_dump" --no-large-objects "$@"'),
        "",
        "large objects in the archive",
        "NO ARTIFACT",
    ),
    Damage(
        "a dump without indexes, keys and triggers",
        "an option left from a trial",
        InsteadOfDump('exec "$real/pg_dump" --section=pre-data --section=data "$@"'),
        "",
        "index public.orders_by_customer is missing from it",
        "NO ARTIFACT",
    ),
)
