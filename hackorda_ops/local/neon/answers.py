"""The control plane's records, and the JSON that Neon's API description requires for each."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hackorda_ops.local.neon.positions import lsn_text

Json = dict[str, Any]

_USAGE = {
    "cpu_used_sec": 0,
    "active_time_seconds": 0,
    "compute_time_seconds": 0,
    "written_data_bytes": 0,
    "data_transfer_bytes": 0,
}
REGION = "local"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class HttpAnswer:
    """A status and a body; None for no body."""

    status: int
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class NeonRefusal(Exception):
    """A call that the control plane refuses, as Neon would."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.answer = error(status, message, code)


@dataclass(frozen=True)
class BranchRecord:
    """A branch's record in the control plane.

    Attributes:
        endpoint_id: of its compute; None if none was requested, and then there is no clone either.
        lsn: where it left its parent, in bytes, as soon as that is known.
        time: the requested time.
    """

    branch_id: str
    name: str
    parent_id: str | None
    endpoint_id: str | None
    created_at: datetime
    state: str
    default: bool = False
    protected: bool = False
    lsn: int | None = None
    time: datetime | None = None
    expires_at: datetime | None = None
    annotation: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OperationRecord:
    """Work that continues after an answer."""

    operation_id: str
    branch_id: str
    action: str
    status: str
    created_at: datetime
    updated_at: datetime
    error: str = ""


def error(status: int, message: str, code: str = "") -> HttpAnswer:
    """The error body of Neon's API.

    Args:
        status: the HTTP status.
        message: Neon's message.
        code: Neon's error code, if it gives one.
    """
    return HttpAnswer(status, {"request_id": f"local-{uuid.uuid4()}", "code": code, "message": message})


def rfc3339(time: datetime) -> str:
    """A time as Neon writes it, in UTC."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def branch(record: BranchRecord, project_id: str) -> Json:
    """A Branch."""
    optional = {
        "parent_id": record.parent_id,
        "parent_lsn": None if record.lsn is None else lsn_text(record.lsn),
        "parent_timestamp": None if record.time is None else rfc3339(record.time),
        "expires_at": None if record.expires_at is None else rfc3339(record.expires_at),
    }
    return {
        "id": record.branch_id,
        "project_id": project_id,
        "name": record.name,
        "current_state": record.state,
        "state_changed_at": rfc3339(record.created_at),
        "creation_source": "console",
        "created_at": rfc3339(record.created_at),
        "updated_at": rfc3339(record.created_at),
        "default": record.default,
        "protected": record.protected,
        **_USAGE,
        **{name: value for name, value in optional.items() if value is not None},
    }


def annotation(record: BranchRecord) -> Json:
    """An AnnotationData."""
    return {
        "object": {"type": "console/branch", "id": record.branch_id},
        "value": dict(record.annotation),
        "created_at": rfc3339(record.created_at),
        "updated_at": rfc3339(record.created_at),
    }


def endpoints(record: BranchRecord, project_id: str) -> list[Json]:
    """The Endpoints of a branch: one, or none."""
    if record.endpoint_id is None:
        return []
    return [
        {
            "host": HOST,
            "id": record.endpoint_id,
            "project_id": project_id,
            "branch_id": record.branch_id,
            "region_id": REGION,
            "autoscaling_limit_min_cu": 1,
            "autoscaling_limit_max_cu": 1,
            "type": "read_write",
            "current_state": "active" if record.state == "ready" else "init",
            "pooler_enabled": False,
            "pooler_mode": "transaction",
            "disabled": False,
            "passwordless_access": False,
            "creation_source": "console",
            "created_at": rfc3339(record.created_at),
            "updated_at": rfc3339(record.created_at),
            "settings": {"pg_settings": {}},
            "proxy_host": HOST,
            "suspend_timeout_seconds": 0,
            "provisioner": "k8s-neonvm",
        }
    ]


def operation(record: OperationRecord, project_id: str) -> Json:
    """An Operation."""
    return {
        "id": record.operation_id,
        "project_id": project_id,
        "branch_id": record.branch_id,
        "action": record.action,
        "status": record.status,
        "failures_count": 1 if record.error else 0,
        "created_at": rfc3339(record.created_at),
        "updated_at": rfc3339(record.updated_at),
        "total_duration_ms": round((record.updated_at - record.created_at).total_seconds() * 1000),
        **({"error": record.error} if record.error else {}),
    }


def project(
    project_id: str, *, pg_version: int, created_at: datetime, branches_limit: int, stores_passwords: bool
) -> Json:
    """A Project.

    Args:
        project_id: the project's id and name.
        pg_version: the major version.
        created_at: when it was created, aware.
        branches_limit: how many branches it may have.
        stores_passwords: whether Neon knows the roles' passwords.
    """
    made = rfc3339(created_at)
    return {
        **_USAGE,
        "id": project_id,
        "name": project_id,
        "platform_id": "local",
        "region_id": REGION,
        "proxy_host": HOST,
        "pg_version": pg_version,
        "branch_logical_size_limit": 0,
        "branch_logical_size_limit_bytes": 0,
        "store_passwords": stores_passwords,
        "provisioner": "k8s-neonvm",
        "creation_source": "console",
        # What Neon's Launch plan offers; here everything since the base backup is kept.
        "history_retention_seconds": 7 * 24 * 3600,
        "data_storage_bytes_hour": 0,
        "consumption_period_start": made,
        "consumption_period_end": made,
        "created_at": made,
        "updated_at": made,
        "owner_id": "local",
        "owner": {
            "email": "local@localhost",
            "name": "local",
            "branches_limit": branches_limit,
            "subscription_type": "launch",
        },
    }
