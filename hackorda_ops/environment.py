"""A protected database: its configuration, and what that resolves to in this environment.

It's made once, by a command or a run, and passed down: nothing below looks up a variable, and each place is opened
once. Everything missing is reported together, with the key that names it and the remedy.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from hackorda_ops.calendar.due import DueKind
from hackorda_ops.config.models import Policy
from hackorda_ops.errors import ConfigError
from hackorda_ops.given import Variable, given
from hackorda_ops.postgres.sessions import connection, tls
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.tools import clients
from hackorda_ops.postgres.tools.clients import Clients
from hackorda_ops.stores import registry
from hackorda_ops.stores.store import Store

Need = Literal["source", "store", "offsite", "scratch"]


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
        problems = [problem for need in _IN_ORDER if need in needs for problem in self._missing(need)]
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
        variable, _ = _source_variable(self.policy)
        source = self.policy.source
        target = connection.direct(connection.parse(self._given(variable), origin=f"${variable}"))
        return tls.with_tls(
            target,
            ca_certificate=self._given(source.ca_certificate_env) or None,
            mode=source.tls or self._given(source.tls_mode_env) or None,
            production=self._given("NODE_ENV") == "production",
            private_folder=private_folder,
        )

    def application(self) -> ConnectionTarget | None:
        """How the application itself connects to the source, as far as its variable says."""
        variable = self.policy.source.url_env
        try:
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
        """Where nightly artifacts are stored.

        Raises:
            ConfigError: its variables are missing.
        """
        self.require("store")
        return registry.open_store(self.policy.store, self.environ, self.policy.dump.work_folder)

    @cached_property
    def offsite(self) -> Store:
        """The off-site bucket.

        Raises:
            ConfigError: its variables are missing.
        """
        self.require("offsite")
        return registry.open_store(self.policy.offsite, self.environ, self.policy.dump.work_folder)

    @property
    def known_stores(self) -> tuple[Store, ...]:
        """The nightly store and off-site, as far as their variables are set."""
        found: list[Store] = []
        with suppress(ConfigError):
            found.append(self.store)
        with suppress(ConfigError):
            found.append(self.offsite)
        return tuple(found)

    @property
    def mentions_offsite(self) -> bool:
        """Whether anything at all is said about off-site; half of it is a mistake, which `offsite` refuses."""
        offsite = self.policy.offsite
        variables = (offsite.bucket_env, offsite.access_key_id_env, offsite.secret_access_key_env)
        return bool(offsite.bucket or any(self._given(variable) for variable in variables))

    def has(self, need: Need) -> bool:
        """Whether every variable that a part of the configuration needs is set."""
        return not any(self._missing(need))

    def monitor(self, kind: DueKind) -> Variable | None:
        """Where an outside monitor expects to hear of this kind of work; None where none is named or set."""
        variable: str | None = getattr(self.policy.heartbeats, f"{kind}_env")
        url = self._given(variable) if variable else ""
        return Variable(variable, url) if variable and url else None

    def _given(self, variable: str) -> str:
        return given(self.environ, variable)

    def _missing(self, need: Need) -> Iterator[str]:
        policy, key = self.policy, f"databases.{self.name}.{need}"
        if need == "source":
            variable, which = _source_variable(policy)
            if not self._given(variable):
                yield f"{key}.{which}: set {variable} to the database's connection string"
        elif need == "store":
            yield from policy.store.missing(key, self.environ)
        elif need == "offsite":
            yield from policy.offsite.missing(key, self.environ)
        else:
            scratch = policy.scratch
            yield from scratch.section.missing(f"{key}.{scratch.provider}", self.environ)


_IN_ORDER: tuple[Need, ...] = ("source", "store", "offsite", "scratch")


def _source_variable(policy: Policy) -> tuple[str, str]:
    if policy.source.direct_url_env:
        return policy.source.direct_url_env, "direct_url_env"
    return policy.source.url_env, "url_env"
