"""Every wait of the package and its bound, from the code: python -m hackorda_ops_tests.waits

Writes the table in docs/reliability.md.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hackorda_ops

PACKAGE = Path(hackorda_ops.__file__).parent
PAGE = PACKAGE.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- waits: begin -->", "<!-- waits: end -->"


@dataclass(frozen=True)
class Wait:
    """Something that is waited for.

    Attributes:
        what: what it is.
        bound: when that ends, with a {} for each of `set_in`.
        set_in: where each figure is: module:NAME, module:Class.field, or module:function(parameter).
    """

    what: str
    bound: str
    set_in: tuple[str, ...]


WAITS = (
    Wait(
        "A Postgres server takes a connection, TLS and login included",
        "{} s for each of its addresses; no attempt begins after {} s (less where an operator waits)",
        (
            "postgres.sessions.connection:CONNECT_TIMEOUT_SECONDS",
            "postgres.sessions.session:connect(retry_budget_seconds)",
        ),
    ),
    Wait("A new session is set up", "{} s", ("postgres.sessions.answering:SETTING_UP_SECONDS",)),
    Wait(
        "A statement with a limit on the server",
        "its statement_timeout and {} s",
        ("postgres.sessions.answering:GRACE_SECONDS",),
    ),
    Wait(
        "A statement without one (a count, a COPY)",
        "every {} s of silence another session asks after it, with {} s to connect and {} s for the answer; {} without "
        "an answer end it",
        (
            "postgres.sessions.answering:LOOK_EVERY_SECONDS",
            "postgres.sessions.answering:LOOK_CONNECT_SECONDS",
            "postgres.sessions.answering:LOOK_LIMIT_SECONDS",
            "postgres.sessions.answering:LOOKS",
        ),
    ),
    Wait(
        "A dead network under a session",
        "{} s idle, then {} probes {} s apart (TCP keepalives, on both ends)",
        tuple(
            f"postgres.sessions.session:_KEEPALIVES[{name}]"
            for name in ("keepalives_idle", "keepalives_count", "keepalives_interval")
        ),
    ),
    Wait(
        "Another session's lock, before pg_dump has its own",
        "{} s; whoever waits behind a session of the night makes it let go",
        ("postgres.tools.dump:_LOCK_WAIT_SECONDS",),
    ),
    Wait(
        "pg_dump, on a server that stops answering",
        "the lock's session is probed every {} s, and has a statement's limit; in all {} h (dump.deadline_hours)",
        ("postgres.tools.dump:_PROBE_EVERY_SECONDS", "config.models:Dump.deadline_hours"),
    ),
    Wait(
        "pg_restore, on a server that stops answering",
        "asked after every {} s, and ended after {} without an answer; a drill's in all {} h (dump.deadline_hours)",
        (
            "postgres.sessions.answering:LOOK_EVERY_SECONDS",
            "postgres.sessions.answering:LOOKS",
            "config.models:Dump.deadline_hours",
        ),
    ),
    Wait(
        "psql, reading rows to compare",
        "{} s without a row",
        ("postgres.archives.copied_by_psql:_SILENCE_SECONDS",),
    ),
    Wait("A worker process", "{} s without a word", ("processes.workers:_SILENCE_SECONDS",)),
    Wait(
        "A schema dumped for a comparison",
        "{} s",
        ("engines.postgres.drill.comparisons.schema:_DEADLINE_SECONDS",),
    ),
    Wait("The table of contents of a dump", "{} s", ("postgres.archives.contents:_LIST_DEADLINE_SECONDS",)),
    Wait(
        "A file that pg_dump writes while it's read back",
        "{} s without a byte",
        ("postgres.archives.reading_back:_SILENCE_SECONDS",),
    ),
    Wait("A client tool's version", "{} s", ("postgres.tools.clients:_VERSION_SECONDS",)),
    Wait(
        "A child process that is to end",
        "{} s after the stop signal it is killed; its supervisor {} s later",
        ("processes.child:start(grace_seconds)", "processes.child_handle:_STOP_MARGIN_SECONDS"),
    ),
    Wait("A bucket takes a connection", "{} s", ("stores.s3.store:S3Store.connect_timeout_seconds",)),
    Wait(
        "A bucket's answer, or the next bytes of it",
        "{} s; the same for what comes or goes slower than {} bytes/s ({} times that long for an upload put together)",
        (
            "stores.s3.store:S3Store.read_timeout_seconds",
            "pace:SLOWEST_BYTES_PER_SECOND",
            "stores.s3.patient:ASSEMBLING_TIMES",
        ),
    ),
    Wait(
        "A bucket, in all: a request",
        "{} attempts, none of them begun {} s after the first that got no answer",
        ("stores.s3.store:S3Store.attempts", "stores.s3.patient:RETRY_BUDGET_SECONDS"),
    ),
    Wait(
        "A bucket, where something else can be done meanwhile",
        "{} attempts, {} s to connect and {} s for an answer",
        (
            "stores.patience:SOON.attempts",
            "stores.patience:SOON.connect_timeout_seconds",
            "stores.patience:SOON.read_timeout_seconds",
        ),
    ),
    Wait(
        "Neon's API",
        "{} s for each attempt in all; none begins after {} s",
        ("neon.transport:ATTEMPT_SECONDS", "neon.transport:RETRY_BUDGET_SECONDS"),
    ),
    Wait(
        "Operations of Neon's (a branch is made, deleted)",
        "{} s",
        ("neon.operations:OPERATIONS_DEADLINE_SECONDS",),
    ),
    Wait(
        "A Redis server takes a connection; then its TLS handshake",
        "{} s; then {} s",
        ("redis.wire:CONNECT_SECONDS", "redis.wire:ANSWER_SECONDS"),
    ),
    Wait(
        "A Redis server's answer, or the next bytes of it",
        "{} s; the same for what comes slower than {} bytes/s",
        ("redis.wire:ANSWER_SECONDS", "pace:SLOWEST_BYTES_PER_SECOND"),
    ),
    Wait("A Redis snapshot", "{} h (dump.deadline_hours)", ("config.models:Dump.deadline_hours",)),
    Wait(
        "A message to a webhook, or by Apprise (mail, chat, …)",
        "{} s in all",
        ("alerts.channels:_LONGEST_DELIVERY_SECONDS",),
    ),
    Wait("An outside monitor", "{} s in all", ("alerts.heartbeats:_LONGEST_SECONDS",)),
    Wait(
        "A URL of the application, in a cutover",
        "{} s in all for each attempt",
        ("cutover.smoke:ATTEMPT_SECONDS",),
    ),
    Wait("A hook's command", "{} minutes (timeout_minutes)", ("config.hooks:Hook.timeout_minutes",)),
    Wait(
        "The team's migrations",
        "{} minutes (migrate.timeout_minutes)",
        ("config.expectations:Migrate.timeout_minutes",),
    ),
    Wait(
        "The command that prints an age identity",
        "{} s (timeout_seconds)",
        ("config.encryption:IdentitySection.timeout_seconds",),
    ),
    Wait(
        "The command that signs receipts",
        "{} s (timeout_seconds)",
        ("config.receipts:Receipts.timeout_seconds",),
    ),
    Wait(
        "A command of Barman's; a base backup or recovery by it",
        "{} s; {} h (barman.deadline_hours)",
        ("histories.barman.program:_ANSWER_SECONDS", "config.barman:BarmanSection.deadline_hours"),
    ),
    Wait(
        "A sensor's look at all databases",
        "{} s; one that hangs is told after {} s, and holds up no other",
        (
            "orchestration.sensors.side_by_side:_TICK_SECONDS",
            "orchestration.sensors.side_by_side:_HANGS_AFTER_SECONDS",
        ),
    ),
    Wait(
        "A copy whose place is slower than others that share its reading",
        "{} s",
        ("artifacts.sharing:_LONGEST_WAIT_SECONDS",),
    ),
    Wait(
        "The file lock on receipts that wait to be stored",
        "{} s; every other file lock is taken at once or not at all",
        ("receipts.outbox:_PATIENCE_SECONDS",),
    ),
)


def figure(where: str) -> object:
    """The figure that is set somewhere in the code."""
    module, _, name = where.partition(":")
    found: object = importlib.import_module(f"hackorda_ops.{module}")
    called = re.fullmatch(r"(\w+)\((\w+)\)", name)
    if called:
        return inspect.signature(getattr(found, called[1])).parameters[called[2]].default
    entry = re.fullmatch(r"(\w+)\[(\w+)\]", name)
    if entry:
        return getattr(found, entry[1])[entry[2]]
    for part in name.split("."):
        fields = getattr(found, "model_fields", None)
        found = fields[part].default if fields else getattr(found, part)
    return found


def table() -> str:
    """The table of all waits."""
    lines = ["| what is waited for | until when | where it is set |", "|---|---|---|"]
    for each in WAITS:
        figures = [f"{float(str(figure(where))):,g}".replace(",", " ") for where in each.set_in]
        places = dict.fromkeys(_shown(where) for where in each.set_in)
        lines.append(f"| {each.what} | {each.bound.format(*figures)} | {', '.join(places)} |")
    return "\n".join(lines)


def _shown(where: str) -> str:
    module, _, name = where.partition(":")
    return f"`{module.replace('.', '/')}.py` {re.split(r'[(.[]', name)[0]}"


def page() -> str:
    """The whole page with its table as the code has it."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


