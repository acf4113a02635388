"""What a restore that kept going could not restore, each with the statement that would have created it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import psycopg

from hackorda_ops.errors import OpsError, ToolFailed
from hackorda_ops.postgres.archives.contents import ArchiveEntry
from hackorda_ops.postgres.archives.toc import TocEntry, read_toc
from hackorda_ops.postgres.definitions.archive_text import named, without_secrets
from hackorda_ops.postgres.restoring.failures import cause_of, sqlstate_alone
from hackorda_ops.postgres.restoring.one_entry import written
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.sqlstates import is_of_the_dump
from hackorda_ops.postgres.tools.clients import Clients

_STATEMENT_CHARACTERS: Final = 2000
_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class NotRestored:
    """An entry of a dump that the server rejected.

    Attributes:
        name: "FK CONSTRAINT public.posts posts_author_fkey".
        statement: what would have created it: SQL without passwords, and never a row.
        reason: the server's, by its SQLSTATE, because its message may quote rows.
        breaks_rule: whether rows of the dump violate a rule that is also in the dump.
        follows: whether it needs another entry that the server also rejected.
    """

    name: str
    statement: str
    reason: str
    breaks_rule: bool
    follows: bool = False


@dataclass(frozen=True)
class Rest:
    """The remainder of a restore.

    Attributes:
        not_restored: what the dump itself keeps from being restored.
        complete: whether that is all; otherwise some entries failed temporarily, and work now.
    """

    not_restored: tuple[NotRestored, ...]
    complete: bool


def left_out(
    failed: Sequence[ArchiveEntry],
    failure: ToolFailed,
    target: ConnectionTarget,
    *,
    clients: Clients,
    archive: Path,
) -> Rest:
    """Retries what failed, entry by entry and rolled back, and finds out why each of them fails.

    Args:
        failed: the entries that failed, in the archive's order.
        failure: the error made from pg_restore's messages.
        target: the database, with everything else in it.
        clients: of its major version.
        archive: the dump.

    Raises:
        OpsError: the server is at fault, or the cause is unknown.
    """
    contents = {entry.dump_id: entry for entry in read_toc(archive) or ()}
    lacking: dict[int, NotRestored] = {}
    for entry in failed:
        state = sqlstate_alone(entry.dump_id, target, clients=clients, archive=archive)
        if state is not None and is_of_the_dump(state):
            known = contents.get(entry.dump_id)
            refused = _not_restored(entry, known, state, clients, archive)
            needs_refused = known is not None and not lacking.keys().isdisjoint(known.needs)
            lacking[entry.dump_id] = replace(refused, follows=needs_refused and not refused.breaks_rule)
        elif state != "":
            raise _of_the_server(entry, failure, target, clients, archive)
    return Rest(tuple(lacking.values()), complete=len(lacking) == len(failed))


def _of_the_server(
    entry: ArchiveEntry, failure: ToolFailed, target: ConnectionTarget, clients: Clients, archive: Path
) -> OpsError:
    said = [f"pg_restore: from TOC entry {entry.dump_id}; 0 0 {entry.type} {entry.description}"]
    return cause_of(failure, said, target, clients=clients, archive=archive)


def _not_restored(
    entry: ArchiveEntry, known: TocEntry | None, state: str, clients: Clients, archive: Path
) -> NotRestored:
    name, statement = _definition(entry, known, clients, archive)
    if len(statement) > _STATEMENT_CHARACTERS:
        statement = f"{statement[:_STATEMENT_CHARACTERS]}…"
    return NotRestored(name, statement, reason_of(state), state.startswith("23"))


def reason_of(sqlstate: str) -> str:
    """What an SQLSTATE says in words: "foreign key violation (SQLSTATE 23503)"."""
    try:
        known = psycopg.errors.lookup(sqlstate).__name__
    except KeyError:
        return f"SQLSTATE {sqlstate}"
    return f"{_WORDS.sub(' ', known).lower()} (SQLSTATE {sqlstate})"


def _definition(
    entry: ArchiveEntry, known: TocEntry | None, clients: Clients, archive: Path
) -> tuple[str, str]:
    """An entry's name, and its SQL; data has none that can be shown."""
    alone = written(entry, clients, archive, undecodable="backslashreplace")
    if alone is None:
        # pg_restore's list ends each line with the owner, which can't be distinguished from a name with a blank.
        name = f"{entry.type} {entry.description}" if known is None else str(known)
        return name, f"its data (number {entry.dump_id} of the dump)"
    return named(alone.kind, alone.schema, alone.name), without_secrets(alone.kind, alone.statements)
