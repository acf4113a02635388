"""The answers of Neon's API, as far as this product reads them.

Unknown fields are ignored, and states, actions and statuses are open strings: Neon adds to them without notice.
"""

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

_OPERATION_GOOD = frozenset({"finished", "skipped"})
_OPERATION_BAD = frozenset({"failed", "error", "cancelled"})


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _default_for_nothing(cls, body: Any) -> Any:
        # Neon leaves out fields without a value, or sends null or an empty string.
        if not isinstance(body, dict):
            return body
        return {name: value for name, value in body.items() if value is not None and value != ""}


class NeonBranch(_Answer):
    """A branch. `parent_lsn` and `parent_timestamp` say where it left its parent, if Neon reports it."""

    id: str
    name: str
    parent_id: str | None = None
    parent_lsn: str | None = None
    parent_timestamp: AwareDatetime | None = None
    current_state: str = "unknown"
    default: bool = False
    protected: bool = False
    created_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None


class Endpoint(_Answer):
    """A compute; `host` is its direct host name."""

    id: str
    branch_id: str
    host: str = Field(repr=False)
    type: str


class Operation(_Answer):
    """Work that Neon does after it has answered."""

    id: str
    action: str
    status: str
    branch_id: str | None = None
    error: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether it succeeded."""
        return self.status in _OPERATION_GOOD

    @property
    def failed(self) -> bool:
        """Whether it failed. If neither this nor `succeeded`, it is still running."""
        return self.status in _OPERATION_BAD


class NeonDatabase(_Answer):
    """A database of a branch."""

    name: str
    owner_name: str


class ProjectOwner(_Answer):
    """Whose plan the project is on."""

    branches_limit: int | None = None


class Project(_Answer):
    """The project, with the limits that a drill must fit in."""

    id: str
    name: str
    pg_version: int
    history_retention_seconds: int
    created_at: AwareDatetime | None = None
    branch_logical_size_limit_bytes: int | None = None
    owner: ProjectOwner | None = None


class LabelledBranch(_Answer):
    """A branch with the annotation that its creator gave it."""

    branch: NeonBranch
    annotation: dict[str, str] = {}


class ProjectAnswer(_Answer):
    """GET /projects/{project_id}."""

    project: Project


class BranchAnswer(_Answer):
    """GET /projects/{project_id}/branches/{branch_id}."""

    branch: NeonBranch
    annotation: dict[str, Any] = {}

    def labelled(self) -> LabelledBranch:
        """The branch with its annotation's value."""
        return LabelledBranch(branch=self.branch, annotation=_value(self.annotation))


class _Pagination(_Answer):
    next: str | None = None


class BranchesAnswer(_Answer):
    """GET /projects/{project_id}/branches, one page."""

    branches: tuple[NeonBranch, ...]
    annotations: dict[str, Any] = {}
    pagination: _Pagination = _Pagination()

    def labelled(self) -> tuple[LabelledBranch, ...]:
        """The page's branches, each with its annotation's value."""
        return tuple(
            LabelledBranch(branch=branch, annotation=_value(self.annotations.get(branch.id)))
            for branch in self.branches
        )


class CreatedBranch(_Answer):
    """POST /projects/{project_id}/branches. Its connection_uris are not read: they may be missing."""

    branch: NeonBranch
    endpoints: tuple[Endpoint, ...] = ()
    operations: tuple[Operation, ...] = ()


class OperationAnswer(_Answer):
    """GET /projects/{project_id}/operations/{operation_id}."""

    operation: Operation


class OperationsAnswer(_Answer):
    """Any answer that lists the operations it has started."""

    operations: tuple[Operation, ...] = ()


class EndpointsAnswer(_Answer):
    """GET /projects/{project_id}/branches/{branch_id}/endpoints."""

    endpoints: tuple[Endpoint, ...]


class DatabasesAnswer(_Answer):
    """GET /projects/{project_id}/branches/{branch_id}/databases."""

    databases: tuple[NeonDatabase, ...]


class ConnectionUriAnswer(_Answer):
    """GET /projects/{project_id}/connection_uri. The URI holds the role's password."""

    uri: str = Field(repr=False)


class ErrorAnswer(_Answer):
    """Neon's error body. Gateways in front of it send HTML or nothing instead: then every field is empty."""

    message: str = ""
    code: str = ""
    request_id: str = ""

    @model_validator(mode="before")
    @classmethod
    def _nothing_for_null(cls, body: Any) -> Any:
        if not isinstance(body, dict):
            return {}
        return {name: value for name, value in body.items() if isinstance(value, str)}


def _value(annotation: Any) -> dict[str, str]:
    value = annotation.get("value") if isinstance(annotation, dict) else None
    if not isinstance(value, dict):
        return {}
    return {str(name): str(text) for name, text in value.items()}
