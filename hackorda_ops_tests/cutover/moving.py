"""An application on Postgres 15 that writes until it's stopped, and an empty database on Postgres 17 to move it to."""

import http.server
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from hackorda_ops.config.models import Policy
from hackorda_ops.cutover.run import run_cutover
from hackorda_ops.cutover.state import CutoverState
from hackorda_ops.environment import Protected
from hackorda_ops.progress import ignore

SCHEMA = """
CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE issues (id serial PRIMARY KEY, owner int REFERENCES users, created_at timestamptz DEFAULT now());
CREATE SEQUENCE tickets;
INSERT INTO users (name) SELECT 'user ' || n FROM generate_series(1, 300) n;
SELECT nextval('tickets'), lo_from_bytea(30001, 'a photo');
"""


@dataclass
class Writer:
    """A real client: it inserts row by row, each committed, until a file says that the service is stopped."""

    url: str
    stopped: Path
    statement: str = "INSERT INTO issues (owner) VALUES (1 + (random() * 200)::int)"
    wrote: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Writer":
        self._thread = threading.Thread(target=self._write, name="writer")
        self._thread.start()
        assert self.wrote.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        assert self._thread is not None
        self._thread.join(60)

    def _write(self) -> None:
        with psycopg.connect(self.url, autocommit=True, application_name="shop worker") as session:
            while not self.stopped.exists() and not self.ended.wait(0.02):
                session.execute(self.statement.encode())
                self.wrote.set()


@dataclass(frozen=True)
class Move(Protected):
    """A protected database with a cutover; `changed` gives variants."""

    old: str
    new: str
    folder: Path
    shown: list[str] = field(default_factory=list)

    @property
    def stopped(self) -> Path:
        """What the quiesce hook makes, and the application looks for."""
        return self.folder / "stopped"

    def changed(self, **cutover: Any) -> "Move":
        written = self.policy.model_dump(mode="json", exclude_unset=True)
        written["cutover"] = written["cutover"] | cutover
        return replace(self, policy=Policy.model_validate(written))

    def run(self, *, confirmed: bool = True, **options: Any) -> CutoverState:
        return run_cutover(
            self,
            confirm=lambda _step, _state: confirmed,
            on_progress=ignore,
            say=self.shown.append,
            **options,
        )


def move(old: str, new: str, folder: Path, environ: Mapping[str, str], **cutover: Any) -> Move:
    """The cutover of one database, with hooks that leave traces."""
    trace = folder / "trace"
    policy = {
        "source": {"url_env": "SHOP_URL", "tls": "disable"},
        "store": str(folder / "store"),
        "dump": {"work_folder": str(folder / "work")},
        "cutover": {
            "target": {"tls": "disable"},
            "hooks": {
                "announce": ["sh", "-c", f"echo announce >> {trace}"],
                "quiesce": ["sh", "-c", f"echo quiesce >> {trace}; touch {folder / 'stopped'}"],
                "repoint": [
                    "sh",
                    "-c",
                    f'echo repoint >> {trace}; printf %s "$DATABASE_URL" > {folder / "url"}',
                ],
                "resume": ["sh", "-c", f"echo resume >> {trace}"],
            },
            "still_seconds": 1,
            "still_within_seconds": 60,
        }
        | cutover,
    }
    return Move(
        "shop",
        Policy.model_validate(policy),
        {**environ, "SHOP_URL": old, "MANAGED_DATABASE_URL": new},
        old,
        new,
        folder,
    )


def rows(url: str) -> dict[str, list[Any]]:
    """Everything in the two tables."""
    with psycopg.connect(url) as session:
        return {
            name: session.execute(f"SELECT * FROM {name} ORDER BY id".encode()).fetchall()
            for name in ("users", "issues")
        }


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(statement.encode())


def relations(url: str) -> list[str]:
    """What users have made in a database."""
    with psycopg.connect(url) as session:
        return [
            name
            for (name,) in session.execute(
                "SELECT relname FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'S') ORDER BY 1"
            )
        ]


@contextmanager
def application(status: int) -> Iterator[str]:
    """A real HTTP server that answers every request with a status; its URL."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/app"
        finally:
            server.shutdown()
            thread.join(60)
