from collections.abc import Iterator
from pathlib import Path

import pytest

from hackorda_ops.local.neon import LocalNeon, running_local_neon
from hackorda_ops.local.neon.faults import ProjectPlan
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.neon.branches import delete_branch, list_own_branches
from hackorda_ops.neon.client import NeonClient, open_client
from hackorda_ops_tests.neon.clocks import HurriedClock


@pytest.fixture(scope="package")
def shared_neon(postgres_server: PostgresServer, server_folder: Path) -> Iterator[LocalNeon]:
    with running_local_neon(postgres_server, server_folder / "neon-client") as neon:
        yield neon


@pytest.fixture
def neon(shared_neon: LocalNeon) -> Iterator[LocalNeon]:
    """The control plane, well-behaved at the start of each test and without branches of ours at its end."""
    shared_neon.change_plan(ProjectPlan())
    yield shared_neon
    shared_neon.change_plan(ProjectPlan())
    shared_neon.forget_faults()
    with open_client(shared_neon.project_id, shared_neon.api_key, base_url=shared_neon.base_url) as client:
        for left in list_own_branches(client):
            delete_branch(client, left.branch.id)


@pytest.fixture
def hurried() -> HurriedClock:
    """Twenty times as fast as real time: real work behind the calls can still keep up."""
    return HurriedClock(pace=0.05)


@pytest.fixture
def client(neon: LocalNeon, hurried: HurriedClock) -> Iterator[NeonClient]:
    with open_client(neon.project_id, neon.api_key, base_url=neon.base_url, clock=hurried.clock()) as client:
        yield client
