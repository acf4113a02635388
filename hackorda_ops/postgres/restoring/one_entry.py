"""The statements of one entry of an archive, as pg_restore writes them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from hackorda_ops.own_folders import private_folder
from hackorda_ops.postgres.archives.contents import ArchiveEntry, write_list
from hackorda_ops.postgres.definitions.archive_text import HEADER
from hackorda_ops.postgres.tools.clients import Clients, for_an_archive
from hackorda_ops.processes import child

_DEADLINE_SECONDS: Final = 600.0
_AROUND: Final = re.compile(
    r"^(?:SET default_(?:tablespace|table_access_method) = .*;|--.*|\\.*)?\n", re.MULTILINE
)


@dataclass(frozen=True)
class WrittenEntry:
    """An entry as pg_restore writes it.

    Attributes:
        kind: "TABLE", "EVENT TRIGGER", ...
        schema: "-" where it is in none.
        name: as the heading has it.
        statements: its SQL, without what stands around it.
    """

    kind: str
    schema: str
    name: str
    statements: str


def written(
    entry: ArchiveEntry,
    clients: Clients,
    archive: Path,
    *,
    undecodable: Literal["replace", "backslashreplace"],
) -> WrittenEntry | None:
    """What pg_restore writes of an entry alone; None where it writes no statement, as for data.

    Args:
        entry: of the archive.
        clients: of its major version.
        archive: the dump.
        undecodable: what stands for bytes that aren't UTF-8.

    Raises:
        OpsError: pg_restore could not be run.
    """
    with private_folder() as private:
        chosen = private / "entry.list"
        write_list([entry], chosen)
        ran = child.run(
            [
                clients.pg_restore,
                "--schema-only",
                "--no-owner",
                "--no-privileges",
                f"--use-list={chosen}",
                "--file=-",
                archive,
            ],
            environment=for_an_archive(),
            capture_stdout=True,
            deadline_seconds=_DEADLINE_SECONDS,
        )
    script = ran.stdout.decode("utf-8", undecodable)
    header = HEADER.search(script)
    if ran.returncode != 0 or header is None:
        return None
    return WrittenEntry(
        header["type"], header["schema"], header["name"], _AROUND.sub("", script[header.end() :]).strip()
    )
