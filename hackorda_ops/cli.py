"""The operator's commands. They call the same functions as Dagster does.

Exit codes: 0 done or PASS, 1 FAIL, 2 wrong use or configuration, 3 ERROR (could not judge or finish).
"""

import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal, NoReturn

import typer

from hackorda_ops import config_file, environment, terminal
from hackorda_ops.backup import bring_back as restoring
from hackorda_ops.backup import calendar, catalog, nightly, weekly
from hackorda_ops.backup import verify as verifying
from hackorda_ops.backup.manifest import Manifest
from hackorda_ops.backup.store import Store
from hackorda_ops.config import Config, Database
from hackorda_ops.drill import quarterly
from hackorda_ops.errors import ConfigError, OpsError, UsageError
from hackorda_ops.findings import Finding
from hackorda_ops.postgres import connection
from hackorda_ops.postgres.connection import ConnectionTarget
from hackorda_ops.progress_log import size

app = typer.Typer(
    help="Keeps Postgres databases recoverable, and proves it.\n\n"
    "Exit codes: 0 done or PASS, 1 FAIL, 2 wrong use or configuration, 3 ERROR.",
    epilog="Configuration: ./databases.yaml, or the file that $HACKORDA_OPS_CONFIG or --config names.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

DatabaseName = Annotated[
    str | None,
    typer.Argument(
        metavar="[DATABASE]", help="Its name in databases.yaml; not needed where there's only one."
    ),
]
ConfigPath = Annotated[Path | None, typer.Option("--config", help="The configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, for scripts.")]
ArtifactId = Annotated[
    str | None, typer.Option("--artifact", help="An id from `backups`; the newest sound one by default.")
]
OffsiteUrl = Annotated[
    str | None,
    typer.Option(
        "--offsite",
        metavar="s3://BUCKET/PREFIX",
        help="This bucket instead of the configured one. With it no databases.yaml is needed: "
        "OFFSITE_ACCESS_KEY_ID, OFFSITE_SECRET_ACCESS_KEY and, for everything but AWS, "
        "OFFSITE_ENDPOINT_URL and OFFSITE_REGION are enough.",
    ),
]
Place = Literal["store", "offsite"]


@app.command()
def dump(database: DatabaseName = None, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Take a dump now, prove it, and put it into the store.

    The same as the nightly one; take it before a maintenance window. Exit code 1 means that the
    dump is kept, but that something vanished or collapsed since the one before.
    """
    name, policy = _choose_database(config, database)
    with terminal.progress_shown() as on_progress:
        night = nightly.take_night(
            name, policy, environ=os.environ, reason="on demand", on_progress=on_progress
        )
    manifest = night.manifest
    if as_json:
        _print_json({**_summary(manifest), "location": night.location, "findings": manifest.findings})
    else:
        _show_tables(manifest)
        terminal.findings(manifest.findings)
        against = (
            f", compared with {night.compared_with}" if night.compared_with else ", the first of its store"
        )
        terminal.verdict(
            "PASS" if manifest.sound else "FAIL",
            f"{night.location}: {manifest.rows:,} rows in {len(manifest.tables)} tables, "
            f"{size(manifest.size_bytes)}{against}",
        )
        for warning in manifest.warnings:
            terminal.out.print(f"  note: {warning}", markup=False)
    raise typer.Exit(0 if manifest.sound else 1)


@app.command()
def copy(
    database: DatabaseName = None,
    artifact: ArtifactId = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Copy an artifact from the store to the off-site bucket, and prove the copy by reading it back."""
    name, policy = _choose_database(config, database)
    environment.require(name, policy, os.environ, {"store", "offsite"})
    store = environment.open_store(name, policy, os.environ)
    chosen = catalog.choose(catalog.read(store, name), artifact)
    with terminal.progress_shown() as on_progress:
        week = weekly.ship(store, name, policy, chosen, environ=os.environ, on_progress=on_progress)
    if as_json:
        _print_json({**_summary(chosen), "location": week.location, "copy": week.copy})
    else:
        terminal.verdict(
            "PASS",
            f"{week.location}: {week.copy.files} files copied, {size(week.copy.bytes_read_back)} "
            "read back and equal to the manifest",
        )


@app.command()
def backups(
    database: DatabaseName = None,
    offsite: OffsiteUrl = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """List the artifacts in the store and off-site, newest first."""
    name, policy = _choose_database(config, database, offsite)
    catalogs = [
        (place, catalog.read(_open(place, name, policy), name)) for place in _places(name, policy, offsite)
    ]
    if as_json:
        _print_json(
            [
                {**_summary(each), "place": place, "location": f"{found.location}/{each.prefix}"}
                for place, found in catalogs
                for each in reversed(found.artifacts)
            ]
        )
        return
    for place, found in catalogs:
        terminal.table(
            f"{name}, {place}: {found.location}",
            ("night", "artifact", "captured (UTC)", "rows#", "size#", "Postgres", "sound"),
            [
                (
                    str(each.night),
                    each.artifact_id,
                    f"{each.captured_at:%Y-%m-%d %H:%M:%S}",
                    f"{each.rows:,}",
                    size(each.size_bytes),
                    each.inventory.source.server_version,
                    "yes" if each.sound else f"no: {len(each.findings)} finding(s)",
                )
                for each in reversed(found.artifacts)
            ],
        )
        for line in found.damaged:
            terminal.out.print(f"  damaged: {line}", markup=False)


@app.command()
def verify(
    database: DatabaseName = None,
    artifact: ArtifactId = None,
    place: Annotated[Place, typer.Option("--in", help="Where to read it from.")] = "offsite",
    offsite: OffsiteUrl = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Read an artifact whole and hold every file, row and digest against its manifest: PASS or FAIL.

    It proves the bytes, not that they restore: that is what a restore drill is for.
    """
    name, policy = _choose_database(config, database, offsite)
    store = _open(place, name, policy)
    chosen = catalog.choose(catalog.read(store, name), artifact)
    with terminal.progress_shown() as on_progress:
        result = verifying.verify(
            store,
            chosen,
            work_folder=policy.dump.work_folder,
            jobs=policy.dump.jobs,
            on_progress=on_progress,
        )
    sentence = (
        f"{result.location}: {len(chosen.files)} files, {size(chosen.size_bytes)}, {chosen.rows:,} rows"
    )
    _conclude(result.verdict, sentence, chosen, result.findings, as_json=as_json)


@app.command()
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
    place: Annotated[Place, typer.Option("--from", help="Where to fetch it from.")] = "offsite",
    offsite: OffsiteUrl = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="pg_restore's --jobs.")] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Bring an artifact back into an empty database, and compare every row with its manifest.

    Needs neither Dagster nor the store: the off-site bucket and its credentials are enough.
    Refuses a database that is not empty, and the source. Example, on a machine with nothing else:

    RESTORE_URL=postgresql://… hackorda-ops restore hackorda --offsite s3://bucket/prefix
    """
    name, policy = _choose_database(config, database, offsite)
    target = _restore_target(to, to_env)
    store = _open(place, name, policy)
    chosen = catalog.choose(catalog.read(store, name), artifact)
    with (
        tempfile.TemporaryDirectory(prefix="hackorda_ops-") as private,
        terminal.progress_shown() as on_progress,
    ):
        result = restoring.bring_back(
            store,
            chosen,
            target,
            source=_source_if_known(name, policy, Path(private)),
            work_folder=policy.dump.work_folder,
            client_folders=policy.source.client_folders,
            environ=os.environ,
            jobs=jobs or policy.dump.jobs,
            on_progress=on_progress,
        )
    sentence = (
        f"{result.location} is in {result.target}: {result.rows:,} rows in {result.tables} tables "
        f"compared with the manifest, pg_restore took {result.seconds:.1f} s"
    )
    for warning in result.warnings:
        terminal.err.print(f"  note: {warning}", markup=False)
    _conclude(result.verdict, sentence, chosen, result.findings, as_json=as_json)


@app.command()
def drill(
    database: DatabaseName = None,
    quarter: Annotated[
        str | None,
        typer.Option(metavar="YYYY-Qn", help="The quarter it counts for, as 2026-Q4; this one by default."),
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Restore the newest off-site copy on scratch, compare every row, migrate it, report, take it down.

    PASS: this backup restores. FAIL (exit code 1): the backup is bad. ERROR (3): the drill couldn't
    judge. The report lies beside the artifacts, in the store and off-site.
    """
    name, policy = _choose_database(config, database)
    first_day = calendar.quarter_named(quarter) if quarter else None
    with terminal.progress_shown() as on_progress:
        held = quarterly.hold_drill(
            name, policy, environ=os.environ, quarter=first_day, on_progress=on_progress
        )
    if as_json:
        _print_json({"result": held.result, "pages": held.pages, "not_stored": held.not_stored})
    else:
        terminal.drill(held)
    raise typer.Exit({"PASS": 0, "FAIL": 1, "ERROR": 3}[held.result.verdict])


@app.command()
def demo(
    ui: Annotated[
        bool, typer.Option("--ui", help="Leave everything up with the Dagster UI, until Ctrl-C.")
    ] = False,
    damage: Annotated[
        bool,
        typer.Option(
            "--damage", help="Change one row in the off-site copy, with hashes made to fit: it ends in FAIL."
        ),
    ] = False,
) -> None:
    """Run a night, a week and a quarter on an embedded stack, through Dagster, and show what was proven."""
    from hackorda_ops import demo as demonstration  # noqa: PLC0415  # it needs the `local` extra

    raise typer.Exit(demonstration.run(stay=ui, damage=damage))


def main() -> NoReturn:
    """The entry point: every error of ours ends in one clear message and its own exit code."""
    # Exit codes 0 to 3 have meanings: an interruption must not look like FAIL. SystemExit lets
    # every `finally` run, so that children and unfinished work are gone.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    try:
        app()
    except OpsError as error:
        terminal.problem(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(3)
    except Exception:  # noqa: BLE001  # Python's own exit code would be 1, which means FAIL here
        traceback.print_exc()
        terminal.err.print(
            "This is a bug in hackorda_ops: nothing was judged. Please report the lines above."
        )
        sys.exit(3)
    sys.exit(0)


def _interrupted(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _load(path: Path | None) -> Config:
    return config_file.load(config_file.locate(path, os.environ))


def _choose_database(path: Path | None, name: str | None, offsite: str | None = None) -> tuple[str, Database]:
    """The database that a command is about; one known by its off-site bucket alone needs no file."""
    if offsite is not None and path is None and not config_file.locate(None, os.environ).exists():
        if name is None:
            raise UsageError(
                "The command doesn't say which database's artifacts to look for.",
                meaning="Nothing was read.",
                next_step="Name it: it's the folder's name below the bucket's prefix.",
            )
        return name, Database.model_validate(
            {"offsite": offsite, "dump": {"work_folder": tempfile.gettempdir()}}
        )
    databases = _load(path).databases
    if name is None and len(databases) == 1:
        name = next(iter(databases))
    if name not in databases:
        raise UsageError(
            f"There's no database {name!r} in the configuration."
            if name
            else "There's more than one database.",
            meaning="Nothing was done.",
            next_step=f"Name one of: {', '.join(databases)}.",
        )
    policy = databases[name]
    if offsite is not None:
        given = Database.model_validate({"offsite": offsite}).offsite
        changes = {"bucket": given.bucket, "prefix": given.prefix}
        policy = policy.model_copy(update={"offsite": policy.offsite.model_copy(update=changes)})
    return name, policy


def _open(place: Place, name: str, policy: Database) -> Store:
    opened: Store
    if place == "store":
        opened = environment.open_store(name, policy, os.environ)
    else:
        opened = environment.open_offsite(name, policy, os.environ)
    opened.check()
    return opened


def _places(name: str, policy: Database, offsite: str | None) -> list[Place]:
    if offsite is not None:
        return ["offsite"]
    try:
        environment.require(name, policy, os.environ, {"offsite"})
    except ConfigError:
        terminal.err.print("The off-site bucket isn't shown: its variables are not set here.")
        return ["store"]
    return ["store", "offsite"]


def _restore_target(url: str | None, variable: str) -> ConnectionTarget:
    if url is None and not os.environ.get(variable):
        raise UsageError(
            f"Neither --to nor ${variable} says into which database to restore.",
            meaning="Nothing was restored.",
            next_step=f"Create a new, empty database and put its URL into {variable}.",
        )
    if url is None:
        return connection.direct(connection.parse(os.environ[variable], origin=f"${variable}"))
    target = connection.direct(connection.parse(url, origin="--to"))
    if target.password is not None:
        raise UsageError(
            "The URL after --to holds a password, which every user of this machine can read.",
            meaning="Nothing was restored; consider that password known.",
            next_step=f"Put the whole URL into {variable}, or leave the password out and set PGPASSWORD.",
        )
    return ConnectionTarget(target.parameters, os.environ.get("PGPASSWORD"))


def _source_if_known(name: str, policy: Database, private: Path) -> ConnectionTarget | None:
    try:
        return environment.source_target(name, policy, os.environ, private_folder=private)
    except ConfigError:
        return None


def _show_tables(manifest: Manifest) -> None:
    terminal.table(
        f"{manifest.database}, snapshot of {manifest.captured_at:%Y-%m-%d %H:%M:%S} UTC",
        ("table", "rows in snapshot#", "rows in archive#", "content digest"),
        [
            (
                str(each.name),
                f"{manifest.table(each.name).rows or 0:,}",
                f"{each.rows:,}",
                f"{each.digest[:12]}…",
            )
            for each in manifest.tables
        ],
    )


def _conclude(
    verdict: str, sentence: str, manifest: Manifest, found: Sequence[Finding], *, as_json: bool
) -> NoReturn:
    if as_json:
        _print_json({**_summary(manifest), "verdict": verdict, "findings": found})
    else:
        terminal.findings(found)
        terminal.verdict(verdict, sentence)
    raise typer.Exit(0 if verdict == "PASS" else 1)


def _summary(manifest: Manifest) -> dict[str, Any]:
    return {
        "database": manifest.database,
        "artifact_id": manifest.artifact_id,
        "night": manifest.night,
        "captured_at": manifest.captured_at,
        "rows": manifest.rows,
        "tables": len(manifest.tables),
        "size_bytes": manifest.size_bytes,
        "server_version": manifest.inventory.source.server_version,
        "sound": manifest.sound,
    }


def _print_json(value: Any) -> None:
    print(json.dumps(value, default=lambda each: getattr(each, "__dict__", None) or str(each), indent=1))


if __name__ == "__main__":
    main()
