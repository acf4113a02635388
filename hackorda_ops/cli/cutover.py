"""The commands that move a database to another server: cutover rehearse, run, status."""

import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath, DatabaseName, choose_database
from hackorda_ops.cli.printing import print_json
from hackorda_ops.cutover import rehearse as rehearsing
from hackorda_ops.cutover import run as running
from hackorda_ops.cutover import state as states
from hackorda_ops.cutover.state import CutoverState
from hackorda_ops.cutover.steps import NAMES, STEPS, CutoverStep, StepName
from hackorda_ops.errors import UsageError
from hackorda_ops.words import NOTHING, counted, duration

app = typer.Typer(
    help="Move a database to another server for good, rehearsed first, with a way back until the last steps.\n\n"
    "databases.yaml says where (databases.NAME.cutover); docs/cutover.md has an example.",
    no_args_is_help=True,
)


@app.command()
def rehearse(database: DatabaseName = None, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Dump, restore on the new server, compare, migrate: timed, every problem with its remedy, nothing kept.

    The application runs on, no hook is run, and the new database itself is not touched: a database beside it is made
    and dropped. Exit code 1: a cutover would not get through.
    """
    protected = choose_database(config, database)
    with terminal.progress_shown() as on_progress:
        done = rehearsing.rehearse(protected, on_progress=on_progress, say=_say)
    if as_json:
        print_json(
            {
                "database": protected.name,
                "rows": done.rows,
                "seconds": done.seconds,
                "downtime_seconds": done.downtime_seconds,
                "problems": [asdict(each) | {"kind": each.kind.__name__} for each in done.problems],
                "notes": done.notes,
            }
        )
    else:
        terminal.table(
            f"{protected.name}, cutover rehearsed",
            ("part", "what it saw"),
            [(p.part, p.seen) for p in done.parts],
        )
        terminal.table(
            "Timings",
            ("stage", "took#"),
            [
                *((stage, duration(seconds)) for stage, seconds in done.seconds.items()),
                ("estimated downtime, without the hooks", duration(done.downtime_seconds)),
            ],
        )
        for part in done.parts:
            for concern in part.concerns:
                if concern not in done.problems:
                    _say(f"  note: {concern.what} {concern.meaning} {concern.next_step}")
        for note in done.notes:
            _say(f"  note: {note}")
        for problem in done.problems:
            _say(
                f"  problem: {problem.what}\n    What it means: {problem.meaning}\n    Next step: {problem.next_step}"
            )
        terminal.verdict(
            "FAIL" if done.problems else "PASS",
            f"{counted(len(done.problems), 'problem')} would stop a cutover"
            if done.problems
            else f"{counted(done.rows, 'row')} moved and compared; nothing of it is left",
        )
    raise typer.Exit(1 if done.problems else 0)


@app.command()
def run(
    database: DatabaseName = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Don't ask before what can't be undone. Needs a repoint hook.")
    ] = False,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart",
            help="Begin a new cutover, and empty the new database of what the last one restored. Refused once the "
            "application has been pointed at it.",
        ),
    ] = False,
    until: Annotated[
        str | None, typer.Option(metavar="STEP", help=f"Stop after this step: {', '.join(NAMES)}.")
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Move the database, step by step, and stop, asking, before what can't be undone.

    Steps: preflight, announce, quiesce, still (nobody writes any more), dump, restore (every row compared), migrate,
    equal (nothing was written since), sheets (variables to set, rollback sheet), repoint, smoke, resume. Run it again
    after an interruption or a failure: it goes on where it stopped.
    """
    protected = choose_database(config, database)
    if until is not None and until not in NAMES:
        raise UsageError(
            f"There's no step {until!r}.",
            meaning="Nothing was done.",
            next_step=f"Name one of: {', '.join(NAMES)}.",
        )
    last: StepName | None = next((name for name in NAMES if name == until), None)
    plan = protected.policy.cutover
    if yes and last is None and plan is not None and plan.hooks.repoint is None:
        raise UsageError(
            "--yes needs a repoint hook (cutover.hooks.repoint).",
            meaning="Nothing was done: nobody would set the variables and start the application.",
            next_step="Configure the hook, or run it without --yes: it stops there and asks.",
        )
    with terminal.progress_shown() as on_progress:
        state = running.run_cutover(
            protected,
            confirm=(lambda _step, _state: True) if yes else _asked(protected.policy.cutover is not None),
            on_progress=on_progress,
            say=_say,
            restart=restart,
            until=last,
        )
    if as_json:
        print_json(_as_json(state))
    else:
        _show(state)


@app.command()
def status(database: DatabaseName = None, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Show how far a cutover has got, and what comes next."""
    protected = choose_database(config, database)
    state = states.load(protected)
    if as_json:
        print_json(_as_json(state) if state else {"database": protected.name, "cutover": None})
    elif state is None:
        terminal.out.print(f"No cutover of {protected.name} has begun.", markup=False)
    else:
        _show(state)


def _show(state: CutoverState) -> None:
    done = {each.name: each for each in state.done}
    terminal.table(
        f"{state.database}, cutover {state.cutover_id}: {state.source} to {state.target}",
        ("step", "outcome", "took#", "what it saw"),
        [
            (
                step.name,
                "done" if step.name in done else "interrupted" if state.began == step.name else "to do",
                duration(done[step.name].seconds) if step.name in done else NOTHING,
                done[step.name].said if step.name in done else step.does,
            )
            for step in STEPS
        ],
    )


def _as_json(state: CutoverState) -> dict[str, Any]:
    return {**asdict(state), "next_step": state.next_step}


def _asked(attended: bool) -> running.Confirm:
    confirmed: list[bool] = []

    def ask(step: CutoverStep, state: CutoverState) -> bool:
        if confirmed:
            return True
        if not (attended and sys.stdin.isatty()):
            return False
        terminal.err.print(
            f"\nNext is {step.name}: {step.does}\n{step.undo}\n"
            "Without a repoint hook: set the variables above and start the application, then answer.",
            markup=False,
        )
        if typer.confirm(f"Go on to {state.target}?", err=True):
            confirmed.append(True)
            return True
        return False

    return ask


def _say(line: str) -> None:
    terminal.err.print(line, markup=False, soft_wrap=True)
