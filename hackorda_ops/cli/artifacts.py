"""The commands that take, copy, list and verify artifacts: dump, copy, backups, verify."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hackorda_ops.artifacts.catalog import ArtifactT
from hackorda_ops.artifacts.ids import moment_of
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.calendar import partitions
from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import (
    ArtifactId,
    AsJson,
    ConfigPath,
    DatabaseName,
    IdentityFile,
    OffsiteUrl,
    choose_database,
    named_places,
    open_place,
    place_names,
    places,
)
from hackorda_ops.cli.printing import conclude, heartbeat_of, note, print_json, summary
from hackorda_ops.cli.shown import show_tables
from hackorda_ops.engines.registry import engine_of, engine_that_wrote
from hackorda_ops.environment import Protected
from hackorda_ops.errors import StoreRefused, UsageError
from hackorda_ops.hidden.seen import HiddenArtifact, hidden_in, undelete_command
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import (
    ForACopy,
    Held,
    HeldOf,
    Judged,
    answering,
    known_for_a_copy,
    list_judged,
    read_judged,
)
from hackorda_ops.night import night as nightly
from hackorda_ops.recovery import verify as verifying
from hackorda_ops.stores.store import PlaceName, Store
from hackorda_ops.week import week as weekly
from hackorda_ops.week.apart import require_copies
from hackorda_ops.week.missing import copies_missing
from hackorda_ops.words import NOTHING, size


def dump(
    database: DatabaseName = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    new_source: Annotated[
        bool,
        typer.Option(
            "--new-source",
            help="The source was moved, upgraded or restored: treat it as the protected database from now on.",
        ),
    ] = False,
) -> None:
    """Take a dump now, prove it, and put it into the store.

    Same as the nightly dump; useful before a maintenance window. Exit code 1 means that the
    dump is kept, but something vanished or collapsed since the previous one.
    """
    protected = choose_database(config, database)
    with heartbeat_of(protected, "night", None) as told, terminal.progress_shown() as on_progress:
        night = nightly.take_night(
            protected, reason="on demand", new_source=new_source, on_progress=on_progress
        )
        told.problem = None if night.manifest.sound else "The nightly backup failed its checks."
    manifest = night.manifest
    if as_json:
        print_json({**summary(manifest), "location": night.location, "findings": manifest.findings})
    else:
        show_tables(
            f"{manifest.database}, snapshot of {manifest.captured_at:%Y-%m-%d %H:%M:%S} UTC", manifest
        )
        terminal.findings(manifest.findings)
        against = (
            f", compared with {night.compared_with}" if night.compared_with else ", the first of its store"
        )
        terminal.verdict(
            "PASS" if manifest.sound else "FAIL",
            f"{night.location}: {manifest.contents}, {size(manifest.size_bytes)}{against}",
        )
        for line in engine_that_wrote(manifest).notes(manifest):
            terminal.out.print(f"  {line}", markup=False)
        for warning in (*manifest.warnings, *night.notes):
            terminal.out.print(f"  note: {warning}", markup=False)
    raise typer.Exit(0 if manifest.sound else 1)


def copy(
    database: DatabaseName = None,
    artifact: ArtifactId = None,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="One of several copies, by its name; all of them by default. With store: repair the store's own "
            "copy of --artifact from one off-site.",
            autocompletion=place_names,
        ),
    ] = "offsite",
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Copy an artifact from the store to the off-site bucket, and prove the copy by reading it back.

    Takes the newest that nothing is known against, and repairs older copies off-site that are known to be damaged. With
    --artifact, that one alone; a copy of it that is there is read, and repaired. Where there are several buckets
    off-site, all get it from one reading; one that is down delays no other, and gets it later.
    """
    protected = choose_database(config, database)
    require_copies(protected)
    wanted = named_places(protected, to)
    if wanted == (protected.nights_in,):
        chosen, source = _to_repair(protected, artifact)
        with terminal.progress_shown() as on_progress:
            week = weekly.repair(
                protected, chosen, source=source, place=protected.nights_in, on_progress=on_progress
            )
    else:
        if not protected.several_offsite:
            protected.require("store", "offsite")
        chosen, known = _to_copy(protected, artifact)
        with (
            heartbeat_of(protected, "week", partitions.week_of(chosen.night)),
            terminal.progress_shown() as on_progress,
        ):
            week = weekly.ship(protected, chosen, mending=known.mending, only=wanted, on_progress=on_progress)
    for line in week.not_repaired:
        note(line)
    for finding in week.locks.findings if week.locks else ():
        note(str(finding))
    if as_json:
        print_json(
            {
                **summary(chosen),
                "location": week.location,
                "copy": week.copy,
                "repaired": week.repaired,
                "not_repaired": week.not_repaired,
                "locks": week.locks,
                "copies": week.copies,
                "missing": [{"place": each.place, "why": each.error.what} for each in week.missing],
            }
        )
    else:
        for line in week.repaired:
            note(line)
        for each in week.copies:
            terminal.verdict(
                "PASS",
                f"{each.location}: {each.copy.files} files copied, {size(each.copy.bytes_read_back)} "
                "read back and equal to the manifest",
            )
    missing = tuple(each for each in week.missing if each.place in wanted)
    if missing:
        raise copies_missing(week.manifest, missing)


