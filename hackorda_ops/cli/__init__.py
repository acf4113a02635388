"""The operator's commands. They call the same functions as Dagster does.

Exit codes: 0 done or PASS, 1 FAIL, 2 usage or configuration error, 3 ERROR (could not judge or finish).
"""

import gc
import os
import signal
import sys
import traceback
from types import FrameType
from typing import Annotated, Final, NoReturn

import typer

from hackorda_ops import local_trouble
from hackorda_ops.cli import terminal
from hackorda_ops.cli.commands import Commands
from hackorda_ops.errors import OpsError
from hackorda_ops.unforeseen import described

# Allocations; Python's own is 700.
_COLLECT_AFTER: Final = 50_000

app = typer.Typer(
    cls=Commands,
    help="Keeps Postgres databases recoverable, and proves it.\n\n"
    "Exit codes: 0 done or PASS, 1 FAIL, 2 usage or configuration error, 3 ERROR.",
    epilog="Configuration: ./databases.yaml, or the file that $HACKORDA_OPS_CONFIG or --config names.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415  # loads a parser of e-mails

        terminal.out.print(version("hackorda-ops"))
        raise typer.Exit


@app.callback()
def _hackorda_ops(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version, and end."),
    ] = False,
) -> None: ...


def main() -> NoReturn:
    """The entry point: every error of ours ends in one clear message and its own exit code."""
    # What a command loads stays: looking for garbage in it again and again takes an eighth of its start.
    gc.set_threshold(_COLLECT_AFTER)
    # Exit codes 0 to 3 have meanings: an interruption must not look like FAIL. SystemExit lets
    # every `finally` run, so that child processes and unfinished work are cleaned up.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    try:
        app()
    except OpsError as error:
        terminal.problem(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(3)
    except Exception as error:  # noqa: BLE001  # Python's own exit code would be 1, which means FAIL here
        if trouble := local_trouble.of_exception(error):
            terminal.problem(trouble)
            sys.exit(trouble.exit_code)
        # Without its message and those of its causes: they may quote rows.
        for place in traceback.extract_tb(error.__traceback__):
            terminal.err.print(f"  {place.filename}:{place.lineno} in {place.name}", markup=False)
        terminal.err.print(described(error), markup=False)
        terminal.err.print(
            "This is a bug in hackorda_ops: nothing was judged. Please report the lines above."
        )
        sys.exit(3)
    sys.exit(0)


def _interrupted(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
