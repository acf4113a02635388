"""The calls of Neon's control API that this product makes, each with timeouts and a retry budget.

Neon has no idempotency keys. A call that only reads, or that does no more when done twice, is repeated until it is
answered or its budget is spent. A call that must not be done twice is repeated only where Neon says that nothing
was done; otherwise it ends in `AnswerLost`, and the caller looks before it acts again (`branches.py` does).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from hackorda_ops.errors import NeonRefused, NeonUnavailable
from hackorda_ops.neon import refusals
from hackorda_ops.neon.models import (
    BranchAnswer,
    BranchesAnswer,
    ConnectionUriAnswer,
    CreatedBranch,
    Database,
    DatabasesAnswer,
    Endpoint,
    EndpointsAnswer,
    ErrorAnswer,
    LabelledBranch,
    Operation,
    OperationAnswer,
    OperationsAnswer,
    Project,
    ProjectAnswer,
    Role,
    RolesAnswer,
)
from hackorda_ops.neon.retry import Clock, Reading, delay_seconds, read_status, retry_after_seconds

NEON_API = "https://console.neon.tech/api/v2"

# A conflicting operation (423) of Neon's own may hold a project for two minutes.
RETRY_BUDGET_SECONDS = 120.0
# Creating a branch took 12 s in the field, and more is to be expected: the answer is worth waiting for.
_READ_TIMEOUT_SECONDS = 75.0
_TIMEOUT = httpx.Timeout(30.0, connect=10.0, read=_READ_TIMEOUT_SECONDS)
_PAGE_SIZE = 100
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Failures before the request has left: nothing can have been done.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

_Model = TypeVar("_Model", bound=BaseModel)


class AnswerLost(NeonUnavailable):
    """Nobody knows whether the call was carried out: look before doing it again."""


@dataclass(frozen=True)
class Response:
    """An answer that its caller understands: a success, or a status it asked to see."""

    status: int
    body: object = field(repr=False)
    error: ErrorAnswer


@dataclass(frozen=True)
class NeonClient:
    """The control API for one project. Made by `open_client`; its repr holds no secret.

    Every method raises NeonRefused where asking again changes nothing, and NeonUnavailable when its
    budget (`RETRY_BUDGET_SECONDS`) was spent without a usable answer.
    """

    project_id: str
    clock: Clock
    _http: httpx.Client = field(repr=False)
    _api_key: str = field(repr=False)

    def project(self) -> Project:
        """The project with its limits and its history window."""
        response = self._send("GET", self._path(), doing="describe the project")
        return _read(ProjectAnswer, response).project

    def branches(self, *, search: str | None = None) -> tuple[LabelledBranch, ...]:
        """All branches, or those whose name or id contains `search`, with their annotations."""
        found: dict[str, LabelledBranch] = {}
        cursor: str | None = None
        while True:
            wanted = {"search": search, "cursor": cursor, "limit": str(_PAGE_SIZE), "sort_by": "created_at"}
            response = self._send(
                "GET",
                self._path("branches"),
                doing="list the branches",
                query={name: value for name, value in wanted.items() if value is not None},
            )
            page = _read(BranchesAnswer, response)
            new = {one.branch.id: one for one in page.labelled() if one.branch.id not in found}
            found |= new
            # `next` is there on the last page too: the end is where nothing new comes.
            if not new or page.pagination.next is None:
                return tuple(found.values())
            cursor = page.pagination.next

    def branch(self, branch_id: str) -> LabelledBranch | None:
        """One branch with its annotation; None where there is none (also for a moment after its creation)."""
        response = self._send(
            "GET", self._path("branches", branch_id), doing=f"describe the branch {branch_id}", also=(404,)
        )
        return None if response.status == 404 else _read(BranchAnswer, response).labelled()

    def create_branch(self, request: Mapping[str, object], *, name: str) -> CreatedBranch | Response:
        """Asks for a branch, once.

        Args:
            request: the body of POST /projects/{project_id}/branches.
            name: of the branch, for messages.

        Returns:
            The branch, or the refusal (400, 409, 412 or 422) for `branches.py` to weigh.

        Raises:
            AnswerLost: it may have been made.
        """
        response = self._send(
            "POST",
            self._path("branches"),
            doing=f"create the branch {name}",
            body=request,
            repeatable=False,
            also=(400, 404, 406, 409, 412, 422),
        )
        return _read(CreatedBranch, response) if response.status < 300 else response

    def delete_branch(self, branch_id: str) -> tuple[Operation, ...]:
        """Deletes a branch without asking whose it is (`branches.delete_branch` does).

        Returns:
            The operations to wait for; none where the branch was gone already.
        """
        response = self._send(
            "DELETE", self._path("branches", branch_id), doing=f"delete the branch {branch_id}", also=(404,)
        )
        return () if response.status in (204, 404) else _read(OperationsAnswer, response).operations

    def endpoints(self, branch_id: str) -> tuple[Endpoint, ...]:
        """The computes of a branch."""
        response = self._send(
            "GET", self._path("branches", branch_id, "endpoints"), doing=f"list the endpoints of {branch_id}"
        )
        return _read(EndpointsAnswer, response).endpoints

    def databases(self, branch_id: str) -> tuple[Database, ...]:
        """The databases of a branch."""
        response = self._send(
            "GET", self._path("branches", branch_id, "databases"), doing=f"list the databases of {branch_id}"
        )
        return _read(DatabasesAnswer, response).databases

    def create_database(self, branch_id: str, *, name: str, owner: str) -> tuple[Operation, ...] | None:
        """Asks for an empty database on a branch, once.

        Returns:
            The operations to wait for; None where a database of that name is there already.

        Raises:
            AnswerLost: it may have been made.
        """
        response = self._send(
            "POST",
            self._path("branches", branch_id, "databases"),
            doing=f"create the database {name} on {branch_id}",
            body={"database": {"name": name, "owner_name": owner}},
            repeatable=False,
            also=(409,),
        )
        return None if response.status == 409 else _read(OperationsAnswer, response).operations

    def roles(self, branch_id: str) -> tuple[Role, ...]:
        """The roles of a branch."""
        response = self._send(
            "GET", self._path("branches", branch_id, "roles"), doing=f"list the roles of {branch_id}"
        )
        return _read(RolesAnswer, response).roles

    def operation(self, operation_id: str) -> Operation:
        """How far an operation has come."""
        response = self._send(
            "GET", self._path("operations", operation_id), doing=f"describe the operation {operation_id}"
        )
        return _read(OperationAnswer, response).operation

    def recent_operations(self) -> tuple[Operation, ...]:
        """The project's newest operations, newest first."""
        response = self._send(
            "GET", self._path("operations"), doing="list the operations", query={"limit": str(_PAGE_SIZE)}
        )
        return _read(OperationsAnswer, response).operations

    def connection_uri(self, branch_id: str, *, database: str, role: str) -> str:
        """The direct connection URI of a branch. It holds the password, or none where Neon stores none."""
        response = self._send(
            "GET",
            self._path("connection_uri"),
            doing=f"give the connection URI of {branch_id}",
            # Without branch_id Neon answers for the production branch.
            query={"branch_id": branch_id, "database_name": database, "role_name": role, "pooled": "false"},
        )
        return _read(ConnectionUriAnswer, response).uri

    def _path(self, *parts: str) -> str:
        return "/".join(["projects", *(quote(part, safe="") for part in (self.project_id, *parts))])

    def _send(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        repeatable: bool = True,
        also: tuple[int, ...] = (),
    ) -> Response:
        started = self.clock.monotonic()
        attempt = 0
        while True:
            wanted_delay: float | None = None
            try:
                answer = self._http.request(method, path, params=query, json=body)
            except httpx.TransportError as error:
                reading = Reading.AGAIN if repeatable or isinstance(error, _NEVER_SENT) else Reading.LOST
                reason = self._redacted(f"{type(error).__name__} {error}".strip())
            else:
                told = self._error_of(answer)
                reading = read_status(answer.status_code, told.message, repeatable=repeatable)
                if reading is Reading.REFUSED and answer.status_code not in also:
                    raise refusals.refused(doing, answer.status_code, told)
                if reading in (Reading.TAKEN, Reading.REFUSED):
                    return Response(answer.status_code, _json(answer), told)
                reason = refusals.describe(answer.status_code, told)
                wanted_delay = retry_after_seconds(answer.headers.get("Retry-After"), now=datetime.now(UTC))
            if reading is Reading.LOST:
                raise AnswerLost(
                    f"Neon's answer to the request to {doing} was lost: {reason}",
                    meaning="Nobody knows whether it was done.",
                    next_step="Look in the Neon console whether it is there; the next run's clean-up looks too.",
                )
            delay = delay_seconds(attempt, wanted_delay, self.clock.chance())
            spent = self.clock.monotonic() - started
            if spent + delay > RETRY_BUDGET_SECONDS:
                raise refusals.unavailable(doing, reason, tried_seconds=spent) from None
            self.clock.sleep(delay)
            attempt += 1

    def _error_of(self, answer: httpx.Response) -> ErrorAnswer:
        if answer.status_code < 300:
            return ErrorAnswer()
        told = ErrorAnswer.model_validate(_json(answer))
        return told.model_copy(update={"message": self._redacted(told.message)})

    def _redacted(self, text: str) -> str:
        return text.replace(self._api_key, "***")


