"""The calls of Neon's control API that this product makes, and the answers it expects."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from hackorda_ops.errors import NeonRefused
from hackorda_ops.neon.models import (
    BranchAnswer,
    BranchesAnswer,
    ConnectionUriAnswer,
    CreatedBranch,
    DatabasesAnswer,
    Endpoint,
    EndpointsAnswer,
    LabelledBranch,
    NeonDatabase,
    Operation,
    OperationAnswer,
    OperationsAnswer,
    Project,
    ProjectAnswer,
)
from hackorda_ops.neon.retry import Clock
from hackorda_ops.neon.transport import (
    RETRY_BUDGET_SECONDS,
    AnswerLost,
    Response,
    Transport,
    open_transport,
)

NEON_API = "https://console.neon.tech/api/v2"
_PAGE_SIZE = 100

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class NeonClient:
    """The control API for one project. Made by `open_client`; its repr holds no secret.

    Every method raises NeonRefused if a retry can't help, and NeonUnavailable when its
    budget was spent without a usable answer.
    """

    project_id: str
    _transport: Transport = field(repr=False)

    @property
    def clock(self) -> Clock:
        """The clock and randomness that its calls use."""
        return self._transport.clock

    def project(self) -> Project:
        """The project with its limits and its history window."""
        response = self._transport.send("GET", self._path(), doing="describe the project")
        return _read(ProjectAnswer, response).project

    def branches(self, *, search: str | None = None) -> tuple[LabelledBranch, ...]:
        """All branches, or those whose name or id contains `search`, with their annotations."""
        found: dict[str, LabelledBranch] = {}
        cursor: str | None = None
        while True:
            wanted = {"search": search, "cursor": cursor, "limit": str(_PAGE_SIZE), "sort_by": "created_at"}
            response = self._transport.send(
                "GET",
                self._path("branches"),
                doing="list the branches",
                query={name: value for name, value in wanted.items() if value is not None},
            )
            page = _read(BranchesAnswer, response)
            new = {one.branch.id: one for one in page.labelled() if one.branch.id not in found}
            found |= new
            # `next` is present on the last page too: the end is where nothing new comes.
            if not new or page.pagination.next is None:
                return tuple(found.values())
            cursor = page.pagination.next

    def branch(self, branch_id: str) -> LabelledBranch | None:
        """One branch with its annotation; None where there is none (also for a moment after its creation)."""
        response = self._transport.send(
            "GET", self._path("branches", branch_id), doing=f"describe the branch {branch_id}", also=(404,)
        )
        return None if response.status == 404 else _read(BranchAnswer, response).labelled()

    def create_branch(self, request: Mapping[str, object], *, name: str) -> CreatedBranch | Response:
        """Requests a branch, once.

        Args:
            request: the body of POST /projects/{project_id}/branches.
            name: of the branch, for messages.

        Returns:
            The branch, or the refusal (400, 404, 406, 409, 412 or 422) for `creation.py` to interpret.

        Raises:
            AnswerLost: it was created, or may have been.
        """
        response = self._transport.send(
            "POST",
            self._path("branches"),
            doing=f"create the branch {name}",
            body=request,
            repeatable=False,
            also=(400, 404, 406, 409, 412, 422),
        )
        if response.status >= 300:
            return response
        try:
            return _read(CreatedBranch, response)
        except NeonRefused as error:
            # The branch exists now. The caller finds it by its name, so it isn't left behind.
            raise AnswerLost(error.what, meaning=error.meaning, next_step=error.next_step) from None

    def change_branch(self, branch_id: str, changes: Mapping[str, object]) -> tuple[Operation, ...]:
        """Renames or protects a branch, whosever it is. The same call twice is as good as once.

        Args:
            branch_id: the branch's id.
            changes: its new values, by the names that Neon's API has for them.
        """
        path, doing = self._path("branches", branch_id), f"change {', '.join(changes)} of {branch_id}"
        response = self._transport.send("PATCH", path, doing=doing, body={"branch": changes})
        return _read(OperationsAnswer, response).operations

    def set_default(self, branch_id: str) -> tuple[Operation, ...]:
        """Makes a branch the project's default, in place of the one that is. Twice is as good as once.

        Returns:
            The operations to wait for.
        """
        path = self._path("branches", branch_id, "set_as_default")
        response = self._transport.send("POST", path, doing=f"make {branch_id} the default branch")
        return _read(OperationsAnswer, response).operations

    def restore_branch(
        self, branch_id: str, *, source_id: str, keep_as: str, time: str | None = None
    ) -> tuple[Operation, ...]:
        """Replaces what a branch holds by what it, or another one, held. What it held stays, in a new branch.

        Args:
            branch_id: the branch to replace; its computes and its connection strings stay.
            source_id: the branch to take the data from.
            keep_as: the name of the new branch that holds what was there.
            time: of the data, in RFC 3339; None for what the other branch holds now.

        Returns:
            The operations to wait for.

        Raises:
            AnswerLost: it was done, or may have been: then there's a branch called `keep_as`.
        """
        if not keep_as:
            raise ValueError("a branch is never replaced without keeping what it holds")
        response = self._transport.send(
            "POST",
            self._path("branches", branch_id, "restore"),
            doing=f"replace what {branch_id} holds by what {source_id} holds",
            body={"source_branch_id": source_id, "preserve_under_name": keep_as}
            | ({"source_timestamp": time} if time else {}),
            repeatable=False,
        )
        return _read(OperationsAnswer, response).operations

    def delete_branch(self, branch_id: str) -> tuple[Operation, ...]:
        """Deletes a branch without checking whose it is (`branches.delete_branch` does).

        Returns:
            The operations to wait for; none if the branch was already gone.
        """
        path, doing = self._path("branches", branch_id), f"delete the branch {branch_id}"
        try:
            # Otherwise Neon can restore it for seven days, and it may be a copy of production.
            response = self._transport.send("DELETE", path, doing=doing, query={"hard_delete": "true"})
        except NeonRefused:
            # Not every account has that yet. If the reason was a different one, it's refused again.
            response = self._transport.send("DELETE", path, doing=doing, also=(404,))
        return () if response.status in (204, 404) else _read(OperationsAnswer, response).operations

    def endpoints(self, branch_id: str) -> tuple[Endpoint, ...]:
        """The computes of a branch."""
        response = self._transport.send(
            "GET", self._path("branches", branch_id, "endpoints"), doing=f"list the endpoints of {branch_id}"
        )
        return _read(EndpointsAnswer, response).endpoints

    def databases(self, branch_id: str) -> tuple[NeonDatabase, ...]:
        """The databases of a branch."""
        response = self._transport.send(
            "GET", self._path("branches", branch_id, "databases"), doing=f"list the databases of {branch_id}"
        )
        return _read(DatabasesAnswer, response).databases

    def create_database(self, branch_id: str, *, name: str, owner: str) -> tuple[Operation, ...] | None:
        """Requests an empty database on a branch, once.

        Args:
            branch_id: the branch's id.
            name: the new database's name.
            owner: the role that owns it.

        Returns:
            The operations to wait for; None if a database of that name already exists.

        Raises:
            AnswerLost: it may have been created.
        """
        response = self._transport.send(
            "POST",
            self._path("branches", branch_id, "databases"),
            doing=f"create the database {name} on {branch_id}",
            body={"database": {"name": name, "owner_name": owner}},
            repeatable=False,
            also=(409,),
        )
        return None if response.status == 409 else _read(OperationsAnswer, response).operations

    def operation(self, operation_id: str) -> Operation:
        """An operation's progress."""
        response = self._transport.send(
            "GET", self._path("operations", operation_id), doing=f"describe the operation {operation_id}"
        )
        return _read(OperationAnswer, response).operation

    def recent_operations(self) -> tuple[Operation, ...]:
        """The project's newest operations, newest first."""
        response = self._transport.send(
            "GET", self._path("operations"), doing="list the operations", query={"limit": str(_PAGE_SIZE)}
        )
        return _read(OperationsAnswer, response).operations

    def connection_uri(self, branch_id: str, *, database: str, role: str) -> str:
        """The direct connection URI of a branch, with the password if Neon stores it.

        Args:
            branch_id: the branch's id.
            database: the database's name.
            role: the role that logs in.
        """
        response = self._transport.send(
            "GET",
            self._path("connection_uri"),
            doing=f"give the connection URI of {branch_id}",
            # Without branch_id Neon returns the production branch's.
            query={"branch_id": branch_id, "database_name": database, "role_name": role, "pooled": "false"},
        )
        return _read(ConnectionUriAnswer, response).uri

    def _path(self, *parts: str) -> str:
        return "/".join(["projects", *(quote(part, safe="") for part in (self.project_id, *parts))])


@contextmanager
def open_client(
    project_id: str,
    api_key: str,
    *,
    base_url: str = NEON_API,
    clock: Clock | None = None,
    budget_seconds: float = RETRY_BUDGET_SECONDS,
) -> Iterator[NeonClient]:
    """A client for one project, for as long as the block lasts.

    Args:
        project_id: as in the Neon console's URL.
        api_key: a project-scoped key is enough.
        base_url: of the API; different for a stand-in.
        clock: clock and randomness; the machine's own by default.
        budget_seconds: how long a call is retried; also the longest wait for one answer.

    Raises:
        NeonRefused: the key is malformed.
    """
    with open_transport(
        api_key, base_url=base_url, clock=clock or Clock(), budget_seconds=budget_seconds
    ) as transport:
        yield NeonClient(project_id, transport)


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
        f"Neon's answer doesn't match its API description (wrong or missing: {wrong}).",
        meaning="The API has changed, or a different server answers at this address.",
        next_step="Check the API address in the configuration; if it is right, update this product.",
    )
