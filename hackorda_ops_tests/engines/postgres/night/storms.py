"""A storm: schema changes and readers at random, while a pg_dump is stopped and let go on at random."""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

TABLES = ("a_users", "b_jobs", "c_events", "d_notes")
SCHEMA = """
CREATE TABLE a_users (id int PRIMARY KEY, name text);
CREATE TABLE b_jobs (id int PRIMARY KEY, body text);
CREATE TABLE c_events (id int PRIMARY KEY, at timestamptz DEFAULT now());
CREATE TABLE d_notes (id int PRIMARY KEY, user_id int REFERENCES a_users);
INSERT INTO a_users SELECT n, 'user ' || n FROM generate_series(1, 500) n;
INSERT INTO b_jobs SELECT n, repeat(md5(n::text), 10) FROM generate_series(1, 5000) n;
CREATE VIEW names AS SELECT name FROM a_users;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS jobs FROM b_jobs;
"""


@dataclass
class Storm:
    """What happened to everybody else.

    Attributes:
        waits: how long each statement took, with the statement.
        errors: what others were told, which should be nothing.
    """

    waits: list[tuple[float, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def longest(self) -> tuple[float, str]:
        """The statement that took longest."""
        return max(self.waits)


def _schema_changes(chance: random.Random) -> Callable[[], tuple[str, ...]]:
    number = 0

    def one() -> tuple[str, ...]:
        nonlocal number
        number += 1
        table = chance.choice(TABLES)
        first, second = sorted(chance.sample(TABLES, 2), reverse=True)
        return chance.choice(
            (
                (f"ALTER TABLE {table} ADD COLUMN extra_{number} int",),
                (f"CREATE INDEX CONCURRENTLY index_{number} ON {table} (id)",),
                ("REFRESH MATERIALIZED VIEW totals",),
                ("CREATE OR REPLACE VIEW names AS SELECT name FROM a_users",),
                ("TRUNCATE c_events", "INSERT INTO c_events SELECT generate_series(1, 100)"),
                (f"VACUUM FULL {table}",),
                (f"REINDEX TABLE {table}",),
                (f"CREATE TABLE new_{number} (id int)", "SELECT pg_sleep(0.2)", f"DROP TABLE new_{number}"),
                # In the other order than pg_dump's: a circle in which Postgres must never choose the deploy.
                ("BEGIN", f"LOCK TABLE {first}", "SELECT pg_sleep(0.2)", f"LOCK TABLE {second}", "COMMIT"),
            )
        )

    return one


def _reads(chance: random.Random) -> Callable[[], tuple[str, ...]]:
    return lambda: (
        chance.choice([f"SELECT count(*) FROM {table}" for table in (*TABLES, "names", "totals")]),
    )


@contextmanager
def storm(url: str, seed: int, *, longest_seconds: float) -> Iterator[Storm]:
    """Lets a storm blow over a database for as long as the block runs, or so many seconds at the most.

    One session changes the schema, so that none of its statements waits for another change; three read.
    """
    found, ended = Storm(), threading.Event()
    chance = random.Random(seed)
    until = time.monotonic() + longest_seconds

    def work(statements: Callable[[], tuple[str, ...]], name: str, pause: Callable[[], float]) -> None:
        try:
            with psycopg.connect(url, autocommit=True, application_name=name) as session:
                while not ended.wait(pause()) and time.monotonic() < until:
                    for statement in statements():
                        began = time.monotonic()
                        session.execute(statement.encode())
                        found.waits.append((time.monotonic() - began, statement))
        except psycopg.Error as error:
            found.errors.append(f"{name}: {error}")

    threads = [
        threading.Thread(
            target=work, args=(_schema_changes(random.Random(seed)), "deploy", lambda: chance.uniform(0, 0.6))
        ),
        *(
            threading.Thread(
                target=work,
                args=(_reads(random.Random(seed + n)), f"a user {n}", lambda: chance.uniform(0, 0.2)),
            )
            for n in (1, 2, 3)
        ),
    ]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        ended.set()
        for thread in threads:
            thread.join(60)
            if thread.is_alive():
                found.errors.append("somebody still waits after the night")


@contextmanager
def slowed(folder: Path, seed: int, *, longest_stop_seconds: float) -> Iterator[None]:
    """Stops every pg_dump that writes below a folder at random moments, as a slow line to a far source would."""
    ended, chance = threading.Event(), random.Random(seed)

    def work() -> None:
        while not ended.wait(chance.uniform(0.02, 0.3)):
            stopped = dumping(folder)
            send(stopped, signal.SIGSTOP)
            ended.wait(chance.uniform(0, longest_stop_seconds) if stopped else 0)
            send(stopped, signal.SIGCONT)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(30)


def dumping(folder: Path) -> list[int]:
    """The processes of pg_dump that write below a folder."""
    listed = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True, check=True
    ).stdout
    return [
        int(line.split()[0])
        for line in listed.splitlines()
        if f"--file={folder}/" in line and "/pg_dump " in line
    ]


def send(pids: list[int], number: signal.Signals) -> None:
    """Sends a signal to processes, some of which may have ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
