"""Scratch on Neon: a branch of the source's project, whose history goes back to the artifact."""

from collections.abc import Iterator
from contextlib import contextmanager

from hackorda_ops.concerns import Looked
from hackorda_ops.config.neon import NeonSection
from hackorda_ops.environment import Protected
from hackorda_ops.histories.neon import project_of
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.scratch.neon.preflight import look_at_neon
from hackorda_ops.scratch.neon.scratch import NeonScratch
from hackorda_ops.scratch.preflight import Wanted
from hackorda_ops.scratch.provider import Provider


@contextmanager
def _opened(
    section: NeonSection, protected: Protected, source: ConnectionTarget, budget_seconds: float | None
) -> Iterator[NeonScratch]:
    with project_of(section, protected, budget_seconds) as client:
        yield NeonScratch(protected.name, client, source)


def _look(section: NeonSection, protected: Protected, wanted: Wanted) -> Iterator[Looked]:
    with project_of(section, protected) as client:
        yield from look_at_neon(client, wanted, history_days=protected.policy.objectives.history_days)


PROVIDER = Provider(NeonSection, "neon", _opened, _look)