@contextmanager
def open_client(
    project_id: str, api_key: str, *, base_url: str = NEON_API, clock: Clock | None = None
) -> Iterator[NeonClient]:
    """A client for one project, for as long as the block lasts.

    Args:
        project_id: as in the Neon console's URL.
        api_key: a project-scoped key is enough.
        base_url: of the API; another one for a stand-in.
        clock: time and chance; the machine's own unless given.

    Raises:
        NeonRefused: the key can't be one.
    """
    key = api_key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        # httpx would put the whole header into its own error.
        raise NeonRefused(
            "The Neon API key is empty or holds characters that no key has.",
            meaning="No request was sent.",
            next_step="Copy the key from the Neon console again, and set its environment variable.",
        )
    with httpx.Client(
        base_url=base_url,
        headers={"Authorization": f"Bearer {key}", "Accept": "application/json"},
        timeout=_TIMEOUT,
        # A company proxy in the environment can't reach this machine's loopback.
        trust_env=urlsplit(base_url).hostname not in _LOOPBACK,
    ) as http:
        yield NeonClient(project_id, clock or Clock(), http, key)


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _read(model: type[_Model], response: Response) -> _Model:
    try:
        return model.model_validate(response.body)
    except ValidationError as error:
        # pydantic's own text quotes the input, which may hold a connection string.
        wrong = ", ".join(
            sorted(
                {".".join(str(part) for part in problem["loc"]) or "the whole" for problem in error.errors()}
            )
        )
    raise NeonRefused(
        f"Neon's answer is not what its API describes (wrong or missing: {wrong}).",
        meaning="The API has changed, or something else answers at this address.",
        next_step="Check the API address in the configuration; if it is right, update this product.",
    )
