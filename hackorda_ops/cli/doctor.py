"""The command that holds everything the policy needs against the real thing: doctor."""

import itertools
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath, DatabaseName, choose_databases
from hackorda_ops.cli.printing import print_json
from hackorda_ops.config import file as config_file
from hackorda_ops.doctor.answer import Outcome
from hackorda_ops.doctor.patient import Patient
from hackorda_ops.doctor.registry import Examined, examine
from hackorda_ops.errors import OpsError
from hackorda_ops.words import visible

_MARKS: Final[dict[Outcome, tuple[str, str]]] = {
    "ok": ("[x]", "green"),
    "attention": ("[!]", "yellow"),
    "problem": ("[ ]", "red"),
    "unknown": ("[?]", "yellow"),
    "none": (" - ", "dim"),
}


def doctor(
    database: DatabaseName = None,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Put right what is our own and harmless to put right: open folders of ours, abandoned uploads, what "
            "killed runs left behind.",
        ),
    ] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Hold everything that the policy needs against the real thing, as a checklist with a remedy for each.

    All databases by default; nothing is changed without --fix. [x] is as it must be, [!] should be put right, [ ]
    isn't met, [?] couldn't be looked at. Exit code 1: something isn't met. 3: something couldn't be looked at.
    """
    alerts = config_file.load(config_file.locate(config, os.environ)).alerts
    everything: list[tuple[str, list[Examined], list[str]]] = []
    for protected in choose_databases(config, database):
        found = list(examine(Patient(protected, alerts, datetime.now(UTC))))
        done = list(_fixed(found)) if fix else []
        if fix and not done:
            done = ["nothing: none of it is for us to put right."]
        elif done:
            found = list(examine(Patient(protected, alerts, datetime.now(UTC))))
        everything.append((protected.name, found, done))
    if as_json:
        print_json([_document(*each) for each in everything])
    else:
        for each in everything:
            _show(*each)
    outcomes = {one.answer.outcome for _, found, _ in everything for one in found}
    raise typer.Exit(1 if "problem" in outcomes else 3 if "unknown" in outcomes else 0)


def _fixed(found: Sequence[Examined]) -> Iterator[str]:
    for each in found:
        remedy = each.answer.remedy
        if remedy is None:
            continue
        try:
            yield remedy.carry_out()
        except OpsError as error:
            yield f"Could not {remedy.does}: {error.what}"


def _document(name: str, found: Sequence[Examined], done: Sequence[str]) -> dict[str, Any]:
    return {
        "database": name,
        "fixed": list(done),
        "checks": [
            {
                "check": each.name,
                "group": each.group,
                "asks": each.asks,
                "outcome": each.answer.outcome,
                "seen": each.answer.seen,
                "next_step": each.answer.next_step,
                "can_be_fixed": each.answer.remedy.does if each.answer.remedy else None,
            }
            for each in found
        ],
    }


def _show(name: str, found: Sequence[Examined], done: Sequence[str]) -> None:
    for group, checks in itertools.groupby(found, key=lambda each: each.group):
        terminal.out.print(Text(f"{name}, {group}", style="bold"))
        for each in checks:
            mark, colour = _MARKS[each.answer.outcome]
            seen = visible(each.answer.seen).replace("\n", "\n                         ")
            terminal.out.print(Text.assemble((mark, colour), f" {each.name:<20} {seen}"), soft_wrap=True)
            if each.answer.outcome not in ("ok", "none") and each.answer.next_step:
                terminal.out.print(Text(f"    next step: {visible(each.answer.next_step)}"), soft_wrap=True)
    for line in done:
        terminal.out.print(Text(f"Fixed: {visible(line)}"), soft_wrap=True)
    count = {outcome: sum(each.answer.outcome == outcome for each in found) for outcome in _MARKS}
    fixable = sum(each.answer.remedy is not None for each in found)
    terminal.out.print(
        f"{name}: {count['ok']} ok, {count['attention']} to put right, {count['problem']} not met, "
        f"{count['unknown']} couldn't be looked at."
        + (f" --fix can put {fixable} right." if fixable else ""),
        markup=False,
        soft_wrap=True,
    )