# What may wait without a limit, and why that ends.
ALLOWED = {
    ("age/streams.py", "self._thread.join()"): "the thread was told to end, and works on a local file",
    (
        "age/streams.py",
        "self._blocks.get()",
    ): "whoever puts the blocks puts an empty one at the end, also after an error",
    ("artifacts/copying.py", "as_completed(steps)"): "each step's requests are bounded",
    ("artifacts/fan_out.py", "future.result()"): "each copy's requests are bounded",
    ("artifacts/fetch.py", "wait(futures)"): "each download's requests are bounded",
    ("engines/postgres/drill/comparisons/schema.py", "reading.result()"): "its pg_restore has a deadline",
    ("engines/postgres/night/capture.py", "reading_on.result()"): "its sessions are watched (Answering)",
    (
        "engines/postgres/recovery/restore.py",
        "restore.restore(deadline_seconds=None)",
    ): "its server is watched (WatchedServer); an operator looks at its progress, and may end it",
    ("histories/barman/keeper.py", "receiving.wait()"): "it was stopped, and killed if it didn't",
    ("night_proof/budget.py", "timer.join()"): "the timer was cancelled",
    (
        "postgres/archives/copied_by_psql.py",
        "child.run(deadline_seconds=None)",
    ): "its silence is bounded by whoever waits for it",
    (
        "postgres/archives/reading_back.py",
        "self._changed.wait()",
    ): "whoever looks at the folder wakes it ten times a second, and ends with pg_dump",
    ("processes/ahead.py", "made.get()"): "the thread that makes it puts its end or its error last",
    ("processes/child.py", "child.wait()"): "it has ended",
    ("processes/child_handle.py", "self._end.result()"): "it has ended",
    (
        "processes/child_handle.py",
        "selector.select()",
    ): "a thread of its own, which the end of the child's supervisor wakes",
    ("processes/child_handle.py", "self._supervisor.wait()"): "it was killed",
    ("own_folders.py", "process.wait()"): "it was killed",
    (
        "folder_guard.py",
        "fcntl.flock(lock, fcntl.LOCK_EX)",
    ): "the kernel frees it when the process that holds it ends",
    ("processes/workers.py", "worker.wait()"): "it has ended",
    ("redis/server.py", "server.wait()"): "it was stopped, and killed if it didn't",
    (
        "stores/s3/parts.py",
        "wait(on_their_way, return_when=FIRST_COMPLETED)",
    ): "each part's request is bounded",
    ("stores/s3/parts.py", "answer.result()"): "its request is bounded",
    ("stores/s3/reader.py", "self._ahead.popleft().result()"): "its request is bounded",
    ("readiness/reading.py", "each.result()"): "it is done",
    ("artifacts/copying.py", "finished.result()"): "it is done",
    ("artifacts/fetch.py", "future.result()"): "it is done",
    ("cli/history.py", "each.result()"): "it is done",
    ("postgres/archives/copied_by_psql.py", "each.result()"): "it is done",
    ("orchestration/sensors/side_by_side.py", "look.result()"): "it is done",
    ("orchestration/first_seen.py", "DagsterInstance.get()"): "no wait: Dagster's instance",
    ("stores/s3/seats.py", "self._shared.acquire()"): "no wait: it answers at once whether there's a seat",
}

