"""That the control plane and the client are as Neon's own description of its API has them, and that this is noticed."""

from datetime import UTC, datetime, timedelta

import pytest

from hackorda_ops.history.labels import Label
from hackorda_ops.history.points import AtHead
from hackorda_ops.local.neon import LocalNeon
from hackorda_ops.local.neon.faults import Fault
from hackorda_ops.neon.branches import connection, create_branch, create_database, delete_branch
from hackorda_ops.neon.client import NeonClient
from hackorda_ops_tests.neon.description import Description, Exchange
from hackorda_ops_tests.neon.recording import recorded, required_description

pytestmark = pytest.mark.server

_BRANCHES = "/projects/local-project/branches"


@pytest.fixture(scope="module")
def description() -> Description:
    return required_description()


def test_every_call_and_every_answer_is_as_neon_describes_it(
    neon: LocalNeon, client: NeonClient, description: Description
) -> None:
    neon.misbehave(Fault("getProject", 429, retry_after="1"), Fault("getProjectBranch", 404))
    with recorded() as exchanges:
        client.project()
        branch = create_branch(
            client,
            label=Label("hackorda", "a1b2", "run", "test"),
            point=AtHead(),
            expires_at=datetime.now(UTC) + timedelta(hours=1),
        )
        create_database(client, branch, name="restored", owner="postgres")
        connection(client, branch, database="restored", role="postgres")
        client.endpoints(branch.branch_id)
        client.recent_operations()
        delete_branch(client, branch.branch_id)

    assert len({(one.method, one.path.split("?")[0]) for one in exchanges}) >= 10
    assert {one.status for one in exchanges} >= {200, 201, 404, 429}
    assert [line for one in exchanges for line in description.violations(one)] == []


@pytest.mark.parametrize(
    ("exchange", "told"),
    [
        (Exchange("GET", "/projects/p/nothing", None, 200, {}), "there is no such call"),
        (Exchange("PUT", _BRANCHES, None, 200, {}), "there is no such call"),
        (Exchange("GET", f"{_BRANCHES}?serach=x", None, 404, None), "no query parameter serach"),
        (Exchange("GET", f"{_BRANCHES}?sort_by=age", None, 404, None), "'age' is not one of"),
        (Exchange("GET", f"{_BRANCHES}?limit=0", None, 404, None), "less than the minimum"),
        (
            Exchange("GET", "/projects/p/connection_uri", None, 404, None),
            "needs the query parameter role_name",
        ),
        (Exchange("POST", _BRANCHES, {"branch": {"nmae": "x"}}, 404, None), "there is no field nmae"),
        (Exchange("POST", _BRANCHES, {"branch": {"name": 7}}, 404, None), "7 is not of type 'string'"),
        (
            Exchange("POST", _BRANCHES, {"branch": {"expires_at": "tomorrow"}}, 404, None),
            "'tomorrow' is not a 'date-time'",
        ),
        (Exchange("POST", _BRANCHES, {"endpoints": [{}]}, 404, None), "'type' is a required property"),
        (Exchange("GET", _BRANCHES, None, 200, {"branches": []}), "'annotations' is a required property"),
        (Exchange("GET", _BRANCHES, None, 503, {"code": ""}), "'message' is a required property"),
    ],
)
def test_what_is_not_as_described_is_noticed(description: Description, exchange: Exchange, told: str) -> None:
    assert told in "\n".join(description.violations(exchange))
