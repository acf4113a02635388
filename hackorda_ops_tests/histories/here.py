"""A server of one's own whose history is kept here: Barman, run by the product's own commands."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import yaml
from dagster import DagsterInstance, ExecuteInProcessResult

from hackorda_ops.config import file as config_file
from hackorda_ops.environment import Protected
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops.orchestration.upkeep.keeping import WATCH
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse
from hackorda_ops_tests.e2e.processes import until

NAME = "hackorda"
SLOT = "hackorda_ops_hackorda"


@dataclass(frozen=True)
class KeptHere:
    """A database of that server, and the folder in which the commands are typed.

    Attributes:
        source: the server.
        url: of the database.
        folder: with databases.yaml.
        environ: what the commands run with.
    """

    source: PostgresServer
    url: str
    folder: Path
    environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def made(
        cls, source: PostgresServer, url: str, folder: Path, command: Path, environ: Mapping[str, str]
    ) -> "KeptHere":
        """Writes databases.yaml; the rest is as somebody finds it who has just installed the product."""
        folder.mkdir()
        written = {
            "scratch": {"server": {"superuser": "postgres"}},
            "history": {"barman": {"command": str(command)}},
        }
        (folder / "databases.yaml").write_text(yaml.safe_dump({"databases": {NAME: written}}))
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return cls(source, url, folder, {**kept, **environ, "DATABASE_URL": url})

    @property
    def protected(self) -> Protected:
        """The database as the commands see it."""
        policy = config_file.load(self.folder / "databases.yaml").databases[NAME]
        return Protected(NAME, policy, self.environ)

    @property
    def history(self) -> dict[str, Any]:
        """What databases.yaml says of it, for a database that isn't in this folder."""
        written = yaml.safe_load((self.folder / "databases.yaml").read_text())["databases"][NAME]["history"]
        written["barman"]["run"] = {"folder": str(self.barman.parent)}
        return {"history": written}

    @property
    def target(self) -> ConnectionTarget:
        """The live database."""
        return parse(self.url, origin="test")

    @contextmanager
    def dagster(self) -> Iterator[tuple[dg.Definitions, DagsterInstance]]:
        """Its code location, and a Dagster of its own."""
        config = config_file.load(self.folder / "databases.yaml")
        with DagsterInstance.ephemeral() as instance:
            yield build_defs(config, resource_overrides={ENVIRON: self.environ}), instance

    def watched(self, cursor: str | None = None) -> tuple[list[str | None], str | None]:
        """What a tick of the watch starts, and what it remembers."""
        with self.dagster() as (definitions, instance):
            context = dg.build_sensor_context(
                instance=instance,
                definitions=definitions,
                resources={ENVIRON: self.environ},
                cursor=cursor,
            )
            tick = definitions.resolve_sensor_def(WATCH).evaluate_tick(context)
        return [each.job_name for each in tick.run_requests or ()], tick.cursor

    def run(self, job: str) -> ExecuteInProcessResult:
        """Runs one of the jobs in this process."""
        with self.dagster() as (definitions, instance):
            return definitions.resolve_job_def(job).execute_in_process(
                instance=instance, raise_on_error=False
            )

    @property
    def barman(self) -> Path:
        """Barman's folder."""
        return self.folder / "history" / NAME

    def type(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs one of the commands."""
        return subprocess.run(
            _command(*arguments),
            cwd=self.folder,
            env=dict(self.environ),
            capture_output=True,
            text=True,
            check=False,
        )

    def asked(self, query: str, *values: object) -> Any:
        """The first value that the source answers."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(query.encode(), values).fetchone()
        return None if row is None else row[0]

    def do(self, *statements: str) -> None:
        """Runs statements on the source."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    @property
    def is_received(self) -> bool:
        """Whether somebody receives by the slot now."""
        return bool(self.asked("SELECT active FROM pg_replication_slots WHERE slot_name = %s", SLOT))

    @contextmanager
    def receiving(self) -> Iterator[subprocess.Popen[str]]:
        """`hackorda-ops history receive`, from when it receives until the block ends."""
        with (self.folder / "receive.log").open("a") as log:
            process = subprocess.Popen(
                _command("history", "receive"),
                cwd=self.folder,
                env=dict(self.environ),
                stdout=log,
                stderr=log,
                text=True,
            )
        try:
            until(lambda: self.is_received or process.poll() is not None, "somebody receives")
            assert process.poll() is None, self.log
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            until(lambda: not self.is_received, "nobody receives any more")

    @property
    def log(self) -> str:
        """What the command has written."""
        return (self.folder / "receive.log").read_text()

    def received(self) -> None:
        """Waits until all that the source has written by now was streamed."""
        position = self.asked("SELECT pg_current_wal_insert_lsn()")
        self.do("SELECT pg_logical_emit_message(true, 'test', 'after it')")
        streamed = "SELECT count(*) FROM pg_stat_replication WHERE write_lsn > %s"
        until(lambda: self.asked(streamed, position) == 1, "the WAL was received")


def _command(*arguments: str) -> list[str | Path]:
    return [Path(sys.executable).with_name("hackorda-ops"), *arguments]
