import pickle
import socket

import httpx
import pytest

from hackorda_ops.errors import NeonRefused, NeonUnavailable
from hackorda_ops.local.neon import LocalNeon
from hackorda_ops.local.neon.faults import Fault, Garbled, Slow
from hackorda_ops.neon.client import NeonClient, open_client
from hackorda_ops.neon.models import (
    BranchAnswer,
    BranchesAnswer,
    CreatedBranch,
    ErrorAnswer,
    LabelledBranch,
    NeonBranch,
    Operation,
    OperationsAnswer,
)
from hackorda_ops_tests.neon.clocks import HurriedClock

pytestmark = pytest.mark.server


def test_the_project_tells_its_limits(client: NeonClient) -> None:
    project = client.project()

    assert project.pg_version == 17
    assert project.history_retention_seconds == 7 * 24 * 3600
    assert project.owner is not None
    assert project.owner.branches_limit == 10


def test_a_wrong_key_ends_in_one_clear_error_without_the_key(neon: LocalNeon) -> None:
    with (
        open_client(neon.project_id, "napi_wrong", base_url=neon.base_url) as client,
        pytest.raises(NeonRefused) as caught,
    ):
        client.project()

    assert "HTTP 401" in str(caught.value)
    assert "API key" in caught.value.next_step
    assert "napi_wrong" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "  ", "napi_a\nb", "napi_ключ", "two words"])
def test_a_key_that_cannot_be_one_is_refused_before_anything_is_sent(key: str) -> None:
    with pytest.raises(NeonRefused, match="API key") as caught, open_client("project", key):
        raise AssertionError("no client was to be made")

    assert not key.strip() or key not in str(caught.value)


def test_a_key_with_a_line_end_from_a_secret_file_works(neon: LocalNeon) -> None:
    with open_client(neon.project_id, f"{neon.api_key}\n", base_url=neon.base_url) as client:
        assert client.project().id == neon.project_id


def test_the_key_is_in_no_repr_and_in_no_message(neon: LocalNeon, client: NeonClient) -> None:
    neon.misbehave(Fault("getProject", 403, message=f"key {neon.api_key} may not do this"))

    with pytest.raises(NeonRefused) as caught:
        client.project()

    assert neon.api_key not in repr(client)
    assert neon.api_key not in repr(neon)
    assert neon.api_key not in str(caught.value)


def test_an_unknown_project_is_refused_with_its_request_id(neon: LocalNeon) -> None:
    with (
        open_client("other-project", neon.api_key, base_url=neon.base_url) as client,
        pytest.raises(NeonRefused, match=r"project not found \(request id local-"),
    ):
        client.project()


def test_an_error_survives_pickling_as_dagster_does_it(neon: LocalNeon, client: NeonClient) -> None:
    neon.misbehave(Fault("getProject", 403))

    with pytest.raises(NeonRefused) as caught:
        client.project()

    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("status", [423, 429, 500, 502, 503, 524, None])
def test_a_call_that_only_reads_is_repeated_until_it_is_answered(
    neon: LocalNeon, client: NeonClient, hurried: HurriedClock, status: int | None
) -> None:
    neon.misbehave(*[Fault("getProject", status)] * 3)

    assert client.project().id == neon.project_id
    assert len(hurried.sleeps) == 3


def test_retry_after_is_honoured(neon: LocalNeon, client: NeonClient, hurried: HurriedClock) -> None:
    neon.misbehave(Fault("getProject", 429, retry_after="9"))

    client.project()

    assert hurried.sleeps == [9.25]


def test_a_retry_after_beyond_the_budget_ends_the_call(neon: LocalNeon, client: NeonClient) -> None:
    neon.misbehave(Fault("getProject", 429, retry_after="3600"))

    with pytest.raises(NeonUnavailable, match="HTTP 429"):
        client.project()


def test_a_lasting_conflict_ends_in_a_retryable_error_after_its_budget(neon: LocalNeon) -> None:
    neon.misbehave(*[Fault("getProject", 423, message="conflicting operation")] * 100)
    hurried = HurriedClock()
    with (
        open_client(neon.project_id, neon.api_key, base_url=neon.base_url, clock=hurried.clock()) as client,
        pytest.raises(NeonUnavailable, match="conflicting operation") as caught,
    ):
        client.project()

    assert caught.value.retryable
    assert 100 < hurried.now <= 120


def test_an_address_where_nobody_listens_ends_in_a_retryable_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with (
            open_client("project", "napi_key", base_url=address, clock=HurriedClock().clock()) as client,
            pytest.raises(NeonUnavailable, match="ConnectError"),
        ):
            client.project()


