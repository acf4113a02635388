"""The commands that restore artifacts, and prove that they restore: restore, drill, sweep, demo."""

import itertools
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Annotated

import typer

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
    open_reachable,
    place_names,
    require_target_named,
    restore_target,
    source_if_known,
)
from hackorda_ops.cli.outlook import conclude_outlook
from hackorda_ops.cli.printing import conclude, heartbeat_of, note, print_json
from hackorda_ops.cli.shown import show_drill
from hackorda_ops.drill import quarter as quarterly
from hackorda_ops.drill.report import json_form
from hackorda_ops.engines.registry import engine_that_wrote
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, OpsError, TargetRefused, UsageError
from hackorda_ops.hidden.as_it_was import as_it_was
from hackorda_ops.hidden.seen import hidden_in
from hackorda_ops.judgement.choosing import ToRestore, choose, command_for, twins_for
from hackorda_ops.judgement.instead import with_instead
from hackorda_ops.judgement.reading import Held, Judged, read_judged
from hackorda_ops.own_folders import private_folder
from hackorda_ops.recovery import bring_back as restoring
from hackorda_ops.recovery.bring_back import BroughtBack
from hackorda_ops.scratch import sweep as sweeping
from hackorda_ops.stores.store import PlaceName, Store
from hackorda_ops.words import counted, named


def restore(
    database: DatabaseName = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="URL", help="The empty database, without a password ($PGPASSWORD has it)."
        ),
    ] = None,
    to_env: Annotated[
        str, typer.Option("--to-env", metavar="VARIABLE", help="The variable with the empty database's URL.")
    ] = "RESTORE_URL",
    artifact: ArtifactId = None,
    place: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Fetch it from there alone: store, offsite, or a copy's name; default: wherever the best is.",
            autocompletion=place_names,
        ),
    ] = None,
    offsite: OffsiteUrl = None,
    with_access: Annotated[
        bool,
        typer.Option(
            "--with-access",
            help="Also create the missing roles (without passwords), and apply the source's owners, grants "
            "and settings. Needs a superuser, or a role with CREATEROLE.",
        ),
    ] = False,
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going",
            help="Restore everything possible where a row breaks a constraint or a definition fails: FAIL, with "
            "each missing object and the statement that would have created it.",
        ),
    ] = False,
    tables: Annotated[
        list[str] | None,
        typer.Option(
            "--tables",
            metavar="NAME,…",
            help="Restore only these tables with what belongs to them, into the empty database; the rest is left out, "
            "and listed.",
        ),
    ] = None,
    hidden: Annotated[
        bool,
        typer.Option(
            "--hidden",
            help="Read the buckets as they were before delete markers hid what is in them; nothing is changed there.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Only say which artifact would be restored and why, and whether it could be; nothing is changed.",
        ),
    ] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="pg_restore's --jobs.")] = None,
    identity: IdentityFile = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Restore an artifact into an empty database, and compare every row with its manifest.

    Takes the newest of the best that the store and off-site have, by what its night, drills and verifications say of
    it, and says why. A file that turns out to be damaged or missing, or whose place doesn't answer any more, is taken
    from another copy that has the same SHA-256; where there's none of a damaged one, the next artifact is taken. Names
    what it doesn't take. Needs neither Dagster nor the store: the off-site bucket and its credentials are enough.
    Refuses a database that is not empty, and the source. Example, on a machine with nothing else:

    RESTORE_URL=… OFFSITE_ENDPOINT_URL=… OFFSITE_REGION=… hackorda-ops restore shop --offsite s3://bucket/prefix
    """
    some = [name.strip() for given in tables or () for name in given.split(",") if name.strip()]
    _require_possible(some, tables=tables, with_access=with_access)
    protected = choose_database(config, database, offsite, identity)
    require_target_named(to, to_env)
    places = open_reachable(protected, place, offsite)
    if hidden:
        places = {each: as_it_was(store, protected.name) for each, store in places.items()}
    judged = read_judged(places, protected.name, tolerant=True)
    for line in judged.notes:
        note(line)
    choice = _chosen(protected.name, judged, artifact, places)
    note(f"{'It would restore' if dry_run else 'Restoring'} {choice.why}")
    for each in choice.passed_over:
        note(f"Not taken: {each.location}: {each.judgement.sentence}. {_all_the_same(each, offsite)}")
    # Without databases.yaml the artifact itself says what it is of.
    engine = engine_that_wrote(choice.candidates[0].manifest)
    target = restore_target(engine, to, to_env)

    def bring_back(held: Held) -> BroughtBack:
        return restoring.bring_back(
            protected,
            places[held.place],
            held.manifest,
            target,
            source=source,
            jobs=jobs,
            on_progress=on_progress,
            with_access=with_access,
            keep_going=keep_going,
            tables=some,
            twins=twins_for(held, judged, places),
        )

    if dry_run:
        conclude_outlook(
            protected, places, choice, target, with_access=with_access, tables=some, as_json=as_json
        )
    with (
        private_folder() as private,
        terminal.progress_shown() as on_progress,
    ):
        source = source_if_known(engine, protected, private)
        result = _first_whole(choice, bring_back, offsite)
    part = f"only {named(some)} of " if some else ""
    sentence = (
        f"{part}{result.location} is in {result.target}: {result.manifest.contents} "
        f"compared with the manifest, the restore took {result.seconds:.1f} s"
    )
    notes = (*result.taken, *result.warnings)
    for line in notes:
        note(line)
    conclude(
        result.verdict,
        sentence,
        result.manifest,
        result.findings,
        as_json=as_json,
        more={"only_tables": some or None, "notes": notes},
    )


def _require_possible(some: Sequence[str], *, tables: Sequence[str] | None, with_access: bool) -> None:
    if tables and not some:
        raise UsageError(
            "--tables names no table.",
            meaning="Nothing was restored.",
            next_step="Name the tables as `hackorda-ops show` lists them, with commas between them.",
        )
    if some and with_access:
        raise UsageError(
            "--with-access applies the owners and grants of a whole database, and --tables restores a part of one.",
            meaning="Nothing was restored.",
            next_step="Leave one of the two out.",
        )


def _all_the_same(held: Held, offsite: str | None) -> str:
    named = f" --offsite {shlex.quote(offsite)}" if offsite is not None else ""
    return f"To restore it all the same: {command_for(held)}{named}"


def _chosen(
    database: str, judged: Judged, artifact: str | None, places: Mapping[PlaceName, Store]
) -> ToRestore:
    """What `choose` takes; where there's nothing, what delete markers hide is a part of the answer."""
    try:
        return choose(judged, artifact)
    except ArtifactMissing as error:
        for store in places.values():
            with suppress(OpsError):
                beneath = hidden_in(database, store.versions(f"{database}/"))
                if beneath:
                    error.add_note(
                        f"{store.describe()} hides {counted(len(beneath), 'artifact')} behind delete markers: "
                        f"`hackorda-ops undelete {database}` brings back what should be there, and --hidden restores "
                        "from beneath them."
                    )
        raise


