"""A quarter on a clock of its own: nights, copies, drills and retention, and at the end a restore of everything left.

    python -m chaos.soak                91 nights
    python -m chaos.soak --nights 14    fewer

The servers and the commands are real, and see the same simulated time; the data change every day. What each night's
data were is taken from the source by SQL of its own. In the end every artifact in store and bucket is restored, and the
rows are compared with those of its night.
"""

import argparse
import os
import re
import secrets
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from rich.console import Console

from chaos import invariants, page
from chaos.commands import policy
from chaos.world import DATABASE, World, compiled, running_world
from hackorda_ops.local.postgres import wheel_bin_dir
from hackorda_ops.local.s3 import S3Server

_RETENTION = {
    "store": {"nights": 7, "weeks": 4, "months": 2, "years": 1},
    "offsite": {"nights": 7, "weeks": 8, "months": 3, "years": 1},
}
_RUNNING_ON = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")
_SUNDAY = 6


@dataclass
class Clock:
    """The simulated time of every process that maps its file."""

    path: Path

    def set(self, moment: datetime) -> None:
        """Makes it this moment now; it goes on from there."""
        ahead = round((moment - datetime.now(UTC)).total_seconds())
        with self.path.open("r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("q", ahead))
        self.path.chmod(0o644)


@dataclass
class Found:
    """What a quarter came to."""

    nights: int = 0
    copies: int = 0
    drills: int = 0
    restored: int = 0
    wrong: list[str] = field(default_factory=list)

    def must(self, world: World, what: str, *arguments: str) -> None:
        """Runs a command that has to end well."""
        ran = world.run(arguments)
        if ran.code != 0:
            self.wrong.append(f"{what}: {arguments[0]} ended with {ran.code}:\n{ran.output[-1500:]}")


def programs(folder: Path, library: Path, clock: Path) -> Path:
    """Postgres's programs, whose server sees the simulated time."""
    copied = folder / "programs"
    shutil.copytree(wheel_bin_dir().resolve().parent, copied, symlinks=True)
    server = copied / "bin" / "postgres"
    server.rename(server.with_suffix(".real"))
    server.write_text(f'#!/bin/sh\nLD_PRELOAD={library} CHAOS_CLOCK={clock} exec "$0.real" "$@"\n')
    server.chmod(0o755)
    return copied / "bin"


@contextmanager
def running_s3_on(clock: Path, library: Path) -> Iterator[S3Server]:
    """An S3 server that sees the simulated time."""
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        env={**os.environ, "LD_PRELOAD": str(library), "CHAOS_CLOCK": str(clock)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        for line in server.stderr or ():
            if found := _RUNNING_ON.search(line):
                # It logs every request: somebody has to read that.
                subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL)
                yield S3Server(found[1])
                return
        raise RuntimeError("the S3 server did not start")
    finally:
        server.kill()
        server.wait()


def _change(world: World, night: int) -> None:
    """A day's work on the data."""
    with psycopg.connect(world.source.url(DATABASE), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO items (name, made) SELECT md5(random()::text), now() FROM generate_series(1, 5)"
        )
        connection.execute("UPDATE items SET name = name || '.' WHERE id %% 50 = %s", [night % 50])
        connection.execute("DELETE FROM orders WHERE id = %s", [night + 1])
        if night % 30 == 20:
            connection.execute(f"ALTER TABLE items ADD COLUMN added_{night} int DEFAULT {night}")


def quarter(world: World, clock: Clock, nights: int, console: Console) -> Found:
    """Runs all nights, then restores what is left."""
    found = Found()
    truth: dict[str, list[str]] = {}
    first = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0) + timedelta(days=1)
    world.write_config({DATABASE: policy(world, retention=_RETENTION)})
    for number in range(nights):
        moment = first + timedelta(days=number)
        clock.set(moment)
        _change(world, number)
        truth[f"{moment:%Y-%m-%d}"] = invariants.source_rows(world)
        found.must(world, f"{moment:%Y-%m-%d}", "dump")
        found.nights += 1
        if moment.weekday() == _SUNDAY:
            clock.set(moment + timedelta(hours=2))
            found.must(world, f"{moment:%Y-%m-%d}", "copy")
            found.copies += 1
            clock.set(moment + timedelta(hours=5))
            if number >= nights * 3 // 4 and not found.drills:
                found.must(world, f"{moment:%Y-%m-%d}", "drill")
                found.drills += 1
            found.must(world, f"{moment:%Y-%m-%d}", "prune", "--delete")
            console.print(
                f"{moment:%Y-%m-%d}: {found.nights} nights, {len(found.wrong)} wrong", highlight=False
            )
    _restore_everything(world, truth, found, console)
    return found


def _restore_everything(world: World, truth: dict[str, list[str]], found: Found, console: Console) -> None:
    artifacts = invariants.artifacts(world, DATABASE)
    console.print(f"{len(artifacts)} artifacts are left", highlight=False)
    for (place, name), artifact in sorted(artifacts.items()):
        if artifact.fault:
            found.wrong.append(f"{name} in the {place}: {artifact.fault}")
            continue
        world.empty_scratch()
        source = "store" if place == "store" else "offsite"
        found.must(world, f"{name} in the {place}", "restore", "--artifact", name, "--from", source)
        night = f"{name[:4]}-{name[4:6]}-{name[6:8]}"
        if invariants.target_rows(world) != truth[night]:
            found.wrong.append(f"{name} in the {place}: other rows than the source had on {night}")
        found.restored += 1
    kept = {place: len([key for key in artifacts if key[0] == place]) for place in ("store", "bucket")}
    if not kept["store"] or (found.copies and not kept["bucket"]):
        found.wrong.append(f"nothing is left: {kept}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a quarter, and fails where anything was wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nights", type=int, default=91)
    parser.add_argument("--write", action="store_true", help="write what was found into docs/reliability.md")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix=f"hackorda-soak-{secrets.token_hex(2)}-"))
    folder.chmod(0o711)
    try:
        clock = Clock(folder / "clock")
        clock.set(datetime.now(UTC))
        library = compiled(folder)
        with (
            running_s3_on(clock.path, library) as s3,
            running_world(
                folder / "world",
                library,
                s3=s3,
                bin_dir=programs(folder, library, clock.path),
                clock=clock.path,
            ) as world,
        ):
            found = quarter(world, clock, options.nights, console)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    seconds = time.monotonic() - began
    told = (
        f"{found.nights} nights, {found.copies} weekly copies, {found.drills} drill, retention after each copy; "
        f"{found.restored} artifacts were left in store and bucket, and every one was restored and compared "
        f"with its night's rows: {len(found.wrong)} wrong. {seconds:,.0f} seconds."
    )
    console.print(told, highlight=False)
    for each in found.wrong:
        console.print(each, style="red", markup=False, highlight=False)
    if options.write:
        page.put("soak", [told])
    if found.wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
