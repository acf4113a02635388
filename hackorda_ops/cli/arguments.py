"""The commands' arguments, and what they resolve to."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.printing import note
from hackorda_ops.config import file as config_file
from hackorda_ops.config.encryption import IdentitySection
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.engines.engine import Engine, Target
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, OpsError, UsageError
from hackorda_ops.given import given
from hackorda_ops.stores.store import PlaceName, Store


def database_names(incomplete: str) -> list[str]:
    """What a shell may complete for a database's name; nothing where the configuration can't be read."""
    try:
        return [name for name in _load(None).databases if name.startswith(incomplete)]
    except OpsError:
        return []


DatabaseName = Annotated[
    str | None,
    typer.Argument(
        metavar="[DATABASE]",
        help="The database's name in databases.yaml; optional if there's only one.",
        autocompletion=database_names,
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
        help="Use this bucket instead of the configured one; no databases.yaml is needed then: "
        "OFFSITE_ACCESS_KEY_ID, OFFSITE_SECRET_ACCESS_KEY and, for everything but AWS, "
        "OFFSITE_ENDPOINT_URL and OFFSITE_REGION are enough.",
    ),
]


IdentityFile = Annotated[
    Path | None,
    typer.Option(
        "--identity",
        metavar="FILE",
        help="The identity that opens encrypted artifacts (of age-keygen, or an SSH private key), instead of the one "
        "that databases.yaml names.",
    ),
]


def choose_database(
    path: Path | None, name: str | None, offsite: str | None = None, identity: Path | None = None
) -> Protected:
    """The database that a command works on; with --offsite it needs no configuration file.

    Args:
        path: the path of databases.yaml; None to search for it.
        name: the database's name; None if there is only one.
        offsite: s3://BUCKET/PREFIX to use instead of the configured one; None for that.
        identity: the file that --identity names; None for what is configured.
    """
    chosen = _chosen(path, name, offsite)
    if identity is None:
        return chosen
    section = IdentitySection(file=identity.expanduser().absolute())
    return replace(chosen, policy=chosen.policy.model_copy(update={"identity": section}))


def _chosen(path: Path | None, name: str | None, offsite: str | None) -> Protected:
    if offsite is not None and path is None and not config_file.locate(None, os.environ).exists():
        if name is None:
            raise UsageError(
                "The command doesn't say which database's artifacts to look for.",
                meaning="Nothing was read.",
                next_step="Name the database: it's the name of its folder below the bucket's prefix.",
            )
        policy = Policy.model_validate({"offsite": offsite, "dump": {"work_folder": tempfile.gettempdir()}})
        return _protected(name, policy)
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
        given = Policy.model_validate({"offsite": offsite}).offsite
        changes = {"bucket": given.bucket, "prefix": given.prefix}
        policy = policy.model_copy(update={"offsite": policy.offsite.model_copy(update=changes)})
    return _protected(name, policy)


def choose_databases(path: Path | None, name: str | None) -> tuple[Protected, ...]:
    """The databases that a command works on: the named one, or all of them."""
    if name is not None:
        return (choose_database(path, name),)
    return tuple(_protected(each, policy) for each, policy in _load(path).databases.items())


def _protected(name: str, policy: Policy) -> Protected:
    return Protected(name, policy, dict(os.environ))


def _load(path: Path | None) -> Config:
    return config_file.load(config_file.locate(path, os.environ))


def open_place(place: PlaceName, protected: Protected) -> Store:
    """The nightly store or the off-site bucket, once it has answered."""
    opened: Store = protected.store if place == "store" else protected.offsite
    opened.check()
    return opened


def open_reachable(
    protected: Protected, place: PlaceName | None, offsite: str | None
) -> dict[PlaceName, Store]:
    """The places that a restore may fetch from: those that answer, off-site first.

    Args:
        protected: the database.
        place: the only one to open; None for every one that is configured.
        offsite: the bucket named on the command line: no other place is opened then.

    Raises:
        OpsError: none of them can be opened; the error is off-site's, where that was to be opened.
    """
    wanted: tuple[PlaceName, ...] = ("offsite",) if offsite is not None else ("offsite", "store")
    opened: dict[PlaceName, Store] = {}
    refusals: list[OpsError] = []
    for each in (place,) if place is not None else wanted:
        try:
            opened[each] = open_place(each, protected)
        except OpsError as error:
            refusals.append(error)
    if not opened:
        first, *others = refusals
        for refusal in others:
            first.add_note(f"The other place can't be used either: {refusal.what}")
        raise first
    for refusal in refusals:
        note(f"One place can't be used: {refusal.what}")
    return opened


def places(protected: Protected, offsite: str | None) -> list[PlaceName]:
    """Where to look for artifacts: off-site only if asked for, the store only if off-site isn't configured."""
    if offsite is not None:
        return ["offsite"]
    try:
        protected.require("offsite")
    except ConfigError:
        terminal.err.print("The off-site bucket isn't shown: its variables are not set here.")
        return ["store"]
    return ["offsite"] if protected.straight_offsite else ["store", "offsite"]


def require_target_named(url: str | None, variable: str) -> None:
    """Makes sure that --to or the variable names something to restore into.

    Raises:
        UsageError: neither does.
    """
    if url is None and not given(os.environ, variable):
        raise UsageError(
            f"Neither --to nor ${variable} names the database to restore into.",
            meaning="Nothing was restored.",
            next_step=f"Create a new, empty database and put its URL into {variable}.",
        )


def restore_target(engine: Engine, url: str | None, variable: str) -> Target:
    """The empty database to restore into, from --to or the variable; never with a password on the command line.

    Args:
        engine: the artifact's.
        url: what --to says; None where it isn't given.
        variable: the one that has the URL otherwise.
    """
    if url is None:
        return engine.target(given(os.environ, variable), origin=f"${variable}")
    return engine.without_password_in_url(url, os.environ)


def source_if_known(engine: Engine, protected: Protected, private: Path) -> Target | None:
    """The live database's endpoint; None where its variables are not set here.

    Args:
        engine: the artifact's.
        protected: the database.
        private: for files that must not be read by others.
    """
    try:
        return engine.source(protected, private_folder=private)
    except ConfigError:
        return None