def _first_whole(
    choice: ToRestore, bring_back: Callable[[Held], BroughtBack], offsite: str | None
) -> BroughtBack:
    """Restores the first candidate whose bytes are what its manifest says."""
    damaged: ArtifactDamaged | ArtifactMissing | None = None
    for held, following in itertools.zip_longest(choice.candidates, choice.candidates[1:]):
        try:
            return bring_back(held)
        except (ArtifactDamaged, ArtifactMissing) as error:
            if following is None:
                raise
            damaged = damaged or error
            note(
                f"{error.what} Trying {following.location} instead: {following.judgement.sentence}. "
                f"{_all_the_same(held, offsite)}"
            )
        except TargetRefused:
            # The damage came to light only while restoring, so that the database isn't empty any more.
            if damaged is not None:
                raise damaged from None
            raise
    raise AssertionError("a choice has a candidate")


def drill(
    database: DatabaseName = None,
    quarter: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY-Qn", help="The quarter it counts for, as 2026-Q4; the current one by default."
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Repeat the choices of an earlier drill's self-test; the seed is in its report."),
    ] = None,
    identity: IdentityFile = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Restore the newest off-site copy on scratch, compare every row, migrate it, report, take it down.

    PASS: this backup restores. FAIL (exit code 1): the backup, or what depends on it, is not what it must be.
    ERROR (3): the drill couldn't judge. The report is stored next to the artifacts, in the store and off-site.
    """
    protected = choose_database(config, database, None, identity)
    first_day = partitions.quarter_named(quarter) if quarter else None
    with heartbeat_of(protected, "quarter", first_day) as told, terminal.progress_shown() as on_progress:
        held = quarterly.hold_drill(
            protected, quarter=first_day, seed=seed, with_instead=with_instead, on_progress=on_progress
        )
        told.of_verdict(held.result.verdict)
    if as_json:
        result = json_form.document(held.result)
        print_json({"result": result, "pages": held.pages, "not_stored": held.not_stored})
    else:
        show_drill(held)
    raise typer.Exit({"PASS": 0, "FAIL": 1, "ERROR": 3}[held.result.verdict])


def sweep(
    database: DatabaseName = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Remove the branches or scratch databases that killed runs left behind, and nothing else.

    Removes only what carries this product's label and this database's name, where the run that made it
    is gone. Dagster does the same by itself, and so does the next drill.
    """
    protected = choose_database(config, database)
    removed = sweeping.sweep(protected)
    if as_json:
        print_json({"database": protected.name, "removed": removed})
        return
    for each in removed:
        terminal.out.print(f"Removed {each}", markup=False, highlight=False, soft_wrap=True)
    if not removed:
        terminal.out.print(f"No killed run of {protected.name} has left anything behind.", markup=False)


def demo(
    ui: Annotated[
        bool, typer.Option("--ui", help="Keep everything running with the Dagster UI, until Ctrl-C.")
    ] = False,
    damage: Annotated[
        bool,
        typer.Option(
            "--damage",
            help="Change one row in the off-site copy and adjust the hashes to match: it ends in FAIL.",
        ),
    ] = False,
) -> None:
    """Run a night, a week and a quarter on an embedded stack, through Dagster, and show what was proven."""
    from hackorda_ops.cli import demo as demonstration  # noqa: PLC0415  # it needs the `local` extra

    raise typer.Exit(demonstration.run(stay=ui, damage=damage))
