"""The command that looks at a live database: sizes, rows, connections, slow queries."""

from datetime import datetime
from typing import Annotated

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath, DatabaseName, choose_database
from hackorda_ops.cli.printing import print_json
from hackorda_ops.engines.contents import Cell, LiveView
from hackorda_ops.engines.registry import ENGINES, engine_of
from hackorda_ops.own_folders import private_folder
from hackorda_ops.words import NOTHING, moment, size, visible


def _view_names(incomplete: str) -> list[str]:
    names = dict.fromkeys(name for engine in ENGINES.values() for name in engine.views)
    return [name for name in names if name.startswith(incomplete)]


def look(
    view: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="What to look at; without it, all names.", autocompletion=_view_names
        ),
    ] = None,
    database: DatabaseName = None,
    rows: Annotated[int, typer.Option("--rows", min=1, help="How many rows are shown.")] = 20,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Look at the live database, read-only: its rows, sizes, connections, who waits, slow queries.

    No row and no value of a query is shown, and each look ends after 15 seconds at the latest. Example:

    hackorda-ops look slow-queries
    """
    protected = choose_database(config, database)
    engine = engine_of(protected.policy)
    if view is None:
        if as_json:
            print_json(dict(engine.views))
        else:
            terminal.table(
                f"What to look at in {protected.name}", ("name", "shows"), list(engine.views.items())
            )
        return
    with private_folder() as private:
        seen = engine.look_at(protected, view, private_folder=private, rows=rows)
    if as_json:
        names = [column.removesuffix("#") for column in seen.columns]
        print_json(
            {
                "database": protected.name,
                "view": view,
                "rows": [dict(zip(names, row, strict=True)) for row in seen.rows],
                "notes": list(seen.notes),
            }
        )
        return
    if not seen.rows:
        terminal.out.print(f"{protected.name}: {view}: nothing to show.", markup=False)
    else:
        _show(f"{protected.name}: {view}", seen)
    for note in seen.notes:
        terminal.out.print(f"  {note}", markup=False, soft_wrap=True)


def _show(title: str, seen: LiveView) -> None:
    terminal.table(
        title,
        [column.replace("_bytes#", "#") for column in seen.columns],
        [[_shown(column, cell) for column, cell in zip(seen.columns, row, strict=True)] for row in seen.rows],
    )


def _shown(column: str, cell: Cell) -> str:
    if cell is None:
        return NOTHING
    if isinstance(cell, datetime):
        return moment(cell)
    if isinstance(cell, str):
        return visible(cell)
    return size(cell) if column.endswith("_bytes#") else f"{cell:,}"
