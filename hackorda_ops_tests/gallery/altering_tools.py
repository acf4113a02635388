"""Tools that dump as many rows as there are, with other values in them: only the source itself can tell."""

import sys
from typing import Final

from hackorda_ops_tests.gallery.damages import Damage
from hackorda_ops_tests.gallery.ways import InsteadOfDump, InsteadOfDumpOf

_CONVERTS: Final = "a tool that converts values on their way"
_EDITOR: Final = "a dump that is put through a spreadsheet"
_TEXT: Final = "a filter for text in the pipeline"
_MASKS: Final = "a dump made for developers, whose values are masked"

# Of the one table with eight columns: id, name, city, note, joined, balance, weight, tags.
_SCRIPT: Final = """
import re, sys, unicodedata
from pathlib import Path
from hackorda_ops.local.damage import compressed, decompressed
END = b"\\\\.\\n\\n\\n"
[folder] = [each.removeprefix("--file=") for each in sys.argv if each.startswith("--file=")]
for file in Path(folder).glob("[0-9]*.dat*"):
    text = decompressed(file.read_bytes(), file.name).removesuffix(END).decode()
    rows = [line.split("\\t") for line in text.splitlines()]
    if not rows or len(rows[0]) != 8:
        continue
    %s
    text = "".join("\\t".join(row) + "\\n" for row in rows)
    file.write_bytes(compressed(text.encode() + END, file.name))
"""
_WITHOUT_SNAPSHOT: Final = """
for argument; do
    shift
    case "$argument" in --snapshot=*) ;; *) set -- "$@" "$argument" ;; esac
done
exec "$real/pg_dump" "$@"
"""


def _of_each_row(change: str) -> InsteadOfDump:
    return _of_all_rows(f"for row in rows: {change}")


def _of_all_rows(change: str) -> InsteadOfDump:
    return InsteadOfDump(
        f'"$real/pg_dump" "$@" || exit\n{sys.executable} - "$@" <<\'END\'\n{_SCRIPT % change}END\n'
    )


def _meanwhile(statement: str) -> InsteadOfDumpOf:
    return InsteadOfDumpOf(
        (),
        f'"$real/psql" --no-psqlrc --quiet --output=/dev/null --command="{statement}" || exit\n{_WITHOUT_SNAPSHOT}',
    )


_ALTERATIONS: Final = (
    ("money rounded to cents", _CONVERTS, _of_each_row("row[5] = format(float(row[5]), '.2f')")),
    ("numbers with a comma for a point", "a locale", _of_each_row("row[6] = row[6].replace('.', ',')")),
    (
        "numbers of single precision",
        _CONVERTS,
        _of_each_row("row[6] = format(float(row[6]), '.7g')"),
    ),
    ("numbers without their trailing zeros", _EDITOR, _of_each_row("row[5] = format(float(row[5]), 'g')")),
    ("times without their zone", _CONVERTS, _of_each_row("row[4] = row[4].removesuffix('+00')")),
    (
        "times of another zone that say they are of this one",
        "a session in another time zone",
        _of_each_row("row[4] = row[4].replace(' 00:30', ' 01:30')"),
    ),
    (
        "days and months exchanged",
        "a locale",
        _of_each_row(r"row[4] = re.sub(r'-(0\d|1[0-2])-(0\d|1[0-2]) ', r'-\2-\1 ', row[4])"),
    ),
    ("blanks at the end of a text dropped", _TEXT, _of_each_row("row[3] = row[3].rstrip()")),
    ("line ends made one character", _TEXT, _of_each_row(r"row[3] = row[3].replace('\\r', '')")),
    (
        "text encoded twice",
        "a tool that takes UTF-8 for Latin-1",
        _of_each_row("row[1] = row[1].encode().decode('latin-1')"),
    ),
    (
        "accents dropped",
        _CONVERTS,
        _of_each_row("row[1] = row[1].replace('\\u00eb', 'e')"),
    ),
    (
        "characters in another normal form",
        "a file system or a filter that normalises Unicode",
        _of_each_row("row[1] = unicodedata.normalize('NFD', row[1])"),
    ),
    (
        "what no ASCII has turned into question marks",
        _TEXT,
        _of_each_row("row[1] = row[1].encode('ascii', 'replace').decode()"),
    ),
    ("text in lower case", _CONVERTS, _of_each_row("row[1] = row[1].lower()")),
    ("text cut off at eight characters", _CONVERTS, _of_each_row("row[3] = row[3][:8]")),
    (
        "NULL turned into an empty text",
        _EDITOR,
        _of_each_row("row[3] = '' if row[3] == chr(92) + 'N' else row[3]"),
    ),
    ("an array's elements sorted", _CONVERTS, _of_each_row("row[7] = '{loyal,new}'")),
    ("names masked", _MASKS, _of_each_row("row[1] = 'Customer'")),
    (
        "names exchanged among the rows",
        _MASKS,
        _of_all_rows("rows[0][1], rows[1][1] = rows[1][1], rows[0][1]"),
    ),
    (
        "one column sorted by itself",
        _EDITOR,
        _of_all_rows("[row.__setitem__(1, name) for row, name in zip(rows, sorted(row[1] for row in rows))]"),
    ),
    (
        "a row in another's place",
        "a tool that begins again at the wrong row",
        _of_all_rows("rows[8] = rows[7]"),
    ),
    (
        "a dump of a moment later, when a row had been changed",
        "a tool that does not know of snapshots",
        _meanwhile("UPDATE public.customers SET city = 'Lund' WHERE id = 9"),
    ),
    (
        "a dump of a moment later, when a row had gone and another had come",
        "a tool that does not know of snapshots",
        _meanwhile(
            "DELETE FROM public.customers WHERE id = 150; INSERT INTO public.customers SELECT 151, name, city, note, "
            "joined, balance, weight, tags FROM public.customers WHERE id = 149"
        ),
    ),
    (
        "a dump of a replica that lags",
        "a balancer that sends readers elsewhere",
        InsteadOfDumpOf(
            ("UPDATE customers SET city = 'Lund' WHERE id = 9",),
            f"export PGDATABASE=gallery\n{_WITHOUT_SNAPSHOT}",
        ),
    ),
)

DUMPS: Final = tuple(
    Damage(name, cause, way, "", "other values in public.customers", "NO ARTIFACT")
    for name, cause, way in _ALTERATIONS
)
