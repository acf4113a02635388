"""The HTTP side of the local control plane: a server in threads of this process, for as long as a block lasts.

It needs no process of its own: only the Postgres servers must not outlive us, and each of those is already a
supervised child.
"""

import functools
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from hackorda_ops.local.neon import answers
from hackorda_ops.local.neon.answers import HOST, HttpAnswer
from hackorda_ops.local.neon.api import Api
from hackorda_ops.local.neon.branches import Branches
from hackorda_ops.local.neon.faults import Garbled, Misbehaviour, ProjectPlan, Script, Slow
from hackorda_ops.local.neon.history import kept_history
from hackorda_ops.local.neon.operations import Operations
from hackorda_ops.local.neon.requests import Request
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.processes import server_user

PROJECT_ID = "local-project"
_BASE = "/api/v2"
_IDLE_SECONDS = 60.0

_ROUTES = tuple(
    (method, re.compile(_BASE + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), call)
    for method, path, call in (
        ("GET", "/projects/{project_id}", "getProject"),
        ("GET", "/projects/{project_id}/branches", "listProjectBranches"),
        ("POST", "/projects/{project_id}/branches", "createProjectBranch"),
        ("GET", "/projects/{project_id}/branches/{branch_id}", "getProjectBranch"),
        ("DELETE", "/projects/{project_id}/branches/{branch_id}", "deleteProjectBranch"),
        ("PATCH", "/projects/{project_id}/branches/{branch_id}", "updateProjectBranch"),
        ("POST", "/projects/{project_id}/branches/{branch_id}/set_as_default", "setDefaultProjectBranch"),
        ("POST", "/projects/{project_id}/branches/{branch_id}/restore", "restoreProjectBranch"),
        ("GET", "/projects/{project_id}/branches/{branch_id}/endpoints", "listProjectBranchEndpoints"),
        ("GET", "/projects/{project_id}/branches/{branch_id}/databases", "listProjectBranchDatabases"),
        ("POST", "/projects/{project_id}/branches/{branch_id}/databases", "createProjectBranchDatabase"),
        ("GET", "/projects/{project_id}/operations", "listProjectOperations"),
        ("GET", "/projects/{project_id}/operations/{operation_id}", "getProjectOperation"),
        ("GET", "/projects/{project_id}/connection_uri", "getConnectionURI"),
    )
)


@dataclass(frozen=True)
class LocalNeon:
    """A running control plane.

    Attributes:
        base_url: of its API.
        project_id: of its only project.
        api_key: that it asks for.
        main_branch_id: of the branch whose server is the parent itself.
    """

    base_url: str
    project_id: str
    api_key: str = field(repr=False)
    main_branch_id: str
    _api: Api = field(repr=False)
    _script: Script = field(repr=False)

    def misbehave(self, *faults: Misbehaviour) -> None:
        """Queues faults; each is used up by the next call that it is meant for."""
        self._script.add(faults)

    def forget_faults(self) -> int:
        """Drops the faults that no call has met yet, and returns how many there were."""
        return self._script.clear()

    def change_plan(self, plan: ProjectPlan) -> None:
        """Changes what the project allows, and how its work ends, from now on."""
        self._api.plan = plan


@contextmanager
def running_local_neon(
    parent: PostgresServer, folder: Path, *, role_passwords: Mapping[str, str] | None = None
) -> Iterator[LocalNeon]:
    """Runs a control plane whose main branch is `parent`; everything it made is removed after the block.

    A branch can be made of any moment since the block began.

    Args:
        parent: a running server. No database on it is changed; it has a replication slot meanwhile.
        folder: for base backup, WAL and clones, and nothing else: it is deleted after the block.
        role_passwords: of the roles whose passwords "Neon" has stored; default: the superuser's.

    Raises:
        ToolFailed: the parent could not be copied.
    """
    user = server_user.server_user()
    home = server_user.reachable_home(folder.absolute(), user)
    passwords = {parent.superuser: parent.password} if role_passwords is None else role_passwords
    with ExitStack() as stack:
        stack.callback(server_user.delete_home, folder.absolute())
        history = stack.enter_context(kept_history(parent, home, user))
        branches = Branches(history, home, user)
        stack.callback(branches.close)
        operations = Operations()
        # Before the branches close: a clone in progress must be registered before it can be removed.
        stack.callback(operations.close)
        api = Api(PROJECT_ID, branches, operations, passwords, ProjectPlan())
        script = Script()
        api_key = f"napi_{secrets.token_hex(16)}"
        port = stack.enter_context(_serving(api, script, api_key))
        yield LocalNeon(
            base_url=f"http://{HOST}:{port}{_BASE}",
            project_id=PROJECT_ID,
            api_key=api_key,
            main_branch_id=branches.main.branch_id,
            _api=api,
            _script=script,
        )


@contextmanager
def _serving(api: Api, script: Script, api_key: str) -> Iterator[int]:
    handler = functools.partial(_Handler, api, script, api_key)
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        # A client that keeps its connection open must not delay our shutdown.
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _route(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """The operationId of a call, and the values of its path's placeholders."""
    for routed_method, pattern, call in _ROUTES:
        match = pattern.fullmatch(path)
        if match is not None and method == routed_method:
            return call, {name: unquote(value) for name, value in match.groupdict().items()}
    return None


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    # Head and body are two writes; the second would wait 40 ms for the first one's acknowledgement.
    disable_nagle_algorithm = True

    def __init__(self, api: Api, script: Script, api_key: str, *arguments: Any) -> None:
        # Before the base class's, which serves the whole connection.
        self.api = api
        self.script = script
        self.api_key = api_key
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Called by the base class, like the three below."""
        self._respond()

    def do_POST(self) -> None:
        """See `do_GET`."""
        self._respond()

    def do_PATCH(self) -> None:
        """See `do_GET`."""
        self._respond()

    def do_DELETE(self) -> None:
        """See `do_GET`."""
        self._respond()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 (the base class's name)
        """Prints nothing: standard error belongs to the demo."""

    def _respond(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        url = urlsplit(self.path)
        found = _route(self.command, url.path)
        if found is None:
            self._send(answers.error(404, "this request path is not known"))
            return
        if not secrets.compare_digest(self.headers.get("Authorization", ""), f"Bearer {self.api_key}"):
            self._send(answers.error(401, "authentication credentials are not valid"))
            return
        call, path = found
        self._play(call, Request(path, dict(parse_qsl(url.query)), json.loads(raw) if raw else None))

    def _play(self, call: str, request: Request) -> None:
        fault = self.script.take(call)
        if fault is None or isinstance(fault, Slow | Garbled):
            if isinstance(fault, Slow):
                time.sleep(fault.seconds)
            self._send(self.api.answer(call, request), garbled=isinstance(fault, Garbled))
            return
        if fault.carried_out:
            self.api.answer(call, request)
        if fault.status is None:
            self.close_connection = True
            return
        answer = answers.error(fault.status, fault.message, fault.code)
        headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
        self._send(HttpAnswer(answer.status, answer.body, headers))

    def _send(self, answer: HttpAnswer, *, garbled: bool = False) -> None:
        body = b"" if answer.body is None else json.dumps(answer.body).encode()
        body = body[: len(body) // 2] if garbled else body
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
