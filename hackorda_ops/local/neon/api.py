"""The calls of Neon's API that the local control plane answers, by operationId."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import errors as postgres_errors
from psycopg import sql
from pydantic import ValidationError

from hackorda_ops.local.neon import answers
from hackorda_ops.local.neon.answers import BranchRecord, HttpAnswer, Json, NeonRefusal, OperationRecord
from hackorda_ops.local.neon.branches import Branches
from hackorda_ops.local.neon.faults import ProjectPlan
from hackorda_ops.local.neon.operations import Operations
from hackorda_ops.local.neon.requests import BranchChange, BranchRestore, NewBranch, NewDatabase, Request
from hackorda_ops.local.postgres import PostgresServer


@dataclass
class Api:
    """Answers calls. `plan` may change meanwhile.

    Attributes:
        project_id: the only project there is.
        branches: its branches.
        operations: its operations.
        role_passwords: the passwords that "Neon" has stored, by role.
        plan: what the project allows.
    """

    project_id: str
    branches: Branches
    operations: Operations
    role_passwords: Mapping[str, str]
    plan: ProjectPlan

    def answer(self, call: str, request: Request) -> HttpAnswer:
        """Carries a call out."""
        calls = {
            "getProject": self._get_project,
            "listProjectBranches": self._list_branches,
            "createProjectBranch": self._create_branch,
            "getProjectBranch": self._get_branch,
            "deleteProjectBranch": self._delete_branch,
            "updateProjectBranch": self._change_branch,
            "setDefaultProjectBranch": self._set_default,
            "restoreProjectBranch": self._restore_branch,
            "listProjectBranchEndpoints": self._list_endpoints,
            "listProjectBranchDatabases": self._list_databases,
            "createProjectBranchDatabase": self._create_database,
            "getProjectOperation": self._get_operation,
            "listProjectOperations": self._list_operations,
            "getConnectionURI": self._connection_uri,
        }
        if request.path["project_id"] != self.project_id:
            return answers.error(404, "project not found")
        try:
            return calls[call](request)
        except NeonRefusal as refusal:
            return refusal.answer
        except ValidationError as problem:
            return answers.error(400, f"request body: {problem.errors()[0]['msg']}")

    def _get_project(self, _request: Request) -> HttpAnswer:
        with psycopg.connect(self.branches.server(self.branches.main.branch_id).url()) as connection:
            version = connection.info.server_version
        project = answers.project(
            self.project_id,
            pg_version=version // 10000,
            created_at=self.branches.main.created_at,
            branches_limit=self.plan.branches_limit,
            stores_passwords=self.plan.stores_passwords,
        )
        return HttpAnswer(200, {"project": project})

    def _list_branches(self, request: Request) -> HttpAnswer:
        wanted = request.query.get("search", "")
        found = [one for one in self.branches.all() if wanted in one.name or wanted in one.branch_id]
        first = int(request.query.get("cursor", "0"))
        end = first + int(request.query.get("limit", "100"))
        page = found[first:end]
        body = {
            "branches": [answers.branch(one, self.project_id) for one in page],
            "annotations": {one.branch_id: answers.annotation(one) for one in page if one.annotation},
            # As at Neon there is a next page even after the last one, and it is empty.
            "pagination": {"next": str(end), "sort_by": "created_at", "sort_order": "desc"},
        }
        return HttpAnswer(200, body)

    def _create_branch(self, request: Request) -> HttpAnswer:
        wanted = NewBranch.model_validate(request.body or {})
        if "expires_at" in wanted.branch and not self.plan.takes_expiry:
            raise NeonRefusal(412, "branch expiration is not allowed on this plan")
        record = self.branches.new(
            wanted.branch, with_endpoint=bool(wanted.endpoints), annotation=wanted.annotation_value
        )
        self.branches.add(record, limit=self.plan.branches_limit)
        started: list[OperationRecord] = []
        if record.endpoint_id is not None:
            started = self.operations.start(
                record.branch_id,
                ("create_timeline", "start_compute"),
                lambda: self.branches.start(record.branch_id),
                ends=self._end,
            )
        body = {
            "branch": answers.branch(record, self.project_id),
            "endpoints": answers.endpoints(record, self.project_id),
            "operations": self._told(started),
            # The parent's, because the branch isn't ready yet. connection_uris may be absent, and is.
            "roles": self._roles(record.branch_id, self.branches.default),
            "databases": self._databases(record.branch_id, self.branches.default),
        }
        return HttpAnswer(201, body)

    def _get_branch(self, request: Request) -> HttpAnswer:
        record = self.branches.get(request.path["branch_id"])
        if not self.plan.branches_become_ready:
            record = replace(record, state="init")
        told = {**answers.branch(record, self.project_id), **self.plan.wrong_echoes}
        branch = {name: value for name, value in told.items() if value is not None}
        return HttpAnswer(200, {"branch": branch, "annotation": answers.annotation(record)})

    def _delete_branch(self, request: Request) -> HttpAnswer:
        record = self.branches.get(request.path["branch_id"])
        if record.default:
            raise NeonRefusal(422, "cannot delete the default branch")
        if record.protected:
            raise NeonRefusal(422, "cannot delete protected branch")
        if self.branches.has_children(record.branch_id):
            raise NeonRefusal(422, "cannot delete branch that has children")
        started = self.operations.start(
            record.branch_id,
            ("suspend_compute", "delete_timeline"),
            lambda: self.branches.remove(record.branch_id),
            ends=self._end,
        )
        return HttpAnswer(
            200, {"branch": answers.branch(record, self.project_id), "operations": self._told(started)}
        )

    def _change_branch(self, request: Request) -> HttpAnswer:
        wanted = BranchChange.model_validate(request.body).branch
        if wanted.protected and not self.plan.protects_branches:
            raise NeonRefusal(422, "protected branches limit exceeded", "PROTECTED_BRANCHES_LIMIT_EXCEEDED")
        record = self.branches.change(
            request.path["branch_id"], {name: getattr(wanted, name) for name in wanted.model_fields_set}
        )
        return self._changed(record, [])

    def _set_default(self, request: Request) -> HttpAnswer:
        return self._changed(self.branches.set_default(request.path["branch_id"]), [])

    def _restore_branch(self, request: Request) -> HttpAnswer:
        wanted = BranchRestore.model_validate(request.body)
        record = self.branches.hold(request.path["branch_id"], wanted, limit=self.plan.branches_limit)
        started = self.operations.start(
            record.branch_id,
            ("create_timeline", "start_compute"),
            lambda: self.branches.start(record.branch_id),
            ends=self._end,
        )
        return self._changed(record, started)

    def _changed(self, record: BranchRecord, started: list[OperationRecord]) -> HttpAnswer:
        body = {"branch": answers.branch(record, self.project_id), "operations": self._told(started)}
        return HttpAnswer(200, body)

    def _list_endpoints(self, request: Request) -> HttpAnswer:
        record = self.branches.get(request.path["branch_id"])
        return HttpAnswer(200, {"endpoints": answers.endpoints(record, self.project_id)})

    def _list_databases(self, request: Request) -> HttpAnswer:
        record = self.branches.get(request.path["branch_id"])
        return HttpAnswer(200, {"databases": self._databases(record.branch_id, record)})

    def _create_database(self, request: Request) -> HttpAnswer:
        wanted = NewDatabase.model_validate(request.body).database
        record = self.branches.get(request.path["branch_id"])
        statement = sql.SQL("CREATE DATABASE {} OWNER {}").format(
            sql.Identifier(wanted.name), sql.Identifier(wanted.owner_name)
        )
        with psycopg.connect(self._server(record).url(), autocommit=True) as connection:
            try:
                connection.execute(statement)
            except postgres_errors.DuplicateDatabase:
                raise NeonRefusal(409, f"database {wanted.name} already exists") from None
            except postgres_errors.UndefinedObject:
                raise NeonRefusal(404, f"role {wanted.owner_name} not found") from None
        started = self.operations.start(record.branch_id, ("apply_config",), lambda: None, ends=self._end)
        made = next(one for one in self._databases(record.branch_id, record) if one["name"] == wanted.name)
        return HttpAnswer(201, {"database": made, "operations": self._told(started)})

    def _get_operation(self, request: Request) -> HttpAnswer:
        record = self.operations.get(request.path["operation_id"])
        if record is None:
            raise NeonRefusal(404, "operation not found")
        return HttpAnswer(200, {"operation": answers.operation(record, self.project_id)})

    def _list_operations(self, request: Request) -> HttpAnswer:
        newest = self.operations.newest(int(request.query.get("limit", "100")))
        return HttpAnswer(200, {"operations": self._told(newest)})

    def _connection_uri(self, request: Request) -> HttpAnswer:
        # Like Neon: without branch_id, the address is production's.
        record = self.branches.get(request.query.get("branch_id", self.branches.default.branch_id))
        role = request.query["role_name"]
        password = self.role_passwords.get(role, "") if self.plan.stores_passwords else ""
        host = "ep-local-pooler.localhost" if self.plan.pooled_hosts else answers.HOST
        told = {"role": role, "password": password, "database": request.query["database_name"]}
        told = {name: quote(value, safe="") for name, value in {**told, **self.plan.wrong_in_uris}.items()}
        login = f"{told['role']}:{told['password']}"
        uri = f"postgresql://{login}@{host}:{self._server(record).port}/{told['database']}"
        return HttpAnswer(200, {"uri": uri})

    def _server(self, record: BranchRecord) -> PostgresServer:
        return self.branches.server(record.branch_id)

    def _end(self, action: str) -> str:
        return self.plan.operations_end_as.get(action, "finished")

    def _told(self, records: list[OperationRecord]) -> list[Json]:
        return [answers.operation(one, self.project_id) for one in records]

    def _roles(self, branch_id: str, read_from: BranchRecord) -> list[Json]:
        query = "SELECT rolname FROM pg_roles WHERE rolcanlogin ORDER BY rolname"
        return [
            {"branch_id": branch_id, "name": name, "protected": False, **_made(read_from)}
            for (name,) in self._rows(read_from, query)
        ]

    def _databases(self, branch_id: str, read_from: BranchRecord) -> list[Json]:
        # "postgres" is Neon's own, and never listed.
        query = (
            "SELECT oid::bigint, datname, pg_get_userbyid(datdba) FROM pg_database "
            "WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY datname"
        )
        return [
            {"id": oid, "branch_id": branch_id, "name": name, "owner_name": owner, **_made(read_from)}
            for oid, name, owner in self._rows(read_from, query)
        ]

    def _rows(self, record: BranchRecord, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._server(record).url()) as connection:
            return connection.execute(query.encode()).fetchall()


def _made(record: BranchRecord) -> Json:
    created = answers.rfc3339(record.created_at)
    return {"created_at": created, "updated_at": created}
