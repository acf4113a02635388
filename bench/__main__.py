"""What the proof costs: a night and a restore beside the bare tools, as ratios of one run.

    python -m bench [--scale 10] [--rounds 3]

Variants take turns, so that whatever else the machine does falls on all of them; the median counts. Each variant
runs in a process of its own, whose largest resident size is told too. Scale 1 is about 200,000 rows.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from bench.variants import VARIANTS
from hackorda_ops.local.hackorda import seed
from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server, running_postgres

_SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "fsync": "off"}


@dataclass(frozen=True)
class Run:
    """One run of a variant: wall-clock seconds, and the largest resident size of its processes in bytes."""

    seconds: float
    peak_bytes: int


@contextmanager
def _servers() -> Iterator[tuple[Path, PostgresServer, PostgresServer]]:
    folder = Path(tempfile.mkdtemp(prefix="hackorda-ops-bench-"))
    # The servers' unprivileged user has to get through.
    folder.chmod(0o711)
    try:
        with (
            running_postgres(folder / "source", settings=_SETTINGS) as source,
            running_postgres(folder / "target", settings=_SETTINGS) as target,
        ):
            yield folder, source, target
    finally:
        delete_server(folder / "source")
        delete_server(folder / "target")
        shutil.rmtree(folder, ignore_errors=True)


def _run(variant: str, folder: Path, source_url: str, target_url: str) -> Run:
    """Runs one variant in a process of its own, on a fresh target database."""
    finished = subprocess.run(
        [sys.executable, "-m", "bench.variants", variant, folder],
        env={**os.environ, "DATABASE_URL": source_url, "RESTORE_URL": target_url},
        stdout=subprocess.PIPE,
        check=True,
    )
    said = json.loads(finished.stdout)
    return Run(said["seconds"], said["peak_bytes"])


def _empty_database(server: PostgresServer) -> str:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute('DROP DATABASE IF EXISTS "target" WITH (FORCE)')
    return create_database(server, "target")


def _measure(scale: float, rounds: int, console: Console) -> None:
    with _servers() as (folder, source, target):
        url = create_database(source, "hackorda")
        with console.status(f"Seeding {scale:g} times 200,000 rows"):
            seed(url, scale=scale)
        runs: dict[str, list[Run]] = {name: [] for name in VARIANTS}
        for number in range(1, rounds + 1):
            for name in VARIANTS:
                with console.status(f"Round {number} of {rounds}: {name}"):
                    runs[name].append(_run(name, folder / "work", url, _empty_database(target)))
        with psycopg.connect(url) as connection:
            [(size_bytes,)] = connection.execute("SELECT pg_database_size(current_database())").fetchall()
    _show(runs, f"{size_bytes / 1e6:,.0f} MB on the server's disk, median of {rounds} rounds", console)


def _show(runs: dict[str, list[Run]], title: str, console: Console) -> None:
    shown = Table(title=title, title_justify="left")
    for column in ("variant", "seconds", "ratio", "to", "peak MB"):
        shown.add_column(column, justify="left" if column in ("variant", "to") else "right")
    medians = {name: statistics.median(run.seconds for run in each) for name, each in runs.items()}
    for name, each in runs.items():
        floor = VARIANTS[name].beside
        shown.add_row(
            VARIANTS[name].title,
            f"{medians[name]:.2f}",
            f"{medians[name] / medians[floor]:.2f}" if floor else "1.00",
            VARIANTS[floor].title if floor else "",
            f"{max(run.peak_bytes for run in each) / 1e6:.0f}",
        )
    console.print(shown)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=10, help="times 200,000 rows (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each variant (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    _measure(chosen.scale, chosen.rounds, Console(width=None if sys.stdout.isatty() else 110))


if __name__ == "__main__":
    main()
