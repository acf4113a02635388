"""A source that changes between two nights and again afterwards, and the command line beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.night.night import take_night
from hackorda_ops.stores.folder import FolderStore

PROGRAM = Path(sys.executable).with_name("hackorda-ops")
SECRET = "aigerim@example.kz"
SCHEMA = f"""
CREATE TABLE users (id int PRIMARY KEY, name text);
INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 300) n;
CREATE TABLE orders (id int PRIMARY KEY, price numeric);
INSERT INTO orders SELECT n, n FROM generate_series(1, 40) n;
CREATE TABLE old (id int);
CREATE TABLE quiet (id int, mail text); INSERT INTO quiet VALUES (1, '{SECRET}');
"""
BETWEEN = """
DELETE FROM users WHERE id > 290; UPDATE orders SET price = 1000 WHERE id = 7; DROP TABLE old;
CREATE TABLE fresh AS SELECT 1 AS id;
ALTER TABLE orders ADD CHECK (price > 0);
"""
AFTERWARDS = (
    "INSERT INTO users VALUES (1000, 'late'); CREATE INDEX by_name ON users (name); DROP TABLE fresh;"
)


@dataclass(frozen=True)
class TwoNights:
    protected: Protected
    first: Manifest
    second: Manifest
    folder: Path

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.folder / "store")


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="package")
def source(postgres_server: PostgresServer) -> str:
    url = create_database(postgres_server, "looked into")
    execute(url, SCHEMA)
    return url


@pytest.fixture(scope="package")
def nights(source: str, tmp_path_factory: pytest.TempPathFactory) -> TwoNights:
    folder = tmp_path_factory.mktemp("looking")
    (folder / "databases.yaml").write_text(json.dumps({"databases": {"shop": {"store": "store"}}}))
    environ = {"PATH": os.environ["PATH"], "DATABASE_URL": source}
    protected = Protected("shop", Policy.model_validate({"store": str(folder / "store")}), environ)
    first = take_night(protected).manifest
    execute(source, BETWEEN)
    second = take_night(protected).manifest
    execute(source, AFTERWARDS)
    return TwoNights(protected, first, second, folder)


@pytest.fixture(scope="package")
def run(nights: TwoNights) -> Run:
    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [PROGRAM, *arguments],
            env={**nights.protected.environ, "HOME": "/nonexistent", **variables},
            cwd=nights.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert SECRET not in done.stdout + done.stderr
        return done

    return run


def execute(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(statements)  # type: ignore[call-overload]  # a test's own constant text
