"""The calls that change which branch is production, on the control plane: as Neon has them."""

from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.errors import NeonRefused
from hackorda_ops.history.labels import Label
from hackorda_ops.history.points import AtHead
from hackorda_ops.local.neon import LocalNeon, running_local_neon
from hackorda_ops.local.neon.faults import ProjectPlan
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.neon.branches import create_branch
from hackorda_ops.neon.client import NeonClient, open_client
from hackorda_ops.neon.models import NeonBranch
from hackorda_ops.neon.operations import wait_for
from hackorda_ops.neon.refusals import RefusalCode
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops_tests.neon.recording import recorded, required_description

pytestmark = pytest.mark.server


def _client(neon: LocalNeon) -> AbstractContextManager[NeonClient]:
    return open_client(neon.project_id, neon.api_key, base_url=neon.base_url)


def _branches(client: NeonClient) -> dict[str, NeonBranch]:
    return {each.branch.name: each.branch for each in client.branches()}


def _notes(client: NeonClient, branch: NeonBranch, new_database: str) -> int:
    name = parse(new_database, origin="test").database
    uri = client.connection_uri(branch.id, database=name, role="postgres")
    with psycopg.connect(uri) as connection:
        row = connection.execute("SELECT count(*) FROM notes").fetchone()
    assert row is not None
    return int(row[0])


def test_a_branch_becomes_the_default_protected_under_another_name_and_is_replaced_only_with_its_past_kept(
    postgres_server: PostgresServer, server_folder: Path, new_database: str
) -> None:
    with psycopg.connect(new_database) as connection:
        connection.execute("CREATE TABLE notes AS SELECT n FROM generate_series(1, 10) n")
    description = required_description()
    with (
        running_local_neon(postgres_server, server_folder / "neon-primary") as neon,
        _client(neon) as client,
        recorded() as exchanges,
    ):
        main = _branches(client)["main"]
        label = Label("hackorda", "a1b2", "run", "recovery")
        made = create_branch(client, label=label, point=AtHead(), expires_at=None)
        with psycopg.connect(new_database) as connection:
            connection.execute("DELETE FROM notes WHERE n > 3")

        for name in ("main", made.name):
            with pytest.raises(NeonRefused) as taken:
                client.change_branch(made.branch_id if name == "main" else main.id, {"name": name})
            assert taken.value.code == RefusalCode.NAME_TAKEN
        client.change_branch(main.id, {"name": "old"})
        client.change_branch(made.branch_id, {"name": "main"})
        client.set_default(made.branch_id)
        client.change_branch(made.branch_id, {"protected": True})

        now = _branches(client)
        assert (now["main"].id, now["main"].default, now["main"].protected) == (made.branch_id, True, True)
        assert (now["old"].id, now["old"].default, now["old"].protected) == (main.id, False, False)
        neon.change_plan(ProjectPlan(protects_branches=False))
        with pytest.raises(NeonRefused) as limited:
            client.change_branch(main.id, {"protected": True})
        assert limited.value.code == RefusalCode.LIMIT_REACHED

        with pytest.raises(ValueError, match="without keeping"):
            client.restore_branch(main.id, source_id=made.branch_id, keep_as="")
        wait_for(client, client.restore_branch(main.id, source_id=made.branch_id, keep_as="old-before"))

        now = _branches(client)
        assert now["old"].id == main.id
        assert _notes(client, now["old"], new_database) == 10
        assert _notes(client, now["old-before"], new_database) == 3
        assert now["main"].parent_id == now["old-before"].id
    assert [line for one in exchanges for line in description.violations(one)] == []