_NO_ARGUMENTS = {"wait", "join", "result", "get", "acquire", "select", "communicate", "accept"}
_NAMED_TIMEOUT = {
    "subprocess.run": "timeout",
    "subprocess.call": "timeout",
    "subprocess.check_call": "timeout",
    "subprocess.check_output": "timeout",
    "httpx.get": "timeout",
    "httpx.post": "timeout",
    "httpx.request": "timeout",
    "httpx.stream": "timeout",
    "httpx.Client": "timeout",
    "requests.get": "timeout",
    "requests.post": "timeout",
    "urlopen": "timeout",
    "urllib.request.urlopen": "timeout",
    "psycopg.connect": "connect_timeout",
    "smtplib.SMTP": "timeout",
    "smtplib.SMTP_SSL": "timeout",
    "as_completed": "timeout",
}


def unbounded() -> Iterator[tuple[str, str]]:
    """Each call of the package that may wait without a limit: its file, and the call."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        # The embedded stack is for the demo and the tests.
        if not name.startswith("local/"):
            yield from ((name, each) for each in unbounded_in(path.read_text(encoding="utf-8")))


def unbounded_in(source: str) -> Iterator[str]:
    """Each such call of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called, keywords = ast.unparse(node.func), {each.arg for each in node.keywords}
            last = called.rpartition(".")[2]
            positional = len(node.args)
            if (
                (
                    last in _NO_ARGUMENTS
                    and isinstance(node.func, ast.Attribute)
                    and not positional
                    and not keywords
                )
                or (called in _NAMED_TIMEOUT and _NAMED_TIMEOUT[called] not in keywords)
                or (called == "wait" and positional < 2 and "timeout" not in keywords)
                or (called == "socket.create_connection" and positional < 2 and "timeout" not in keywords)
                or (
                    last == "flock"
                    and "LOCK_NB" not in ast.unparse(node)
                    and "LOCK_UN" not in ast.unparse(node)
                )
            ):
                yield ast.unparse(node)
            for each in node.keywords:
                if (
                    each.arg in {"timeout", "deadline_seconds", "timeout_seconds"}
                    and isinstance(each.value, ast.Constant)
                    and each.value.value is None
                ):
                    yield f"{called}({each.arg}=None)"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
