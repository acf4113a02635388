"""The yearly recovery exercise, by hand."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hackorda_ops.calendar import partitions
from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath, DatabaseName, choose_database
from hackorda_ops.cli.printing import heartbeat_of, print_json
from hackorda_ops.exercise import report as exercise_report


def exercise(
    database: DatabaseName = None,
    year: Annotated[
        str | None, typer.Option(metavar="YYYY", help="The year it counts for; the current one by default.")
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Destroy tables on a Neon branch, recover them to a point in time, compare every row, report, take down.

    The source is only read. PASS: everything came back, in time. FAIL (exit code 1): it did not.
    ERROR (3): the exercise couldn't judge. With exercise.run_hooks, the hooks of `recover` run on the recovered branch
    as well, and the recovery time ends with the success of verify. The report, YYYY-Qn-dr-test.md by the quarter it was
    run in, is written here (or into exercise.report_folder), to the store and off-site.
    """
    protected = choose_database(config, database)
    first_day = partitions.year_named(year) if year else None
    with heartbeat_of(protected, "year", first_day) as told, terminal.progress_shown() as on_progress:
        held = exercise_report.hold_exercise(protected, year=first_day, on_progress=on_progress)
        told.of_verdict(held.result.verdict)
    result = held.result
    notes = list(held.not_stored)
    if protected.policy.exercise.report_folder is None:
        notes += _written_here(Path(result.report_name), held.report)
    if as_json:
        print_json({"result": asdict(result), "places": held.places, "notes": notes})
    else:
        terminal.table(
            f"{protected.name}, recovery exercise {result.held_in}",
            ("check", "outcome", "what it saw"),
            [(check.name, check.outcome, check.summary) for check in result.checks],
        )
        for line in (*result.findings, *notes, *(f"report: {place}" for place in held.places)):
            terminal.out.print(f"  {line}", markup=False, soft_wrap=True)
        terminal.verdict(result.verdict, exercise_report.meaning(result))
    raise typer.Exit({"PASS": 0, "FAIL": 1, "ERROR": 3}[result.verdict])


def _written_here(path: Path, report: str) -> list[str]:
    """Writes the report next to the team's own notes; an existing one may have been edited, and is kept."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(report)
    except OSError as error:
        return [f"{path} was not written here: {error.strerror}."]
    return []
