"""The history of a Neon project: copies of the source are branches of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from hackorda_ops.config.neon import NeonSection
from hackorda_ops.environment import Protected
from hackorda_ops.given import given
from hackorda_ops.histories.kind import HistoryKind
from hackorda_ops.histories.neon.history import TRAITS, NeonHistory
from hackorda_ops.histories.neon.primary import NeonPrimary
from hackorda_ops.neon.client import NEON_API, NeonClient, open_client
from hackorda_ops.neon.transport import RETRY_BUDGET_SECONDS
from hackorda_ops.postgres.sessions.connection import ConnectionTarget


@contextmanager
def project_of(
    section: NeonSection, protected: Protected, budget_seconds: float | None = None
) -> Iterator[NeonClient]:
    """A client of the project that a database's configuration names.

    Args:
        section: the project's section of databases.yaml, of which no variable is missing.
        protected: the database.
        budget_seconds: how long a call is repeated; None for as long as the client thinks right.
    """
    environ = protected.environ
    with open_client(
        section.project_id or given(environ, section.project_id_env),
        given(environ, section.api_key_env),
        base_url=given(environ, section.api_url_env) or NEON_API,
        budget_seconds=RETRY_BUDGET_SECONDS if budget_seconds is None else budget_seconds,
    ) as client:
        yield client


@contextmanager
def _opened(
    section: NeonSection, protected: Protected, source: ConnectionTarget, budget_seconds: float | None
) -> Iterator[NeonHistory]:
    with project_of(section, protected, budget_seconds) as client:
        yield NeonHistory(protected.name, client, source)


@contextmanager
def _primary(section: NeonSection, protected: Protected, source: ConnectionTarget) -> Iterator[NeonPrimary]:
    project_id = section.project_id or given(protected.environ, section.project_id_env)
    api = given(protected.environ, section.api_url_env) or NEON_API
    with project_of(section, protected) as client:
        yield NeonPrimary(
            protected.name,
            client,
            source,
            by_hand_url=f"{api}/projects/{project_id}",
            key=section.api_key_env,
        )


KIND = HistoryKind(NeonSection, TRAITS, "neon", _opened, primary=_primary)
