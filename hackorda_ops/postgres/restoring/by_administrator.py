"""What only a superuser can create: event triggers, and publications of all tables or of whole schemas.

The role that restores is none, so an administrator creates them once everything else is there. It runs nothing but
statements that match, to the last character, what pg_dump writes for such an object: names and literals, no
expression. Event triggers come to be switched off, so that none of them ever fires for an administrator's session.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from hackorda_ops.errors import RightsMissing
from hackorda_ops.postgres.archives.contents import ArchiveEntry
from hackorda_ops.postgres.restoring.one_entry import written
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS
from hackorda_ops.postgres.tools.clients import Clients

_TYPES: Final = frozenset({"EVENT TRIGGER", "PUBLICATION", "PUBLICATION TABLES IN SCHEMA"})
_COMMENTS: Final = ("- EVENT TRIGGER ", "- PUBLICATION ")

_NAME: Final = r'(?:[a-z_][a-z0-9_$]*|"(?:[^"\0]|"")+")'
_LITERAL: Final = r"'(?:[^'\\\0]|'')*'"
_EVENT_TRIGGER: Final = re.compile(
    rf"CREATE EVENT TRIGGER (?P<name>{_NAME}) ON [a-z_]+\s+"
    rf"(?:WHEN TAG IN \({_LITERAL}(?:, ?{_LITERAL})*\)\s+)?EXECUTE FUNCTION {_NAME}\.{_NAME}\(\);\s*"
    rf"(?:ALTER EVENT TRIGGER (?P=name) (?:DISABLE|ENABLE REPLICA|ENABLE ALWAYS|ENABLE);\s*)?"
)
_OPTION: Final = rf"[a-z_]+ = (?:{_LITERAL}|[a-z]+)"
_PUBLICATION: Final = re.compile(
    rf"CREATE PUBLICATION (?P<name>{_NAME}) FOR ALL TABLES(?: WITH \({_OPTION}(?:, {_OPTION})*\))?;\s*"
)
_OF_SCHEMA: Final = re.compile(rf"ALTER PUBLICATION {_NAME} ADD TABLES IN SCHEMA {_NAME};\s*")
_COMMENT: Final = re.compile(
    rf"COMMENT ON (?P<kind>EVENT TRIGGER|PUBLICATION) (?P<name>{_NAME}) IS {_LITERAL};\s*"
)
_WRITTEN: Final = {
    "EVENT TRIGGER": _EVENT_TRIGGER,
    "PUBLICATION": _PUBLICATION,
    "PUBLICATION TABLES IN SCHEMA": _OF_SCHEMA,
    "COMMENT": _COMMENT,
}


@dataclass(frozen=True)
class Reserved:
    """An entry that the role that restores can't create.

    Attributes:
        entry: of the archive.
        statement: what creates it, exactly as the archive has it.
        switched_off: the event trigger's name, as SQL; None for anything else.
    """

    entry: ArchiveEntry
    statement: str
    switched_off: str | None


def reserved(entries: Sequence[ArchiveEntry], *, clients: Clients, archive: Path) -> tuple[Reserved, ...]:
    """The entries that take a superuser, in the archive's order.

    Args:
        entries: of the archive, those that are restored.
        clients: of the archive's major version, or later.
        archive: the dump's folder.

    Raises:
        OpsError: pg_restore could not be run.
    """
    kinds = [entry for entry in entries if entry.type in _TYPES]
    about = [
        entry for entry in entries if entry.type == "COMMENT" and entry.description.startswith(_COMMENTS)
    ]
    found: list[Reserved] = []
    names: set[tuple[str, str]] = set()
    for entry in (*kinds, *(about if kinds else ())):
        alone = written(entry, clients, archive, undecodable="replace")
        said = None if alone is None else _WRITTEN[entry.type].fullmatch(alone.statements)
        if said is None:
            continue
        name = said.groupdict().get("name", "")
        if entry.type == "COMMENT" and (said["kind"], name) not in names:
            continue
        names.add((entry.type, name))
        found.append(Reserved(entry, said.string, name if entry.type == "EVENT TRIGGER" else None))
    return tuple(found)


def create(target: ConnectionTarget, wanted: Sequence[Reserved]) -> None:
    """Creates them in a restored database.

    Args:
        target: the database, as an administrator.
        wanted: in this order.

    Raises:
        RightsMissing: the administrator is no superuser.
        OpsError: the server refused, or could not be reached.
    """
    if not wanted:
        return
    with (
        translated_errors(target, "Creating what only a superuser can"),
        connect(
            target, application_name="hackorda_ops restore", settings=RESTORE_SETTINGS, autocommit=False
        ) as connection,
    ):
        for each in wanted:
            try:
                connection.execute(each.statement.encode())
                if each.switched_off is not None:
                    # In the same transaction, and triggers of events aren't told of event triggers.
                    connection.execute(f"ALTER EVENT TRIGGER {each.switched_off} DISABLE".encode())
            except psycopg.errors.InsufficientPrivilege:
                raise RightsMissing(
                    f"Only a superuser can restore {each.entry.type} {each.entry.description}, and {target.user} "
                    "is none.",
                    meaning="It was not restored, so the backup was not judged.",
                    next_step="Drill where the administrator is a superuser (scratch.server.superuser).",
                ) from None
        connection.commit()


def remarks(wanted: Sequence[Reserved]) -> Iterator[str]:
    """What has to be said of a restore with them."""
    if any(each.switched_off is not None for each in wanted):
        yield (
            "Event triggers were restored switched off, so that none of them runs during a drill: whether they are on "
            "in the dump was not compared."
        )
