"""What a drill can tell of the team's migrations: by the tools' tables, and by the files beside the command. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from hackorda_ops.findings import Finding
from hackorda_ops.migration_tools.registry import TOOLS
from hackorda_ops.migration_tools.tool import MigrationFolder
from hackorda_ops.migrations.files import folder_of
from hackorda_ops.postgres.catalogs.migration_state import ToolState
from hackorda_ops.words import named


def in_force(state: ToolState, folders: Sequence[MigrationFolder]) -> tuple[str, ...] | None:
    """What identifies each migration that is in force; None where the table has only the newest, and no folder more."""
    if not TOOLS[state.tool].newest_only or not (state.applied or state.half_applied):
        return state.applied
    folder = folder_of(state, folders)
    if folder is None:
        return None
    there = folder.in_force(state)
    return tuple(file.identity for file in folder.files if file in there)


def applied(
    before: Sequence[ToolState], after: Sequence[ToolState], folders: Sequence[MigrationFolder]
) -> int | None:
    """How many migrations were applied; None if no known tool keeps its state there, or they can't be counted.

    Args:
        before: what the tools' tables said before the command ran.
        after: what they say now.
        folders: the team's migrations.
    """
    counts = [
        [None if (there := in_force(state, folders)) is None else len(there) for state in states]
        for states in (before, after)
    ]
    if not (before or after) or any(None in each for each in counts):
        return None
    was, now = (sum(number for number in each if number is not None) for each in counts)
    return now - was


def pending(states: Iterable[ToolState], folders: Sequence[MigrationFolder]) -> tuple[str, ...] | None:
    """Names of the migrations that are not in force, the next one first; None where that can't be told."""
    pairs = [(state, folder_of(state, folders)) for state in states]
    names = tuple(name for state, folder in pairs if folder for name in folder.pending(state))
    unclear = any(folder and any(_unclear(state, folder, folders)) for state, folder in pairs)
    if all(folder is None for _, folder in pairs) or (unclear and not names):
        return None
    return names


def not_measured(states: Iterable[ToolState], folders: Sequence[MigrationFolder]) -> Iterator[str]:
    """Why it can't be told what is pending by these tables, a clause for each."""
    for state in states:
        folder = folder_of(state, folders)
        if folder is not None:
            yield from _unclear(state, folder, folders)
        elif not any(each.tool == state.tool for each in folders):
            yield f"no migrations of {state.tool} were found in the folder of the command"
        else:
            yield f"no folder of {state.tool}'s migrations could be matched to {state.table}"


def _unclear(state: ToolState, folder: MigrationFolder, folders: Sequence[MigrationFolder]) -> Iterator[str]:
    yield from folder.unclear(state)
    # Migrations of one table may lie in several folders. What is pending in the others is unknown: another
    # application's may be among them.
    there = folder.applied(state)
    for other in folders:
        if other.tool == state.tool and other is not folder:
            theirs = other.applied(state)
            if any(file is None and also is not None for file, also in zip(there, theirs, strict=True)):
                yield f"{other.path} has others of {state.table}, and what is pending there can't be told"


def position_words(states: Sequence[ToolState], folders: Sequence[MigrationFolder]) -> str | None:
    """How far a database has been migrated ("drizzle: 5, newest 0004_x"); None where no tool's table was found."""
    return "; ".join(_words(state, folders) for state in states) or None


def _words(state: ToolState, folders: Sequence[MigrationFolder]) -> str:
    folder, there = folder_of(state, folders), in_force(state, folders)
    file = folder.applied(state)[-1] if folder and state.applied else None
    newest = f"newest {(file and file.name) or state.latest or 'none'}"
    return f"{state.tool}: {newest}" if there is None else f"{state.tool}: {len(there)}, {newest}"


def undone_findings(
    before: Iterable[ToolState], after: Iterable[ToolState], folders: Sequence[MigrationFolder] = ()
) -> Iterator[Finding]:
    """A finding for each tool that has fewer migrations in force than before.

    Args:
        before: what the tools' tables said before the command ran.
        after: what they say now.
        folders: the team's migrations, for the tools whose table has only the newest.
    """
    tables = {(state.tool, state.table): state for state in after}
    for state in before:
        now = tables.get((state.tool, state.table))
        was, left = in_force(state, folders), None if now is None else in_force(now, folders)
        if now is not None and now.applied and (was is None or left is None):
            continue
        was = state.applied if was is None else was
        gone = [name for name in was if left is None or name not in left]
        if gone:
            yield Finding(
                "migration undone",
                str(state.table),
                f"all {len(was)} that were in force before",
                f"{len(gone)} of them no longer are: {named(gone)}",
                "Find out what the command does: a drill must only migrate forwards, never reset a database.",
            )


def skipped_findings(states: Iterable[ToolState], folders: Sequence[MigrationFolder]) -> Iterator[Finding]:
    """A finding for each tool that will never apply some of its migrations."""
    for state in states:
        folder = folder_of(state, folders)
        if folder is not None and (names := folder.skipped(state)):
            yield Finding(
                "migration skipped",
                str(state.table),
                "every migration of the folder applied, or newer than the newest applied one",
                f"skipped: {named(names)}",
                f"Check whether the schema has their changes. {TOOLS[state.tool].skips}".rstrip(),
            )


def marked_findings(states: Iterable[ToolState]) -> Iterator[Finding]:
    """What the tools' own tables say that isn't right, whatever the command's exit code was: rolled back, locked."""
    for state in states:
        if state.rolled_back:
            yield Finding(
                "migration rolled back",
                str(state.table),
                "every migration that was ever applied is in force",
                f"rolled back, and not applied again: {named(state.rolled_back)}",
                "Check whether the application expects their changes; if it doesn't, remove the migrations.",
            )
        if state.locked_by:
            yield Finding(
                "migration lock held",
                str(state.table),
                "nobody holds the tool's lock once the command is over",
                f"held by {state.locked_by}",
                "If production has it too and no migration is running there, release it (with Liquibase: "
                "liquibase release-locks): the tool waits for it, and then gives up.",
            )