def test_an_answer_of_another_shape_is_refused_without_quoting_it(
    neon: LocalNeon, client: NeonClient
) -> None:
    neon.misbehave(Fault("getConnectionURI", 200, message="postgresql://u:secret@h/d"))

    with pytest.raises(NeonRefused, match="wrong or missing: uri") as caught:
        client.connection_uri(neon.main_branch_id, database="postgres", role="postgres")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("call", ["getProject", "listProjectBranches"])
def test_an_answer_that_was_cut_off_is_asked_for_again(
    neon: LocalNeon, client: NeonClient, hurried: HurriedClock, call: str
) -> None:
    neon.misbehave(Garbled(call))

    assert client.project().id == neon.project_id
    assert [found.branch.name for found in client.branches()] == ["main"]
    assert len(hurried.sleeps) == 1


def test_an_answer_that_comes_too_late_is_asked_for_again(neon: LocalNeon, hurried: HurriedClock) -> None:
    neon.misbehave(Slow("getProject", 0.5))
    with open_client(
        neon.project_id, neon.api_key, base_url=neon.base_url, clock=hurried.clock(), budget_seconds=0.3
    ) as client:
        with pytest.raises(NeonUnavailable, match=r"ReadTimeout|took longer"):
            client.project()
        neon.forget_faults()
        assert client.project().id == neon.project_id


def test_a_passwords_url_in_an_error_is_not_shown(neon: LocalNeon, client: NeonClient) -> None:
    neon.misbehave(Fault("getProject", 400, message="bad uri postgresql://app:hunter2@host/db"))

    with pytest.raises(NeonRefused, match="bad uri") as caught:
        client.project()

    assert "hunter2" not in str(caught.value)


def test_all_pages_are_read_and_the_last_one_ends_it(
    client: NeonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hackorda_ops.neon.client._PAGE_SIZE", 2)
    made = []
    for number in range(5):
        answer = client.create_branch({"branch": {"name": f"somebody-{number}"}}, name=f"somebody-{number}")
        assert isinstance(answer, CreatedBranch)
        made.append(answer.branch.id)
    try:
        names = [found.branch.name for found in client.branches()]
        searched = client.branches(search="somebody-")
    finally:
        for branch_id in made:
            client.delete_branch(branch_id)

    assert sorted(names) == sorted(["main", *(f"somebody-{number}" for number in range(5))])
    assert "main" not in {found.branch.name for found in searched}
    assert len(searched) == 5


def test_main_lists_its_databases_and_endpoint(neon: LocalNeon, client: NeonClient) -> None:
    assert "postgres" not in [database.name for database in client.databases(neon.main_branch_id)]
    assert [endpoint.type for endpoint in client.endpoints(neon.main_branch_id)] == ["read_write"]


@pytest.mark.parametrize("body", [None, [], "text", {"message": None, "code": 7}])
def test_an_error_body_of_any_shape_is_readable(body: object) -> None:
    assert ErrorAnswer.model_validate(body) == ErrorAnswer()


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_value_that_is_null_or_empty_is_like_one_that_is_not_there(nothing: object) -> None:
    branch = {"id": "br-1", "name": "main", "parent_lsn": nothing, "parent_timestamp": nothing}
    page = BranchesAnswer.model_validate(
        {"branches": [branch], "annotations": nothing, "pagination": nothing}
    )
    unannotated = BranchesAnswer.model_validate({"branches": [branch], "annotations": {"br-1": nothing}})
    created = CreatedBranch.model_validate({"branch": branch, "endpoints": nothing, "operations": nothing})

    found = LabelledBranch(branch=NeonBranch(id="br-1", name="main"))
    assert page.labelled() == unannotated.labelled() == (found,)
    assert page.pagination.next is None
    assert BranchAnswer.model_validate({"branch": branch, "annotation": nothing}).labelled() == found
    assert created == CreatedBranch(branch=found.branch)
    assert OperationsAnswer.model_validate({"operations": nothing}).operations == ()


def test_unknown_fields_actions_and_states_are_tolerated() -> None:
    operation = Operation.model_validate(
        {"id": "1", "action": "tenant_reticulate", "status": "pondering", "shard": 3}
    )

    assert not operation.succeeded
    assert not operation.failed


def test_the_plane_answers_a_wrong_path_like_an_api(neon: LocalNeon) -> None:
    answer = httpx.get(f"{neon.base_url}/nowhere", trust_env=False)

    assert answer.status_code == 404
    assert set(answer.json()) == {"request_id", "code", "message"}


@pytest.mark.parametrize(
    "url", ["console.neon.tech/api/v2", "ftp://console.neon.tech", "https://host:port", ""]
)
def test_a_url_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(NeonRefused, match="URL"), open_client("project", "key", base_url=url) as client:
        client.project()
