"""The command that brings back what delete markers hide: undelete."""

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Annotated

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import (
    AsJson,
    ConfigPath,
    DatabaseName,
    OffsiteUrl,
    choose_database,
    named_places,
    open_place,
    place_names,
)
from hackorda_ops.cli.printing import note, print_json
from hackorda_ops.hidden.seen import hidden_evidence
from hackorda_ops.hidden.undelete import Undeleted, show_again
from hackorda_ops.hidden.undelete import undelete as bring_back
from hackorda_ops.receipts.record import Line, recorded
from hackorda_ops.retention.wanted import wanted_back
from hackorda_ops.words import counted


def undelete(
    database: DatabaseName = None,
    artifact: Annotated[
        str | None,
        typer.Option(
            "--artifact", help="Only this one, hidden or overwritten; default: all that should be there."
        ),
    ] = None,
    word: Annotated[
        str,
        typer.Option(
            "--from",
            help="The bucket that hides them, by its name; the first off-site by default.",
            autocompletion=place_names,
        ),
    ] = "offsite",
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that retention would delete again.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Verify what lies beneath, and change nothing.")
    ] = False,
    offsite: OffsiteUrl = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Bring back artifacts that delete markers hide, or that were overwritten, in a bucket that keeps versions.

    Every file's version is read first, and has to have the SHA-256 that the manifest says. Then delete markers are
    removed; where the key may not do that, or another version lies above, the bytes are written again. Nothing else is
    deleted. First take the keys away from whoever deleted. Exit code 1: some artifact can't be brought back.
    """
    protected = choose_database(config, database, offsite)
    place = named_places(protected, word)[0]
    store = open_place(place, protected)
    if artifact is not None:
        ids = [artifact]
    else:
        wanted, others = wanted_back(protected, place, store, now=datetime.now(UTC))
        chosen = (*wanted, *others) if everything else wanted
        ids = [one.artifact_id for one in chosen]
        for other in () if everything else others:
            note(f"Left as it is, because retention would delete it again: {other.sentence}")
    with (
        nullcontext(Line(place))
        if dry_run
        else recorded("undelete", protected, subject=place, stores=(store,)) as line,
        terminal.progress_shown() as on_progress,
    ):
        done = [
            bring_back(store, protected.name, each, dry_run=dry_run, on_progress=on_progress) for each in ids
        ]
        evidence = (
            hidden_evidence(protected.name, store.versions(f"{protected.name}/")) if not artifact else ()
        )
        shown = len(evidence) if dry_run else show_again(store, evidence)
        line.detail = _told(done, shown, dry_run=dry_run)
    if as_json:
        print_json({"place": place, "dry_run": dry_run, "artifacts": done, "evidence": shown})
    else:
        for each in done:
            _show(each, dry_run=dry_run)
        terminal.out.print(_told(done, shown, dry_run=dry_run), markup=False, soft_wrap=True)
    raise typer.Exit(1 if any(each.problem for each in done) else 0)


def _show(done: Undeleted, *, dry_run: bool) -> None:
    word = "can be" if dry_run else "is"
    told = (
        f"can't be brought back: {done.problem}"
        if done.problem
        else f"{word} back: {counted(done.files, 'file')} with the manifest's SHA-256; {done.shown_again} shown again, "
        f"{done.written_again} written again"
    )
    terminal.out.print(f"  {done.location} {told}", markup=False, soft_wrap=True)


def _told(done: Iterable[Undeleted], evidence: int, *, dry_run: bool) -> str:
    back = sum(not each.problem for each in done)
    beside = f", and {counted(evidence, 'file')} of evidence beside them" if evidence else ""
    return f"{counted(back, 'artifact')} {'would be ' if dry_run else ''}brought back{beside}."
