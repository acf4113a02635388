"""The commands that look into artifacts without restoring any: show, diff, download."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, RECOVERY_SHEET_NAME, Manifest
from hackorda_ops.artifacts.sealed import is_sealed
from hackorda_ops.artifacts.verifications import Verification
from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath, IdentityFile, OffsiteUrl
from hackorda_ops.cli.named import Asked, From, Named, TwoNamed, ask
from hackorda_ops.cli.printing import note, print_json, summary
from hackorda_ops.cli.shown import show_tables
from hackorda_ops.engines.registry import engine_of, engine_that_wrote
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ClientMissing
from hackorda_ops.inspection.difference import Difference, Side, difference, side_of
from hackorda_ops.inspection.download import download as fetch_into
from hackorda_ops.inspection.proofs import Proofs, read_proofs
from hackorda_ops.judgement.reading import Held
from hackorda_ops.own_folders import private_folder
from hackorda_ops.sealing.opening import decrypt_into
from hackorda_ops.sealing.recovery_sheet import DECRYPTED_FOLDER
from hackorda_ops.stores.store import Store
from hackorda_ops.words import counted, moment, size, visible
from hackorda_ops.words import named as listed


def show(
    named: Named = None,
    offsite: OffsiteUrl = None,
    identity: IdentityFile = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Show what is in an artifact, where it lies, and what has been proven of it: its night, drills, restores.

    It's read from the manifest, the drills' reports and the operations log; the files themselves aren't read again
    (`verify` does that). What an encrypted artifact holds is shown where its identity is named. Example:

    hackorda-ops show 20261108T020000Z-1a2b3c
    """
    asked = ask(named, config, offsite, identity=identity)
    held = asked.held(asked.ids[0] if asked.ids else None)
    found = read_proofs(asked.places, held)
    if is_sealed(found.manifest) and asked.protected.policy.identity is not None:
        found = replace(found, manifest=asked.opened(held[0]).manifest)
    for line in found.notes:
        note(line)
    if as_json:
        print_json(_proofs_document(found))
    else:
        _show(found)


def _proofs_document(found: Proofs) -> dict[str, Any]:
    manifest = found.manifest
    return {
        **summary(manifest),
        "reason": manifest.reason,
        "late": manifest.late,
        "dumped_from": manifest.dumped_from,
        "places": [
            {
                "place": each.place,
                "location": each.location,
                "judgement": each.judgement,
                "pinned": each.pinned or None,
            }
            for each in found.held
        ],
        "drills": found.drills,
        "verifications": found.verifications,
        "events": found.events,
        "findings": manifest.findings,
        "warnings": manifest.warnings,
        "details": {} if is_sealed(manifest) else engine_that_wrote(manifest).details(manifest),
        "parts": manifest.parts,
        "files": manifest.files,
    }


def _show(found: Proofs) -> None:
    manifest = found.manifest
    engine_notes = () if is_sealed(manifest) else engine_that_wrote(manifest).notes(manifest)
    if is_sealed(manifest):
        note(
            f"{manifest.artifact_id} is encrypted: without its identity (--identity FILE), its tables, digests and "
            "notes can't be shown."
        )
    show_tables(f"{manifest.database}, artifact {manifest.artifact_id}", manifest)
    lines = [
        (
            "captured",
            f"{moment(manifest.captured_at)}, for the night of {manifest.night} ({manifest.reason})",
        ),
        (
            "holds",
            f"{manifest.contents}; {size(manifest.size_bytes)} in {counted(len(manifest.files), 'file')}",
        ),
        ("source", f"{engine_that_wrote(manifest).name} {manifest.server_version}"),
        *(("place", f"{each.location}: {each.sentence}") for each in found.held),
        *(
            (
                "drill",
                f"{each.drill_id}: {each.verdict}"
                f"{' about ' + ', '.join(each.causes) if each.causes else ''}, read from {each.location}",
            )
            for each in found.drills
        ),
        *(("bytes", _bytes_read(each)) for each in found.verifications),
        *(
            ("log", f"{moment(each.at)}: {each.kind} {each.outcome}: {each.detail}")
            for each in found.events
            if each.kind != "drill"
        ),
        *(("note", each) for each in (*engine_notes, *manifest.warnings)),
    ]
    for label, text in lines:
        terminal.out.print(visible(f"  {label:<9} {text}"), markup=False, soft_wrap=True)
    terminal.findings(manifest.findings)


def _bytes_read(seen: Verification) -> str:
    damaged = f"damaged: {listed(seen.damaged_files)}" if seen.damaged_files else "damaged"
    return (
        f"{moment(seen.ended_at)}: read by a {seen.by} in {seen.location}: "
        f"{'every byte as the manifest has it' if seen.sound else damaged}"
    )


