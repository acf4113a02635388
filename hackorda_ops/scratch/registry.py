"""The one list of what can be scratch. To add a provider: a file of its own in this folder, and a line at the end."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

from hackorda_ops.concerns import Looked
from hackorda_ops.config.models import Policy
from hackorda_ops.config.scratch import SCRATCH_SECTIONS
from hackorda_ops.environment import Protected
from hackorda_ops.scratch import neon, redis, server
from hackorda_ops.scratch.place import Scratch
from hackorda_ops.scratch.provider import Provider

PROVIDERS: Final[dict[str, Provider[Any]]] = {}


def register(key: str, provider: Provider[Any]) -> None:
    """Makes a provider known, to databases.yaml as well.

    Args:
        key: its name there: `scratch: {KEY: {…}}`.
        provider: what it brings along.
    """
    PROVIDERS[key] = provider
    SCRATCH_SECTIONS[key] = provider.section


def provider_of(policy: Policy) -> Provider[Any]:
    """The provider that a database's configuration names."""
    return PROVIDERS[policy.scratch.provider]


def opened(
    protected: Protected, source: Any, *, budget_seconds: float | None = None
) -> AbstractContextManager[Scratch]:
    """The scratch that a database's configuration names.

    Args:
        protected: the database.
        source: the live database, as its engine reaches it.
        budget_seconds: how long a call of the provider's API is repeated; None for as long as it thinks right.

    Raises:
        ConfigError: its variables are missing.
        OpsError: it refuses them.
    """
    protected.require("scratch")
    policy = protected.policy
    return provider_of(policy).opened(policy.scratch.section, protected, source, budget_seconds)


def look(protected: Protected, wanted: Any) -> Iterator[Looked]:
    """Whether the scratch of a database is as a drill needs it.

    Args:
        protected: the database.
        wanted: what is required of it, as its engine says it (`scratch.preflight.Wanted` for Postgres).

    Raises:
        ConfigError: its variables are missing.
        OpsError: it refuses them.
    """
    protected.require("scratch")
    policy = protected.policy
    return provider_of(policy).look(policy.scratch.section, protected, wanted)


register("neon", neon.PROVIDER)
register("server", server.PROVIDER)
register("redis", redis.PROVIDER)
