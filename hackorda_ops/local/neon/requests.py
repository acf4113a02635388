"""The bodies of calls, as far as the local control plane reads them."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


class _Endpoint(BaseModel):
    type: str


class NewBranch(BaseModel):
    """Of createProjectBranch."""

    model_config = ConfigDict(extra="forbid")

    branch: dict[str, str] = {}
    endpoints: list[_Endpoint] = []
    annotation_value: dict[str, str] = {}


class _BranchFields(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = ""
    protected: bool = False


class BranchChange(BaseModel):
    """Of updateProjectBranch."""

    branch: _BranchFields


class BranchRestore(BaseModel):
    """Of restoreProjectBranch."""

    model_config = ConfigDict(extra="forbid")

    source_branch_id: str
    source_lsn: str | None = None
    source_timestamp: str | None = None
    preserve_under_name: str = ""


class _DatabaseFields(BaseModel):
    name: str
    owner_name: str


class NewDatabase(BaseModel):
    """Of createProjectBranchDatabase."""

    database: _DatabaseFields


@dataclass(frozen=True)
class Request:
    """One parsed call.

    Attributes:
        path: the values of the path's placeholders.
        query: the query's parameters.
        body: the JSON body; None without one.
    """

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: object
