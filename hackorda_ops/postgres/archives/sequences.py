"""The sequences' states in an archive, which a restore will set.

Sequences are not transactional: between the inventory's read and pg_dump's, the source may have drawn
from them, so only the archive's own values can be compared exactly with a restored database.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from hackorda_ops import local_trouble
from hackorda_ops.own_folders import private_folder
from hackorda_ops.postgres.archives.contents import ArchiveEntry
from hackorda_ops.postgres.archives.damage import unusable
from hackorda_ops.postgres.catalogs.inventory import Sequence, TableName
from hackorda_ops.postgres.tools.clients import Clients, for_an_archive
from hackorda_ops.processes import child
from hackorda_ops.redaction.tool_lines import without_rows

_IDENTIFIER = r'(?:"((?:[^"]|"")+)"|([^".\']+))'
_SETVAL = re.compile(
    rf"^SELECT pg_catalog\.setval\('{_IDENTIFIER}\.{_IDENTIFIER}', (-?\d{{1,19}}), (true|false)\);$",
    re.MULTILINE,
)
_LATIN = re.compile(rb"^SET client_encoding = 'LATIN1';$", re.MULTILINE)
_DEADLINE_SECONDS = 600


def archived_sequences(
    clients: Clients, folder: Path, entries: Iterable[ArchiveEntry]
) -> tuple[Sequence, ...]:
    """Reads every SEQUENCE SET of an archive, by name.

    Args:
        clients: of the version that wrote it.
        folder: the archive.
        entries: its table of contents.

    Raises:
        ArtifactDamaged: pg_restore can't read the archive, or prints something unexpected.
        LocalTrouble: this machine kept it from reading.
    """
    numbers = [entry.dump_id for entry in entries if entry.type == "SEQUENCE SET"]
    if not numbers:
        return ()
    with private_folder() as private:
        wanted = private / "sequences.list"
        wanted.write_text("".join(f"{number}; 0 0 SEQUENCE SET\n" for number in numbers))
        finished = child.run(
            [clients.pg_restore, "--file=-", f"--use-list={wanted}", folder],
            environment=for_an_archive(),
            capture_stdout=True,
            deadline_seconds=_DEADLINE_SECONDS,
        )
    if finished.returncode != 0 and (
        trouble := local_trouble.of_child("pg_restore", finished.returncode, finished.stderr_tail)
    ):
        raise trouble
    # An archive of a database without an encoding contains plain bytes, which sessions read as Latin-1.
    encoding = "latin-1" if _LATIN.search(finished.stdout) else "utf-8"
    found = parse_setvals(finished.stdout.decode(encoding, "replace"))
    if finished.returncode != 0 or len(found) != len(numbers):
        raise unusable(
            f"pg_restore printed {len(found)} of the {len(numbers)} sequence values in {folder}.\n"
            f"{without_rows(finished.stderr_tail)}",
            meaning="Where the sequences would be after a restore is unknown.",
        )
    return found


def parse_setvals(script: str) -> tuple[Sequence, ...]:
    """The setval calls in a script of pg_restore, by name."""
    return tuple(
        sorted(
            (
                Sequence(TableName(_name(*match[:2]), _name(*match[2:4])), int(match[4]), match[5] == "true")
                for match in _SETVAL.findall(script)
            ),
            key=lambda sequence: sequence.name,
        )
    )


def _name(quoted: str, plain: str) -> str:
    # Inside a string literal a single quote is doubled, inside a quoted identifier a double one.
    return (quoted.replace('""', '"') if quoted else plain).replace("''", "'")
