"""A protected database: its configuration, and what that resolves to in this environment.

It's made once, by a command or a run, and passed down: nothing below looks up a variable, and each place is opened
once. Everything missing is reported together, with the key that names it and the remedy.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from hackorda_ops.calendar.due import DueKind
from hackorda_ops.config.models import Policy
from hackorda_ops.config.offsite import STORE
from hackorda_ops.config.source import ConnectionVariables, Source
from hackorda_ops.errors import ConfigError
from hackorda_ops.given import Variable, given
from hackorda_ops.postgres.sessions import connection, tls
from hackorda_ops.postgres.sessions.assembled import assemble
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.tools import clients
from hackorda_ops.postgres.tools.clients import Clients
from hackorda_ops.stores import registry
from hackorda_ops.stores.store import PlaceName, Store

Need = Literal["source", "store", "offsite", "scratch", "history"]


@dataclass(frozen=True)
class Protected:
    """A protected database.

    Attributes:
        name: its name in databases.yaml.
        policy: its configuration.
        environ: where the variables that it names are looked up; in no repr.
    """

    name: str
    policy: Policy
    environ: Mapping[str, str] = field(repr=False)

    def require(self, *needs: Need) -> None:
        """Checks that every variable an operation will read is set.

        Args:
            needs: the parts of the configuration that the operation uses.

        Raises:
            ConfigError: listing every missing variable with its key and remedy.
        """
        self._require(problem for need in _IN_ORDER if need in needs for problem in self._missing(need))

    def _require(self, missing: Iterable[str]) -> None:
        problems = list(dict.fromkeys(missing))
        if problems:
            raise ConfigError(
                f"databases.yaml names {len(problems)} environment variable(s) that are not set:\n"
                + "\n".join(f"  {problem}" for problem in problems),
                meaning="Nothing was attempted.",
                next_step="Set them where this runs, or change the keys to the variables that you do set.",
            )

    def source(self, *, private_folder: Path) -> ConnectionTarget:
        """The source's direct endpoint, with TLS as configured.

        Args:
            private_folder: where the provider's CA bundle is written, if there's one.

        Raises:
            ConfigError: the variable is missing, or its value is not a connection string.
        """
        self.require("source")
        source = self.policy.source
        parts, variable = source.variables, source.direct_url_env or source.url_env
        if parts:
            return self._with_tls(self._assembled(parts), private_folder)
        return self.source_by(variable, private_folder=private_folder)

    def source_by(self, variable: str, *, private_folder: Path) -> ConnectionTarget:
        """The source by a connection string of its own, as for another role, with TLS as the source's.

        Args:
            variable: with the connection string.
            private_folder: see `source`.

        Raises:
            ConfigError: the value is not a connection string.
        """
        target = connection.parse(self._given(variable), origin=f"${variable}")
        return self._with_tls(target, private_folder)

    def _with_tls(self, target: ConnectionTarget, private_folder: Path) -> ConnectionTarget:
        source = self.policy.source
        parts, named = source.variables, source.tls_mode_env
        if parts and self._given(parts.sslmode):
            named = parts.sslmode
        return tls.with_tls(
            connection.direct(target),
            ca_certificate=self._given(source.ca_certificate_env) or None,
            mode=source.tls or self._given(named) or None,
            production=self._given("NODE_ENV") == "production",
            private_folder=private_folder,
            named=named,
            accept_off=source.tls == "disable",
        )

    def application(self) -> ConnectionTarget | None:
        """How the application itself connects to the source, as far as its variable says."""
        parts, variable = self.policy.source.variables, self.policy.source.url_env
        try:
            if parts:
                return self._assembled(parts)
            return connection.parse(self._given(variable), origin=f"${variable}")
        except ConfigError:
            return None

    def client_tools(self, major: int) -> Clients:
        """The client tools of a server's major version.

        Raises:
            ClientMissing: there are none.
        """
        return clients.find(major, folders=self.policy.source.client_folders, environ=self.environ)

    @cached_property
    def store(self) -> Store:
        """Where nightly artifacts are stored: off-site itself, where they go straight there.

        Raises:
            ConfigError: its variables are missing.
        """
        self.require("store")
        if self.straight_offsite:
            return self.offsite
        return registry.open_store(self.policy.store, self.environ, self.policy.dump.work_folder)

    @cached_property
    def offsite(self) -> Store:
        """The off-site bucket; of several, the first.

        Raises:
            ConfigError: its variables are missing.
        """
        return self.place(next(iter(self.policy.offsites)))

    def place(self, name: PlaceName) -> Store:
        """The store, or a bucket off-site, by its name.

        Args:
            name: one of `place_names`.

        Raises:
            ConfigError: its variables are missing.
        """
        if name == STORE:
            return self.store
        if name not in self._buckets:
            self._require(self._missing_of(name))
            bucket = self.policy.offsites[name]
            self._buckets[name] = registry.open_store(bucket, self.environ, self.policy.dump.work_folder)
        return self._buckets[name]

    @cached_property
    def _buckets(self) -> dict[PlaceName, Store]:
        return {}

    @property
    def straight_offsite(self) -> bool:
        """Whether the nights go straight to the (first) off-site bucket, which is then the store as well."""
        return self.policy.copies == "nightly"

    @property
    def several_offsite(self) -> bool:
        """Whether there are several buckets off-site, so that one of them may be missing."""
        return len(self.policy.offsites) > 1

    @property
    def place_names(self) -> tuple[PlaceName, ...]:
        """The names of all places, the one with the nights first; each place once."""
        return (*(() if self.straight_offsite else (STORE,)), *self.policy.offsites)

    @property
    def nights_in(self) -> PlaceName:
        """The name of the place where the nights are."""
        return self.place_names[0]

    @property
    def places(self) -> dict[PlaceName, Store]:
        """The nightly store and what is off-site, as far as their variables are set; each place once."""
        found: dict[PlaceName, Store] = {}
        for name in self.place_names:
            with suppress(ConfigError):
                found[name] = self.place(name)
        return found

    @property
    def known_stores(self) -> tuple[Store, ...]:
        """The places whose variables are set; see `places`."""
        return tuple(self.places.values())

    @property
    def mentions_offsite(self) -> bool:
        """Whether anything at all is said about off-site; half of it is a mistake, which `offsite` refuses."""
        buckets = self.policy.offsites.values()
        variables = [
            variable
            for each in buckets
            for variable in (each.bucket_env, each.access_key_id_env, each.secret_access_key_env)
        ]
        return bool(
            self.straight_offsite
            or any(each.bucket for each in buckets)
            or any(self._given(variable) for variable in variables)
        )

    def has(self, need: Need) -> bool:
        """Whether every variable that a part of the configuration needs is set."""
        return not any(self._missing(need))

    def monitor(self, kind: DueKind) -> Variable | None:
        """Where an outside monitor expects to hear of this kind of work; None where none is named or set."""
        variable: str | None = getattr(self.policy.heartbeats, f"{kind}_env")
        url = self._given(variable) if variable else ""
        return Variable(variable, url) if variable and url else None

    def _missing_of(self, place: PlaceName) -> Iterator[str]:
        policy, key = self.policy, f"databases.{self.name}"
        if place == STORE:
            return policy.store.missing(f"{key}.store", self.environ)
        several = len(policy.offsites) > 1
        return policy.offsites[place].missing(f"{key}.offsite{f'[{place}]' if several else ''}", self.environ)

    def _assembled(self, parts: ConnectionVariables) -> ConnectionTarget:
        return assemble(
            host=self._given(parts.host),
            port=self._given(parts.port),
            user=self._given(parts.user),
            database=self._given(parts.database),
            password=self._given(parts.password),
            origin=", ".join(f"${name}" for name in self.policy.source.named),
        )

    def _given(self, variable: str) -> str:
        return given(self.environ, variable)

    def _missing(self, need: Need) -> Iterator[str]:
        policy, key = self.policy, f"databases.{self.name}.{need}"
        if need == "source":
            for which, variable, what in _source_variables(policy.source):
                if not self._given(variable):
                    yield f"{key}.{which}: set {variable} to {what}"
        elif need == "store":
            yield from self._missing_of(self.nights_in)
        elif need == "offsite":
            for name in policy.offsites:
                yield from self._missing_of(name)
        elif need == "history" and policy.history is not None:
            yield from policy.history.section.missing(f"{key}.{policy.history.provider}", self.environ)
        else:
            # Where no history is named, it's the scratch's own.
            scratch, key = policy.scratch, f"databases.{self.name}.scratch"
            yield from scratch.section.missing(f"{key}.{scratch.provider}", self.environ)


_IN_ORDER: tuple[Need, ...] = ("source", "store", "offsite", "scratch", "history")


def _source_variables(source: Source) -> Iterator[tuple[str, str, str]]:
    """The variables without which the source can't be opened: key, variable, and what it's for."""
    if parts := source.variables:
        yield "variables.host", parts.host, "the database server's host"
        yield "variables.user", parts.user, "the role that logs in"
        yield "variables.database", parts.database, "the database's exact name"
    elif source.direct_url_env:
        yield "direct_url_env", source.direct_url_env, "the database's connection string"
    else:
        yield "url_env", source.url_env, "the database's connection string"