def backups(
    database: DatabaseName = None,
    offsite: OffsiteUrl = None,
    hidden: Annotated[
        bool,
        typer.Option("--hidden", help="Also list what delete markers hide, in buckets that keep versions."),
    ] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """List the artifacts in the store and off-site, newest first; last, those that are dated in the future.

    A place that has none is looked into for hidden ones as well: `undelete` brings those back.
    """
    protected = choose_database(config, database, offsite)
    opened = {place: open_place(place, protected) for place in places(protected, offsite)}
    now = datetime.now(UTC)
    if as_json:
        whole = read_judged(opened, protected.name)
        for line in whole.notes:
            note(line)
        for place in whole.catalogs:
            if hidden or not whole.of(place):
                for each in _hidden(opened[place], protected.name):
                    note(f"{place}: {each.sentence}")
        print_json([_as_json(each, now) for each in _newest_first(whole)])
        return
    with terminal.progress_shown() as on_progress:
        judged = list_judged(opened, protected.name, on_progress=on_progress)
    beneath = {
        place: _hidden(opened[place], protected.name)
        for place in judged.catalogs
        if hidden or not judged.of(place)
    }
    for line in judged.notes:
        note(line)
    for place, found in judged.catalogs.items():
        terminal.table(
            f"{protected.name}, {place}: {found.location}",
            (
                "night",
                "artifact!",
                "captured (UTC)",
                "rows#",
                "size#",
                engine_of(protected.policy).name,
                "hours since proven#",
                "judgement",
            ),
            [
                (
                    str(each.manifest.night),
                    each.manifest.artifact_id,
                    f"{each.manifest.captured_at:%Y-%m-%d %H:%M:%S}",
                    f"{each.manifest.rows:,}",
                    size(each.manifest.size_bytes),
                    each.manifest.server_version,
                    NOTHING if (hours := _hours_since_proven(each, now)) is None else f"{hours:,.1f}",
                    each.sentence,
                )
                for each in reversed(judged.of(place))
            ],
        )
        for ahead in found.ahead:
            terminal.out.print(
                f"  dated in the future, so never taken for the newest; to be had by its id: {ahead.artifact_id}",
                markup=False,
            )
        for damaged in found.damaged:
            terminal.out.print(f"  damaged: {damaged}", markup=False)
        for one in beneath.get(place, ()):
            terminal.out.print(f"  {one.sentence}", markup=False, soft_wrap=True)
        if beneath.get(place):
            terminal.out.print(
                f"  To bring back what should be there: {undelete_command(protected.name, place)}",
                markup=False,
                soft_wrap=True,
            )


def _hidden(store: Store, database: str) -> tuple[HiddenArtifact, ...]:
    """What is hidden in a place; nothing where the key may not list versions, which is said."""
    try:
        return hidden_in(database, store.versions(f"{database}/"))
    except StoreRefused as error:
        note(f"Whether {store.describe()} hides anything is not known: {error.what}")
        return ()


def _newest_first(judged: Judged) -> Iterator[Held]:
    for place in judged.catalogs:
        yield from reversed(judged.of(place))
        yield from (each for each in judged.held if each.place == place and each.ahead)


def _hours_since_proven(held: HeldOf[ArtifactT], now: datetime) -> float | None:
    by = held.judgement.proof_id or held.judgement.drill_id
    when = moment_of(by) if by and held.judgement.data_proven else None
    return None if when is None else (now - when).total_seconds() / 3600


def _as_json(held: Held, now: datetime) -> dict[str, Any]:
    return {
        **summary(held.manifest),
        "place": held.place,
        "location": held.location,
        "dated_after_now": held.ahead,
        "sound": held.judgement.usable,
        "judgement": held.judgement,
        "hours_since_proven": _hours_since_proven(held, now),
        "pinned": held.pinned or None,
    }


def _to_copy(protected: Protected, artifact: str | None) -> tuple[Manifest, ForACopy]:
    """What is copied off-site: the requested artifact, or the newest in the store that nothing is known against.

    Where none is requested, what is damaged off-site and sound elsewhere is repaired as well.
    """
    home, places = protected.nights_in, protected.places
    if len(protected.policy.copied_to) > 1:
        places, silent = answering(places)
        for name, error in silent.items():
            note(f"{name} can't be used: {error.what}")
    judged = read_judged(places, protected.name, tolerant=True)
    if home not in judged.catalogs:
        judged = read_judged({home: protected.place(home)}, protected.name)
    in_store = replace(judged, held=tuple(each for each in judged.held if each.place == home))
    candidates = choose(in_store, artifact).candidates
    # Mending is for restores: a copy has to be of whole files.
    chosen = next((each for each in candidates if each.judgement.state != "damaged"), candidates[0])
    return chosen.manifest, known_for_a_copy(protected, judged) if artifact is None else ForACopy()


def _to_repair(protected: Protected, artifact: str | None) -> tuple[Manifest, PlaceName]:
    """The artifact whose copy in the store is repaired, and where from: it has to be named, and to be there."""
    if artifact is None:
        raise UsageError(
            "--to store repairs one artifact in the store, and none is named.",
            meaning="Nothing was copied.",
            next_step="Name it with --artifact; `hackorda-ops backups` lists what is damaged.",
        )
    protected.require("store", *(() if protected.several_offsite else ("offsite",)))
    copies = {name: store for name, store in protected.places.items() if name != protected.nights_in}
    judged = read_judged(copies, protected.name, tolerant=True)
    for line in judged.notes:
        note(line)
    held = choose(judged, artifact).candidates[0]
    return held.manifest, held.place


def verify(
    database: DatabaseName = None,
    artifact: ArtifactId = None,
    place: Annotated[
        str,
        typer.Option(
            "--in",
            help="Where to read it from: store, or a copy's name; the first off-site by default.",
            autocompletion=place_names,
        ),
    ] = "offsite",
    offsite: OffsiteUrl = None,
    identity: IdentityFile = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Read a whole artifact and check every file, row and digest against its manifest: PASS or FAIL.

    This proves the bytes, not that they can be restored: that takes a restore drill. Of an encrypted artifact, where
    no identity is named, the ciphertext is checked, and nothing in it.
    """
    protected = choose_database(config, database, offsite, identity)
    name = named_places(protected, place)[0]
    store = open_place(name, protected)
    judged = read_judged({name: store}, protected.name)
    # Whatever was seen of it before: this is how damage that was repaired is found to be gone.
    chosen = choose(judged, artifact, also=frozenset({"damaged"})).candidates[0].manifest
    with terminal.progress_shown() as on_progress:
        result = verifying.verify(protected, store, chosen, on_progress=on_progress)
    sentence = f"{result.location}: {len(chosen.files)} files, {size(chosen.size_bytes)}, {chosen.contents}"
    if result.not_measured:
        sentence += f"; {result.not_measured}"
    conclude(
        result.verdict,
        sentence,
        chosen,
        result.findings,
        as_json=as_json,
        more={"not_measured": result.not_measured or None},
    )
