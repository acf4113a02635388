"""What runs while anything is measured, and how variants take turns on it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from bench.measuring import Run, measure
from bench.rows import Row
from bench.variants.given import NAME
from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server, running_postgres
from hackorda_ops.local.s3 import S3Server, create_bucket, running_s3

_SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "fsync": "off"}
# Without its cache Python compiles every module at each start.
_NOBODY_HAS = {"PYTHONDONTWRITEBYTECODE"}
Told = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """What runs while anything is measured.

    Attributes:
        folder: for files, on the disk that is measured with.
        source: the server that is dumped.
        target: the server that is restored into, and drilled on.
        s3: the server of the bucket.
        rounds: how often each variant runs; the median counts.
        told: called with what happens now.
    """

    folder: Path
    source: PostgresServer
    target: PostgresServer
    s3: S3Server
    rounds: int
    told: Told

    def environment(self, *, source_url: str = "", endpoint_url: str | None = None) -> dict[str, str]:
        """The variables of the measured processes."""
        own = {name: value for name, value in os.environ.items() if name not in _NOBODY_HAS}
        return {
            **own,
            "DATABASE_URL": source_url,
            "RESTORE_URL": self.target.url("target"),
            "SCRATCH_ADMIN_URL": self.target.url(),
            "OFFSITE_ENDPOINT_URL": endpoint_url or self.s3.endpoint_url,
            "OFFSITE_REGION": self.s3.region,
            "OFFSITE_ACCESS_KEY_ID": self.s3.access_key_id,
            "OFFSITE_SECRET_ACCESS_KEY": self.s3.secret_access_key,
        }

    def run(self, variant: str, work: Path, environment: dict[str, str], *, with_start: bool = False) -> Run:
        """Runs a variant once.

        Args:
            variant: its name.
            work: its folder.
            environment: see `environment`.
            with_start: whether the start of its process counts as well, as it does for a command of another's.
        """
        empty_database(self.target)
        run = measure([sys.executable, "-m", "bench.variants", variant, work], environment)
        return run if with_start else replace(run, seconds=float(run.said))


@contextmanager
def running_bench(rounds: int, told: Told) -> Iterator[Bench]:
    """Servers for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="hackorda-ops-bench-"))
    # The servers' unprivileged user has to get through.
    folder.chmod(0o711)
    try:
        with (
            running_postgres(folder / "source", settings=_SETTINGS) as source,
            running_postgres(folder / "target", settings=_SETTINGS) as target,
            running_s3() as s3,
        ):
            create_bucket(s3, NAME)
            yield Bench(folder, source, target, s3, rounds, told)
    finally:
        delete_server(folder / "source")
        delete_server(folder / "target")
        shutil.rmtree(folder, ignore_errors=True)


def empty_database(server: PostgresServer) -> None:
    """Makes the database that restores go into, in place of the one that is there."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute('DROP DATABASE IF EXISTS "target" WITH (FORCE)')
    create_database(server, "target")


def medians(bench: Bench, variants: Sequence[str], work: Path, environment: dict[str, str]) -> dict[str, Run]:
    """Variants take turns, so that whatever else the machine does falls on all of them."""
    runs: dict[str, list[Run]] = {name: [] for name in variants}
    for number in range(1, bench.rounds + 1):
        for name in variants:
            bench.told(f"{work.name}, round {number} of {bench.rounds}: {name}")
            runs[name].append(bench.run(name, work, environment))
    return {
        name: replace(middle(each), peak_bytes=max(run.peak_bytes for run in each))
        for name, each in runs.items()
    }


def middle(runs: Sequence[Run]) -> Run:
    """The run whose time is in the middle."""
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]


def ratio(what: str, run: Run, beside: Run, goal: float) -> Row:
    """A row that compares a run with that of the bare tools."""
    return Row(
        what,
        run.seconds / beside.seconds,
        "times",
        goal,
        run.seconds,
        beside.seconds,
        run.cpu_seconds,
        run.peak_bytes,
    )


def memory(what: str, run: Run) -> Row:
    """A row with the most memory of a run."""
    return Row(f"{what}: memory of all processes", run.peak_bytes / 1e6, "MB", 150)
