"""Scratch on Neon: a branch of the source's project, whose history goes back to the artifact."""

from collections.abc import Iterator
from contextlib import contextmanager

from hackorda_ops.concerns import Looked
from hackorda_ops.config.scratch import NeonSection
from hackorda_ops.environment import Protected
from hackorda_ops.given import given
from hackorda_ops.neon.client import NEON_API, NeonClient, open_client
from hackorda_ops.neon.transport import RETRY_BUDGET_SECONDS
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.scratch.neon.history import NeonHistory
from hackorda_ops.scratch.neon.preflight import look_at_neon
from hackorda_ops.scratch.neon.scratch import NeonScratch
from hackorda_ops.scratch.preflight import Wanted
from hackorda_ops.scratch.provider import Provider


@contextmanager
def _client(
    section: NeonSection, protected: Protected, budget_seconds: float | None = None
) -> Iterator[NeonClient]:
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
) -> Iterator[NeonScratch]:
    with _client(section, protected, budget_seconds) as client:
        yield NeonScratch(protected.name, client, source)


def _look(section: NeonSection, protected: Protected, wanted: Wanted) -> Iterator[Looked]:
    with _client(section, protected) as client:
        yield from look_at_neon(client, wanted, history_days=protected.policy.objectives.history_days)


@contextmanager
def _history(section: NeonSection, protected: Protected, source: ConnectionTarget) -> Iterator[NeonHistory]:
    with _client(section, protected) as client:
        yield NeonHistory(protected.name, client, source)


PROVIDER = Provider(NeonSection, "neon", _opened, _look, _history)