def diff(
    named: TwoNamed = None,
    place: From = None,
    offsite: OffsiteUrl = None,
    minutes: Annotated[
        float,
        typer.Option(
            "--minutes",
            min=0.1,
            help="How long the live database's tables may be read; the smallest come first.",
        ),
    ] = 10,
    identity: IdentityFile = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Compare two artifacts, or an artifact and the live database: rows, digests and definitions of every table.

    No row is shown. The live database is only read, table by table, in short sessions that give way to whoever
    waits; owners, grants and sequences aren't compared. Exit code 0: nothing differs. 1: something does. Example:

    hackorda-ops diff 20261101T020000Z-1a2b3c 20261108T020000Z-4d5e6f
    """
    asked = ask(named, config, offsite, place, at_most=2, identity=identity)
    before = asked.held(asked.ids[0] if asked.ids else None)[0]
    if len(asked.ids) > 1:
        after = asked.held(asked.ids[1])[0]
        found = difference(_side(asked, before), _side(asked, after))
    else:
        manifest = asked.opened(before).manifest
        found = difference(_side(asked, before), _live_side(asked.protected, manifest, minutes * 60))
    if as_json:
        print_json(_difference_document(found))
    else:
        _show_difference(found)
    raise typer.Exit(1 if found.anything else 0)


def _side(asked: Asked, held: Held) -> Side:
    artifact = asked.opened(held)
    manifest, definitions = artifact.manifest, None
    with private_folder() as private:
        try:
            definitions = engine_that_wrote(manifest).definitions(
                asked.protected, asked.places[held.place], artifact, private_folder=private
            )
        except ClientMissing as error:
            note(f"The definitions aren't compared: {error.what}")
    return side_of(manifest, held.location, definitions)


def _live_side(protected: Protected, manifest: Manifest, limit_seconds: float) -> Side:
    with ExitStack() as stack:
        private = stack.enter_context(private_folder())
        on_progress = stack.enter_context(terminal.progress_shown())
        live = engine_of(protected.policy).live(
            protected,
            manifest,
            private_folder=private,
            limit_seconds=limit_seconds,
            on_progress=on_progress,
        )
    for line in live.notes:
        note(line)
    return Side(f"{protected.name}, live", live.at, live.parts, live.definitions, live.unread)


def _difference_document(found: Difference) -> dict[str, Any]:
    def of(side: Side) -> dict[str, Any]:
        return {"title": side.title, "captured_at": side.captured_at, "parts": len(side.parts)}

    return {
        "before": of(found.before),
        "after": of(found.after),
        "differs": found.anything,
        "complete": found.complete,
        "equal_parts": found.equal_parts,
        "parts": found.parts,
        "definitions": found.definitions,
        "not_compared": found.not_compared,
    }


def _show_difference(found: Difference) -> None:
    for side, mark in ((found.before, "-"), (found.after, "+")):
        terminal.out.print(
            f"{mark} {side.title}, as of {moment(side.captured_at)}", markup=False, soft_wrap=True
        )
    if found.parts:
        terminal.table(
            "Rows",
            ("table", "change", "what differs"),
            [(visible(each.name), each.change, each.sentence) for each in found.parts],
        )
    for definition in found.definitions or ():
        lines = (f"{definition.change}: {definition.name}", *definition.lines)
        _print_lines(lines)
    for name, why in found.not_compared.items():
        note(f"Not compared: {visible(name)}: {why}.")
    definitions = (
        "the definitions weren't compared"
        if found.definitions is None
        else f"{counted(len(found.definitions), 'definition')} differ"
        if len(found.definitions) != 1
        else "1 definition differs"
    )
    terminal.out.print(
        f"{counted(found.equal_parts, 'table')} equal, {len(found.parts)} different, "
        f"{len(found.not_compared)} not compared; {definitions}.",
        markup=False,
        soft_wrap=True,
    )


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        terminal.out.print(visible(f"  {line}"), markup=False, soft_wrap=True)


def download(
    named: Named = None,
    to: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="Where the artifact gets a folder of its own.")
    ] = Path(),
    place: From = None,
    offsite: OffsiteUrl = None,
    decrypt: Annotated[
        bool,
        typer.Option(
            "--decrypt", help="Also decrypt them, into a folder `decrypted` beside; takes the identity."
        ),
    ] = False,
    identity: IdentityFile = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Fetch an artifact's files into a folder, for yourself alone, and check each one's SHA-256; can be continued.

    A file that is damaged in one place is taken from the other. After an interruption call it again: what is there
    and right stays. RESTORE.md among the files says how to restore without hackorda_ops.
    """
    asked = ask(named, config, offsite, place, identity=identity)
    held = asked.held(asked.ids[0] if asked.ids else None)
    manifest = held[0].manifest
    # A wrong identity should be told before anything is fetched.
    artifact = asked.opened(held[0]) if decrypt else None
    with terminal.progress_shown() as on_progress:
        done = fetch_into(
            _in_order(asked, held), manifest, to.expanduser().absolute(), on_progress=on_progress
        )
        if artifact is not None and artifact.key is not None:
            decrypt_into(done.folder, artifact, done.folder / DECRYPTED_FOLDER, on_progress=on_progress)
    if as_json:
        print_json({**summary(manifest), **done.__dict__, "from": held[0].location})
        return
    terminal.out.print(
        f"{done.folder}: {counted(done.files, 'file')}, {size(manifest.size_bytes)}, each as {MANIFEST_NAME} lists it; "
        f"{done.fetched} fetched now, from {held[0].location} ({held[0].judgement.sentence}).",
        markup=False,
        soft_wrap=True,
    )
    if (done.folder / RECOVERY_SHEET_NAME).exists():
        terminal.out.print(
            f"{done.folder / RECOVERY_SHEET_NAME} says how to restore it, also without hackorda_ops.",
            markup=False,
            soft_wrap=True,
        )


def _in_order(asked: Asked, held: Sequence[Held]) -> list[Store]:
    return [asked.places[each.place] for each in held]
