"""The commands around planned work on a database: maintenance run, begin, status, close."""

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath, DatabaseName, choose_database
from hackorda_ops.cli.printing import print_json
from hackorda_ops.maintenance import run as running
from hackorda_ops.maintenance import window as windows
from hackorda_ops.maintenance.run import Closed
from hackorda_ops.words import counted

app = typer.Typer(
    help="Planned work on a database: a dump before, schedules and overdue alarms held, a dump and a comparison "
    "afterwards.\n\nThe window is in the nightly store, where Dagster looks as well, and ends by itself.",
    no_args_is_help=True,
)
Hours = Annotated[
    float, typer.Option("--hours", help="The window ends by itself after so many hours, 24 at most.")
]
Reason = Annotated[str, typer.Option("--reason", help="What for, in a few words.")]
NewSource = Annotated[
    bool,
    typer.Option(
        "--new-source", help="The work upgrades or replaces the server: expect another one afterwards."
    ),
]
NoDump = Annotated[bool, typer.Option("--no-dump", help="Take no dump; nothing is compared then.")]


@app.command(context_settings={"ignore_unknown_options": True})
def run(
    database: Annotated[
        str, typer.Argument(metavar="DATABASE", help="The database's name in databases.yaml.")
    ],
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND…", help="What is to be done, after two dashes.")
    ],
    hours: Hours = 2,
    reason: Reason = "",
    new_source: NewSource = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Dump, hold the schedules, run a command while watching the database, dump again, compare, close.

    Exit code 1: the command failed, rows or tables are gone, or the last dump isn't sound. Example:

    hackorda-ops maintenance run shop --hours 1 -- npm run migrate
    """
    protected = choose_database(config, database)
    with terminal.progress_shown() as on_progress:
        closed = running.run_in_window(
            protected,
            command,
            hours=hours,
            reason=reason,
            new_source=new_source,
            environ=dict(os.environ),
            on_progress=on_progress,
            say=_say,
        )
    _conclude(closed, as_json=as_json)


@app.command()
def begin(
    database: DatabaseName = None,
    hours: Hours = 2,
    reason: Reason = "",
    no_dump: NoDump = False,
    config: ConfigPath = None,
) -> None:
    """Open a window for work by hand: schedules and overdue alarms are held, and a dump is taken."""
    protected = choose_database(config, database)
    with terminal.progress_shown() as on_progress:
        window = running.open_window(
            protected, hours=hours, reason=reason, dump=not no_dump, on_progress=on_progress
        )
    _say(f"{windows.words(window)} The dump before it: {window.before_id or 'none'}.")
    _say(f"Afterwards: hackorda-ops maintenance close {protected.name}")


@app.command()
def status(database: DatabaseName = None, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Show whether a window is open, and until when."""
    protected = choose_database(config, database)
    window = windows.read(protected.store, protected.name)
    is_open = window is not None and window.is_open(datetime.now(UTC))
    if as_json:
        print_json(
            {"database": protected.name, "open": is_open, "window": asdict(window) if window else None}
        )
    elif window is None or not is_open:
        terminal.out.print(f"No maintenance window of {protected.name} is open.", markup=False)
    else:
        terminal.out.print(windows.words(window), markup=False, soft_wrap=True)


@app.command()
def close(
    database: DatabaseName = None,
    no_dump: NoDump = False,
    new_source: NewSource = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Take a dump, show what differs from the one before, and let schedules and alarms go on.

    What was due meanwhile is caught up on. Exit code 1: rows or tables are gone, or the dump isn't sound.
    """
    protected = choose_database(config, database)
    with terminal.progress_shown() as on_progress:
        closed = running.close_window(
            protected, dump=not no_dump, new_source=new_source, on_progress=on_progress
        )
    _conclude(closed, as_json=as_json)


def _conclude(closed: Closed, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(closed) | {"well": closed.well})
        raise typer.Exit(0 if closed.well else 1)
    if closed.changes:
        terminal.table(
            f"{closed.window.database}, before and after",
            ("what", "before", "after", ""),
            [(each.subject, each.before, each.after, "lost" if each.lost else "") for each in closed.changes],
        )
    terminal.findings(closed.findings)
    if closed.command is not None and closed.command.returncode != 0:
        _say(f"  The command ended with return code {closed.command.returncode}.")
    sentence = (
        f"{counted(len(closed.changes), 'difference')} between {closed.window.before_id} and {closed.after_id}"
        if closed.changes is not None
        else "nothing was compared"
    )
    terminal.verdict("PASS" if closed.well else "FAIL", f"The window is closed; {sentence}.")
    raise typer.Exit(0 if closed.well else 1)


def _say(line: str) -> None:
    terminal.err.print(line, markup=False, soft_wrap=True)
