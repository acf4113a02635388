"""Finds the cause of a failed restore if pg_restore's messages don't show it: retries the entry alone.

pg_restore prints no SQLSTATE, and a server's messages are in its own language. psql prints only the SQLSTATE
when told to, and everything that it does here is rolled back.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hackorda_ops.errors import OpsError, PermanentError, RetryableError, RightsMissing, ToolFailed
from hackorda_ops.own_folders import private_folder
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, environment, redact, secret_files
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS
from hackorda_ops.postgres.sessions.sqlstates import is_of_the_dump, is_passing
from hackorda_ops.postgres.tools.clients import Clients, for_an_archive
from hackorda_ops.postgres.tools.tool_errors import entry_of, object_of, refused
from hackorda_ops.processes import child
from hackorda_ops.redaction.server_words import NOT_SHOWN, is_raised

_DEADLINE_SECONDS: Final = 600.0
_SQLSTATE: Final = re.compile(r"\b([0-9A-Z]{5})\s*$", re.MULTILINE)


def cause_of(
    failure: ToolFailed,
    complaints: Sequence[str],
    target: ConnectionTarget,
    *,
    clients: Clients,
    archive: Path,
) -> OpsError:
    """The error that a restore's failure means, if pg_restore's messages say too little.

    Args:
        failure: the error made from them.
        complaints: these messages.
        target: the database that was restored into, in its state after the failure.
        clients: of its major version.
        archive: the dump.

    Returns:
        `RestoreRefused` if the dump is at fault; `failure` itself if that can't be determined.
    """
    number = entry_of(complaints)
    state = None if number is None else sqlstate_alone(number, target, clients=clients, archive=archive)
    if state is None:
        return failure
    where = f"pg_restore failed restoring into {target.describe()}{object_of(complaints)}"
    if state == "":
        return RetryableError(
            f"{where}: it did not fail again when it was retried alone.",
            meaning="The server had a temporary problem; the backup is not at fault.",
            next_step="Check the server's log, then try again.",
        )
    what = f"{where}: {NOT_SHOWN}" if is_raised(state) else failure.what.partition("\n")[0]
    what = f"{what.rstrip('.')} (SQLSTATE {state})."
    if state == "42501":
        return RightsMissing(
            what,
            meaning=f"The role {target.user} lacks the right to create what is in the dump.",
            next_step="Grant the role the right (the server's log names it), or restore as an administrator.",
        )
    if is_of_the_dump(state):
        return refused(what)
    kind = RetryableError if is_passing(state) else PermanentError
    return kind(
        what,
        meaning="The server could not do it; the backup is not at fault.",
        next_step="Check the server's log, which has its message, and its limits and settings.",
    )


def sqlstate_alone(number: int, target: ConnectionTarget, *, clients: Clients, archive: Path) -> str | None:
    """The SQLSTATE that an entry ends with, "" if it succeeds, None if it could not be tried.

    Nothing of it remains: it is rolled back.

    Args:
        number: the entry's number in the archive's table of contents.
        target: the database to try it on.
        clients: the client tools of its major version.
        archive: the dump's folder.
    """
    with private_folder() as private:
        chosen, script = private / "entry.list", private / "entry.sql"
        chosen.write_text(f"{number}; 0 0 ENTRY\n")
        script.touch(0o600)
        written = child.run(
            [
                clients.pg_restore,
                "--no-owner",
                "--no-privileges",
                "--no-subscriptions",
                "--no-tablespaces",
                f"--use-list={chosen}",
                f"--file={script}",
                archive,
            ],
            environment=for_an_archive(),
            deadline_seconds=_DEADLINE_SECONDS,
        )
        if written.returncode != 0:
            return None
        said: list[str] = []
        finished = child.run(
            [
                clients.psql,
                "--no-psqlrc",
                "--quiet",
                "--output=/dev/null",
                "--set=ON_ERROR_STOP=1",
                "--set=VERBOSITY=sqlstate",
                "--no-password",
                "--command=BEGIN",
                f"--file={script}",
                "--command=ROLLBACK",
            ],
            environment=environment(target, settings=RESTORE_SETTINGS, base=os.environ),
            secret_files=secret_files(target),
            on_stderr_line=said.append,
            redact=lambda text: redact(text, target),
            deadline_seconds=_DEADLINE_SECONDS,
        )
    if finished.returncode == 0:
        return ""
    found = _SQLSTATE.search("\n".join(said))
    return None if found is None else found[1]
