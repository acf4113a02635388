"""The command that checks everything a night and a drill need, before they need it."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath, DatabaseName, choose_databases
from hackorda_ops.cli.printing import print_json
from hackorda_ops.concerns import Looked, concerns_in
from hackorda_ops.errors import WrongUse
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
    raise typer.Exit(_exit_code(found))


def _exit_code(found: Mapping[str, Sequence[Looked]]) -> int:
    stopping = [
        concern
        for parts in found.values()
        for concern in concerns_in(parts)
        if concern.severity != "worth knowing"
    ]
    if any(issubclass(concern.kind, WrongUse) for concern in stopping):
        return WrongUse.exit_code
    return 1 if stopping else 0


def _outcome(part: Looked) -> str:
    severities = {concern.severity for concern in part.concerns}
    if not severities:
        return "ok"
    return "worth knowing" if severities == {"worth knowing"} else "problem"


def _document(name: str, parts: Sequence[Looked]) -> dict[str, Any]:
    return {
        "database": name,
        "stops_the_night": bool(concerns_in(parts, "stops the night")),
        "stops_the_drill": bool(concerns_in(parts, "stops the drill")),
        "parts": [
            {
                "part": part.part,
                "outcome": _outcome(part),
                "seen": part.seen,
                "concerns": [
                    {
                        "severity": concern.severity,
                        "what": concern.what,
                        "meaning": concern.meaning,
                        "next_step": concern.next_step,
                    }
                    for concern in part.concerns
                ],
            }
            for part in parts
        ],
    }


def _show(name: str, parts: Sequence[Looked]) -> None:
    terminal.table(
        f"{name}, before a night or a drill",
        ("part", "outcome", "seen"),
        [(part.part, _outcome(part), part.seen) for part in parts],
    )
    for part in parts:
        for concern in part.concerns:
            lines = (
                f"{part.part}: {concern.severity}",
                f"  {concern.what}",
                f"  What it means: {concern.meaning}",
                f"  Next step: {concern.next_step}",
            )
            terminal.out.print("\n".join(lines), markup=False, soft_wrap=True)
    night, drill = concerns_in(parts, "stops the night"), concerns_in(parts, "stops the drill")
    terminal.out.print(
        f"{name}: {len(night)} problem(s) would stop a night, {len(drill)} a drill.", markup=False
    )
