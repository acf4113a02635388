"""Looks up, at run time, what a configuration names: connection strings, stores, credentials.

Whatever is missing is told at once, with the key that names it and the remedy.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from hackorda_ops.config.models import Database
from hackorda_ops.config.places import Scratch
from hackorda_ops.errors import ConfigError
from hackorda_ops.given import given
from hackorda_ops.neon.client import NEON_API, NeonClient, open_client
from hackorda_ops.neon.transport import RETRY_BUDGET_SECONDS
from hackorda_ops.postgres.sessions import connection, tls
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.stores import registry
from hackorda_ops.stores.store import Store

Need = Literal["source", "store", "offsite", "scratch"]


def require(name: str, database: Database, environ: Mapping[str, str], needs: Collection[Need]) -> None:
    """Checks that every variable an operation will read is set.

    Args:
        name: the database's name in databases.yaml.
        database: its configuration.
        environ: the environment.
        needs: the parts of the configuration that the operation uses.

    Raises:
        ConfigError: listing every missing variable with its key and remedy.
    """
    problems = list(_missing(name, database, environ, needs))
    if problems:
        raise ConfigError(
            f"databases.yaml names {len(problems)} environment variable(s) that are not set:\n"
            + "\n".join(f"  {problem}" for problem in problems),
            meaning="Nothing was attempted.",
            next_step="Set them where this runs, or change the key to the variable that you do set.",
        )


def _missing(
    name: str, database: Database, environ: Mapping[str, str], needs: Collection[Need]
) -> Iterator[str]:
    if "source" in needs:
        variable, key = _source_variable(database)
        if not given(environ, variable):
            yield f"databases.{name}.source.{key}: set {variable} to the database's connection string"
    if "store" in needs:
        yield from database.store.missing(f"databases.{name}.store", environ)
    if "offsite" in needs:
        yield from database.offsite.missing(f"databases.{name}.offsite", environ)
    if "scratch" in needs:
        yield from _missing_of_scratch(f"databases.{name}.scratch", database.scratch, environ)


def _missing_of_scratch(key: str, scratch: Scratch, environ: Mapping[str, str]) -> Iterator[str]:
    if scratch.server is not None:
        variable = scratch.server.admin_url_env
        if not given(environ, variable):
            yield (
                f"{key}.server.admin_url_env: set {variable} to the scratch server's connection string, "
                "for a role that may create databases"
            )
    if scratch.neon is not None:
        neon = scratch.neon
        if not neon.project_id and not given(environ, neon.project_id_env):
            yield f"{key}.neon.project_id_env: set {neon.project_id_env} to the project's id"
        if not given(environ, neon.api_key_env):
            yield f"{key}.neon.api_key_env: set {neon.api_key_env} to a project-scoped API key"


def _source_variable(database: Database) -> tuple[str, str]:
    if database.source.direct_url_env:
        return database.source.direct_url_env, "direct_url_env"
    return database.source.url_env, "url_env"


def source_target(
    name: str, database: Database, environ: Mapping[str, str], *, private_folder: Path
) -> ConnectionTarget:
    """The source's direct endpoint, with TLS as configured.

    Args:
        name: the database's name in databases.yaml.
        database: its configuration.
        environ: the environment.
        private_folder: where the provider's CA bundle is written, if there's one.

    Raises:
        ConfigError: the variable is missing, or what it holds is no connection string.
    """
    require(name, database, environ, {"source"})
    variable, _ = _source_variable(database)
    source = database.source
    target = connection.direct(connection.parse(given(environ, variable), origin=f"${variable}"))
    return tls.with_tls(
        target,
        ca_certificate=given(environ, source.ca_certificate_env) or None,
        mode=source.tls or given(environ, source.tls_mode_env) or None,
        production=given(environ, "NODE_ENV") == "production",
        private_folder=private_folder,
    )


def open_store(name: str, database: Database, environ: Mapping[str, str]) -> Store:
    """Where nightly artifacts live.

    Raises:
        ConfigError: its variables are missing.
    """
    require(name, database, environ, {"store"})
    return registry.open_store(database.store, environ, database.dump.work_folder)


def open_offsite(name: str, database: Database, environ: Mapping[str, str]) -> Store:
    """The off-site bucket.

    Raises:
        ConfigError: its variables are missing.
    """
    require(name, database, environ, {"offsite"})
    return registry.open_store(database.offsite, environ, database.dump.work_folder)


@contextmanager
def open_neon(
    name: str,
    database: Database,
    environ: Mapping[str, str],
    *,
    budget_seconds: float = RETRY_BUDGET_SECONDS,
) -> Iterator[NeonClient]:
    """A client of the Neon project that nights and drills branch; only where `scratch.neon` is configured.

    Args:
        name: the database's name in databases.yaml.
        database: its configuration.
        environ: the environment.
        budget_seconds: how long each call is repeated.

    Raises:
        ConfigError: its variables are missing.
        NeonRefused: the API key can't be one.
    """
    require(name, database, environ, {"scratch"})
    neon = database.scratch.neon
    if neon is None:
        raise AssertionError("the caller has looked which scratch is configured")
    with open_client(
        neon.project_id or given(environ, neon.project_id_env),
        given(environ, neon.api_key_env),
        base_url=given(environ, neon.api_url_env) or NEON_API,
        budget_seconds=budget_seconds,
    ) as client:
        yield client


def names_neon(database: Database, environ: Mapping[str, str]) -> bool:
    """Whether a Neon project is configured, and every variable that a client of it needs is set."""
    return database.scratch.neon is not None and not any(_missing_of_scratch("", database.scratch, environ))


def scratch_admin_target(name: str, database: Database, environ: Mapping[str, str]) -> ConnectionTarget:
    """Any database of the scratch server, as a role that may create others; only for `scratch.server`.

    Raises:
        ConfigError: its variable is missing, or what it holds is no connection string.
    """
    require(name, database, environ, {"scratch"})
    server = database.scratch.server
    if server is None:
        raise AssertionError("the caller has looked which scratch is configured")
    return connection.direct(
        connection.parse(given(environ, server.admin_url_env), origin=f"${server.admin_url_env}")
    )
