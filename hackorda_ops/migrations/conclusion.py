"""What a run of the migration command proves, and what it doesn't: what isn't known hasn't passed. Pure."""

import re
from typing import Final

from hackorda_ops.migrations.result import MigrationResult
from hackorda_ops.words import counted, duration, named

# As Postgres says it, and as drivers name its SQLSTATE; not a shell's "Permission denied".
_OF_RIGHTS: Final = re.compile(
    r"permission denied (?:for|to) |must be (?:superuser|owner of |(?:a )?member of |able to SET ROLE)|Only roles with "
    r"|\b42501\b|[Ii]nsufficient_?[Pp]rivilege"
)


def lacked_rights(result: MigrationResult) -> bool:
    """Whether a command failed because the role on the scratch may not do what it asked for."""
    return result.returncode != 0 and _OF_RIGHTS.search(result.output_tail) is not None


def unmeasured(result: MigrationResult) -> str | None:
    """Why a command that reported success proves nothing; None where it does prove something.

    A command may end with 0 because it had nothing to do, or because it migrated something else. Its tool's table
    tells the two apart; without it, only a change of the schema shows that it reached this database.
    """
    if _moved(result) or _nothing_was_pending(result):
        return None
    because = f" ({named(result.not_measured, shown=3, between='; ')})" if result.not_measured else ""
    table = "its tool's table" if result.after else "a table of a known migration tool"
    return (
        f"{result.command} ended with return code 0, but changed neither {table} nor the schema, and whether anything "
        f"was pending isn't known{because}"
    )


def success_words(result: MigrationResult) -> str:
    """What a command that passed has proven, in a sentence."""
    took = duration(result.seconds)
    if result.after is None:
        return (
            f"{result.command} changed the schema in {took}. No table of a known migration tool was found, so it was "
            "judged by the schema alone."
        )
    if result.before == result.after and result.schema_changed and result.pending_before != ():
        return (
            f"{result.command} changed the schema in {took}, but not its tool's table ({result.after}), so it was "
            "judged by the schema alone."
        )
    if not _moved(result):
        return f"{result.command} had nothing to apply, in {took}; the database is at {result.after}."
    applied = (
        "an unknown number of migrations" if result.applied is None else counted(result.applied, "migration")
    )
    return f"{result.command} applied {applied} in {took}; now {result.after}."


def failure_words(result: MigrationResult) -> str:
    """What a command that failed has left, in a clause; names the first pending migration where that is known."""
    pending = result.pending_after or ()
    first = f"; the first pending migration is {pending[0]}" if pending else ""
    return f"{result.command} ended with return code {result.returncode}, and the database is not migrated{first}"


def _moved(result: MigrationResult) -> bool:
    """Whether the command left a trace; in results of before that was compared, only the table can show it."""
    return bool(result.schema_changed) or result.before != result.after or bool(result.applied)


def _nothing_was_pending(result: MigrationResult) -> bool:
    return result.pending_before == () and not result.not_measured
