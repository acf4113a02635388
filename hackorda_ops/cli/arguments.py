"""The commands' arguments, and what they resolve to."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.printing import note
from hackorda_ops.config import file as config_file
from hackorda_ops.config.encryption import IdentitySection
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.config.offsite import OFFSITE, STORE
from hackorda_ops.engines.engine import Engine, Target
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, OpsError, UsageError
from hackorda_ops.given import given
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import PlaceName, Store


def database_names(incomplete: str) -> list[str]:
    """What a shell may complete for a database's name; nothing where the configuration can't be read."""
    try:
        return [name for name in _load(None).databases if name.startswith(incomplete)]
    except OpsError:
        return []


def place_names(incomplete: str) -> list[str]:
    """What a shell may complete for a place; the usual ones where the configuration can't be read."""
    try:
        found = [name for policy in _load(None).databases.values() for name in policy.offsites]
    except OpsError:
        found = []
    return [name for name in dict.fromkeys((STORE, OFFSITE, *found)) if name.startswith(incomplete)]


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
        [given] = Policy.model_validate({"offsite": offsite}).offsites.values()
        buckets = policy.offsites.values()
        # The named one's own credentials and endpoint, where it's among them.
        known = next((each for each in buckets if each.bucket == given.bucket), next(iter(buckets)))
        changes = {"name": None, "bucket": given.bucket, "prefix": given.prefix}
        policy = policy.model_copy(update={"offsite": known.model_copy(update=changes)})
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


def named_places(protected: Protected, word: str) -> tuple[PlaceName, ...]:
    """The places that a word on the command line means: "offsite" is every bucket off-site.

    Args:
        protected: the database.
        word: "store", "offsite", or the name of a bucket off-site.

    Raises:
        UsageError: it's no place of this database.
    """
    if word == OFFSITE:
        return tuple(protected.policy.offsites)
    if word == STORE:
        return (protected.nights_in,)
    if word in protected.policy.offsites:
        return (word,)
    raise UsageError(
        f"{protected.name} has no place {word!r}.",
        meaning="Nothing was done.",
        next_step=f"Name one of: {', '.join(dict.fromkeys((STORE, OFFSITE, *protected.policy.offsites)))}.",
    )


def open_place(place: PlaceName, protected: Protected) -> Store:
    """The nightly store or a bucket off-site, once it has answered."""
    opened = protected.place(place)
    opened.check()
    return opened


def open_reachable(protected: Protected, place: str | None, offsite: str | None) -> dict[PlaceName, Store]:
    """The places that a restore may fetch from: those that answer, off-site first; asked side by side.

    Args:
        protected: the database.
        place: the only one to open, as the command line names it; None for every one that is configured.
        offsite: the bucket named on the command line: no other place is opened then.

    Raises:
        OpsError: none of them can be opened; the error is off-site's, where that was to be opened.
    """
    all_of_them = (*protected.policy.offsites, *(() if offsite is not None else (STORE,)))
    wanted = all_of_them if place is None else named_places(protected, place)
    wanted = tuple(dict.fromkeys(protected.nights_in if each == STORE else each for each in wanted))

    def opened_or_not(name: PlaceName) -> Store | OpsError:
        try:
            store = protected.place(name)
            # Beside others, one that doesn't answer must not delay a restore for minutes.
            (store.with_patience(SOON) if len(wanted) > 1 else store).check()
        except OpsError as error:
            return error
        return store

    with ThreadPoolExecutor(len(wanted), thread_name_prefix="open") as opening:
        answers = dict(zip(wanted, opening.map(opened_or_not, wanted), strict=True))
    opened = {name: each for name, each in answers.items() if not isinstance(each, OpsError)}
    refusals = [each for each in answers.values() if isinstance(each, OpsError)]
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
        return list(protected.policy.offsites)
    known = protected.places
    for name in protected.policy.offsites:
        if name not in known:
            which = "The off-site bucket" if name == OFFSITE else f"The copy in {name}"
            terminal.err.print(f"{which} isn't shown: its variables are not set here.")
    # The store is named even where it can't be opened: its error says why.
    return [name for name in protected.place_names if name in known or name == STORE]


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
