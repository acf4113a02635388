"""Scratch on a plain Postgres server, which keeps no history of the source."""

from collections.abc import Iterator
from contextlib import contextmanager

from hackorda_ops.concerns import Looked
from hackorda_ops.config.scratch import ServerSection
from hackorda_ops.environment import Protected
from hackorda_ops.given import given
from hackorda_ops.postgres.sessions import connection, tls
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.scratch.preflight import Wanted
from hackorda_ops.scratch.provider import Provider
from hackorda_ops.scratch.server.preflight import look_at_server
from hackorda_ops.scratch.server.scratch import ServerScratch


def _admin(section: ServerSection, protected: Protected) -> ConnectionTarget:
    """Any database of the server, as a role that may create others."""
    variable = section.admin_url_env
    target = connection.parse(given(protected.environ, variable), origin=f"${variable}")
    return tls.encrypted_elsewhere(connection.direct(target))


@contextmanager
def _opened(
    section: ServerSection,
    protected: Protected,
    source: ConnectionTarget,
    budget_seconds: float | None,  # noqa: ARG001  # there is no API, and each look says how long to try
) -> Iterator[ServerScratch]:
    yield ServerScratch(protected.name, _admin(section, protected), source)


def _look(section: ServerSection, protected: Protected, wanted: Wanted) -> Iterator[Looked]:
    yield from look_at_server(protected.name, _admin(section, protected), wanted)


PROVIDER = Provider(ServerSection, "drill", _opened, _look)
