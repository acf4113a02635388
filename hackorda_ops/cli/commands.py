"""The commands there are, each loaded only when it's used: what one of them needs takes a second to load."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


@dataclass(frozen=True)
class ListedCommand:
    """A command, as `hackorda-ops --help` lists it.

    Attributes:
        name: what is typed.
        module: below hackorda_ops.cli; it has a function of that name, with underscores, or, for a group, `app`.
        help: the first sentence of its documentation.
    """

    name: str
    module: str
    help: str


# In the order in which --help lists them. A test holds each sentence against the command's own documentation.
LISTED = (
    ListedCommand(
        "init",
        "init",
        "Write a first configuration from a look at the database, and check everything it names.",
    ),
    ListedCommand(
        "config",
        "configuration",
        "Check databases.yaml, show what applies and where it comes from, list every key.",
    ),
    ListedCommand(
        "preflight",
        "preflight",
        "Find all that would stop the next night or drill: rights, clients, endpoints, disks, scratch, buckets.",
    ),
    ListedCommand(
        "doctor",
        "doctor",
        "Hold everything that the policy needs against the real thing, as a checklist with a remedy for each.",
    ),
    ListedCommand("dump", "artifacts", "Take a dump now, prove it, and put it into the store."),
    ListedCommand(
        "copy",
        "artifacts",
        "Copy an artifact from the store to the off-site bucket, and prove the copy by reading it back.",
    ),
    ListedCommand(
        "backups",
        "artifacts",
        "List the artifacts in the store and off-site, newest first; last, those that are dated in the future.",
    ),
    ListedCommand(
        "verify",
        "artifacts",
        "Read a whole artifact and check every file, row and digest against its manifest: PASS or FAIL.",
    ),
    ListedCommand(
        "show",
        "inspection",
        "Show what is in an artifact, where it lies, and what has been proven of it: its night, drills, restores.",
    ),
    ListedCommand(
        "diff",
        "inspection",
        "Compare two artifacts, or an artifact and the live database: rows, digests and definitions of every table.",
    ),
    ListedCommand(
        "download",
        "inspection",
        "Fetch an artifact's files into a folder, for yourself alone, and check each one's SHA-256; can be continued.",
    ),
    ListedCommand(
        "rewrap",
        "encryption",
        "Let other recipients open artifacts that exist: wrap each one's key for those of encrypt_to, and no more.",
    ),
    ListedCommand(
        "look",
        "look",
        "Look at the live database, read-only: its rows, sizes, connections, who waits, slow queries.",
    ),
    ListedCommand(
        "restore",
        "recovery",
        "Restore an artifact into an empty database, and compare every row with its manifest.",
    ),
    ListedCommand(
        "drill",
        "recovery",
        "Restore the newest off-site copy on scratch, compare every row, migrate it, report, take it down.",
    ),
    ListedCommand(
        "prove",
        "proving",
        "Restore an artifact on this machine or on scratch, compare every row, take it down, remember the verdict.",
    ),
    ListedCommand(
        "history",
        "history",
        "The history of a source, which copies of it are made of: checked, and for a server of your own kept here.",
    ),
    ListedCommand(
        "exercise",
        "exercise",
        "Destroy tables on a Neon branch, recover them to a point in time, compare every row, report, take down.",
    ),
    ListedCommand(
        "recover",
        "point_in_time",
        "Recover a database to a point in time, from the provider's history (Neon).",
    ),
    ListedCommand(
        "prune",
        "retention",
        "Show which artifacts are kept and why, and which are deleted; delete them only with --delete.",
    ),
    ListedCommand(
        "pin",
        "pins",
        "Keep an artifact until a date, whatever retention's plan says; in a bucket that locks files, by a legal hold.",
    ),
    ListedCommand(
        "unpin", "pins", "Keep an artifact no longer than retention's plan says, and lift its legal hold."
    ),
    ListedCommand(
        "undelete",
        "hidden",
        "Bring back artifacts that delete markers hide, or that were overwritten, in a bucket that keeps versions.",
    ),
    ListedCommand(
        "blast-radius",
        "blast_radius",
        "Say what whoever owns this machine could destroy with its credentials, in days of data per copy.",
    ),
    ListedCommand(
        "sweep",
        "recovery",
        "Remove the branches or scratch databases that killed runs left behind, and nothing else.",
    ),
    ListedCommand(
        "status",
        "status",
        "Show how ready each database is for the day it's lost: by its schedule, its objectives, its last proof.",
    ),
    ListedCommand(
        "receipts",
        "receipts",
        "The receipts of every verdict: check them, make the key that signs them, change it.",
    ),
    ListedCommand(
        "evidence",
        "evidence",
        "Write an auditor's page of a period: every night, copy and drill by its receipt, gaps and failures with the "
        "rest.",
    ),
    ListedCommand(
        "demo",
        "recovery",
        "Run a night, a week and a quarter on an embedded stack, through Dagster, and show what was proven.",
    ),
    ListedCommand("alerts", "alerts", "The channels that alarms go to."),
    ListedCommand(
        "cutover",
        "cutover",
        "Move a database to another server for good, rehearsed first, with a way back until the last steps.",
    ),
    ListedCommand(
        "maintenance",
        "maintenance",
        "Planned work on a database: a dump before, schedules and overdue alarms held, a dump and a comparison "
        "afterwards.",
    ),
)


class Commands(TyperGroup):
    """`hackorda-ops` itself: it lists every command without loading any, and loads the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {each.name: TyperCommand(each.name, help=each.help) for each in LISTED}
        self._listing = False

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """See `TyperGroup.get_command`: the command itself, or what is listed of it while --help is written."""
        listed = {each.name: each for each in LISTED}.get(cmd_name)
        if listed is None:
            return None
        return super().get_command(ctx, cmd_name) if self._listing else loaded(listed)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """See `TyperGroup.format_help`."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False


def loaded(listed: ListedCommand) -> Any:
    """The command itself, its module imported."""
    module = import_module(f"hackorda_ops.cli.{listed.module}")
    function = getattr(module, listed.name.replace("-", "_"), None)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    if function is None:
        app = module.app
    else:
        app.command(listed.name)(function)
    command = get_command(app)
    command.name = listed.name
    return command
