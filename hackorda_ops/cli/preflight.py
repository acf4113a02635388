"""The command that checks everything a night and a drill need, before they need it."""

from collections.abc import Sequence
from typing import Any

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath, DatabaseName, choose_databases
from hackorda_ops.cli.looked import documents, exit_code, show_parts
from hackorda_ops.cli.printing import print_json
from hackorda_ops.concerns import Looked, concerns_in
from hackorda_ops.preflight.preflight import preflight as look_at_everything


def preflight(database: DatabaseName = None, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Find all that would stop the next night or drill: rights, clients, endpoints, disks, scratch, buckets.

    All databases by default. The source is only read; on a scratch server an empty database is made
    and dropped again. Exit code 1: something would stop a night or a drill. 2: the configuration is wrong.
    """
    found = {each.name: look_at_everything(each) for each in choose_databases(config, database)}
    if as_json:
        print_json([_document(name, parts) for name, parts in found.items()])
    else:
        for name, parts in found.items():
            _show(name, parts)
    raise typer.Exit(exit_code((part for parts in found.values() for part in parts), otherwise=1))


def _document(name: str, parts: Sequence[Looked]) -> dict[str, Any]:
    return {
        "database": name,
        "stops_the_night": bool(concerns_in(parts, "stops the night")),
        "stops_the_copy": bool(concerns_in(parts, "stops the copy")),
        "stops_the_drill": bool(concerns_in(parts, "stops the drill")),
        "stops_the_proof": bool(concerns_in(parts, "stops the proof")),
        "parts": documents(parts),
    }


def _show(name: str, parts: Sequence[Looked]) -> None:
    show_parts(f"{name}, before a night or a drill", parts)
    night = len(concerns_in(parts, "stops the night"))
    copy = len(concerns_in(parts, "stops the copy"))
    drill = len(concerns_in(parts, "stops the drill"))
    proof = len(concerns_in(parts, "stops the proof"))
    terminal.out.print(
        f"{name}: {night} problem(s) would stop a night, {copy} a copy off-site, {drill} a drill, {proof} a "
        "proof.",
        markup=False,
    )
