"""The command that says what a thief of this machine could destroy: blast-radius."""

from typing import Annotated

import typer

from hackorda_ops.blast_radius.measure import BlastRadius, measure
from hackorda_ops.blast_radius.radius import sentence
from hackorda_ops.blast_radius.remedies import bucket_policy
from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath, DatabaseName, choose_database
from hackorda_ops.cli.printing import print_json


def blast_radius(
    database: DatabaseName = None,
    policy: Annotated[
        bool,
        typer.Option(
            "--policy", help="Only print a policy for the off-site bucket's user that can't destroy."
        ),
    ] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Say what whoever owns this machine could destroy with its credentials, in days of data per copy.

    Rights are tried on canaries of our own in each bucket, and on nothing else; the source is asked and never written
    to. Exit code 1: no copy is known to survive for a week.
    """
    protected = choose_database(config, database)
    if policy:
        place = protected.offsite.location()
        terminal.out.print(
            bucket_policy(place.container, place.folder), markup=False, highlight=False, soft_wrap=True
        )
        return
    found = measure(protected)
    if as_json:
        print_json({**vars(found), "sentence": found.sentence, "survives": bool(found.survivors)})
    else:
        _show(found)
    raise typer.Exit(0 if found.survivors else 1)


def _show(found: BlastRadius) -> None:
    lines = [
        *(("copy", sentence(each)) for each in found.places),
        *((("source", found.role.sentence),) if found.role else ()),
        ("secrecy", found.secrecy.sentence),
        *(("note", each) for each in found.not_measured),
        *(
            ("change", each)
            for each in dict.fromkeys(each for place in found.places for each in place.remedies)
        ),
        *(("change", each) for each in (*found.role_remedies, *found.secrecy.remedies)),
    ]
    for label, text in lines:
        terminal.out.print(f"  {label:<7} {text}", markup=False, soft_wrap=True)
    terminal.verdict("PASS" if found.survivors else "FAIL", found.sentence)
