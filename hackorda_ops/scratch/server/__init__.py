"""Scratch on a plain Postgres server, which keeps no history of the source."""

from collections.abc import Iterator
from contextlib import contextmanager

from hackorda_ops.concerns import Looked
from hackorda_ops.config.scratch import ServerSection
from hackorda_ops.environment import Protected
from hackorda_ops.given import given
from hackorda_ops.own_folders import private_folder
from hackorda_ops.postgres.sessions import connection, tls
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.scratch.preflight import Wanted
from hackorda_ops.scratch.provider import Provider
from hackorda_ops.scratch.server.preflight import look_at_server
from hackorda_ops.scratch.server.scratch import ServerScratch


@contextmanager
def _admin(section: ServerSection, protected: Protected) -> Iterator[ConnectionTarget]:
    """Any database of the server, as a role that may create others, for as long as the block lasts."""
    variable, environ = section.admin_url_env, protected.environ
    target = connection.parse(given(environ, variable), origin=f"${variable}")
    with private_folder() as private:
        yield tls.of_a_copy(
            connection.direct(target),
            ca_certificate=given(environ, section.ca_certificate_env) or None,
            mode=section.tls or given(environ, section.tls_mode_env) or None,
            private_folder=private,
            named=section.tls_mode_env,
            accept_off=section.tls == "disable",
            section="scratch.server",
        )


@contextmanager
def _opened(
    section: ServerSection,
    protected: Protected,
    source: ConnectionTarget,
    budget_seconds: float | None,  # noqa: ARG001  # there is no API, and each look says how long to try
) -> Iterator[ServerScratch]:
    with _admin(section, protected) as admin:
        yield ServerScratch(protected.name, admin, source, section.superuser, section.restore_as_admin)


def _look(section: ServerSection, protected: Protected, wanted: Wanted) -> Iterator[Looked]:
    with _admin(section, protected) as admin:
        yield from look_at_server(protected.name, admin, wanted, section)


PROVIDER = Provider(ServerSection, "drill", _opened, _look)
