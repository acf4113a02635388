"""A small database with a night in its store, and nothing else: a proof needs no scratch and nothing off-site."""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.night.night import take_night
from hackorda_ops.night_proof.prove import Proved, prove

PROGRAMS = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
SCHEMA = """
CREATE EXTENSION citext;
CREATE TABLE users (id serial PRIMARY KEY, name citext NOT NULL, note text);
INSERT INTO users (name, note) SELECT 'user ' || n, 'free words' FROM generate_series(1, 500) n;
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, at timestamptz DEFAULT now());
INSERT INTO orders SELECT n, 1 + n % 500 FROM generate_series(1, 2000) n;
CREATE MATERIALIZED VIEW busy AS SELECT user_id, count(*) FROM orders GROUP BY 1;
ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON users USING (name = current_user::text);
SELECT lo_from_bytea(0, 'a large object');
"""


@dataclass(frozen=True)
class Taken(Protected):
    """A protected database with a night."""

    manifest: Manifest

    def changed(self, **policy: Any) -> "Taken":
        written = self.policy.model_dump(mode="json", exclude_unset=True)
        return replace(self, policy=Policy.model_validate(written | policy))

    def prove(self, **options: Any) -> Proved:
        return prove(self, **options)

    @property
    def left(self) -> list[Path]:
        """What lies in the work folder, and where the servers of root have their files."""
        elsewhere = Path("/var/lib/hackorda-ops")
        work = self.policy.dump.work_folder
        return [
            *(path for path in work.rglob("*") if path.is_file()),
            *(path for path in elsewhere.glob("*") if elsewhere.is_dir() and _is_of(path, work)),
        ]


def _is_of(home: Path, work: Path) -> bool:
    return any(pointer.readlink() == home for pointer in work.rglob("elsewhere") if pointer.is_symlink())


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., Taken]:
    """Takes a night of a database into a store of its own."""

    def take(url: str, **policy: Any) -> Taken:
        written = {
            "store": str(tmp_path / "store"),
            "dump": {"work_folder": str(tmp_path / "work"), "compare_with_source_percent": 0},
        }
        database = Policy.model_validate(written | policy)
        environ = {**PROGRAMS, "DATABASE_URL": url}
        night = take_night(Protected("shop", database, environ))
        return Taken("shop", database, environ, night.manifest)

    return take


@pytest.fixture(scope="package")
def shop_url(postgres_server: PostgresServer) -> str:
    """A database that no test changes."""
    url = create_database(postgres_server, f"shop {secrets.token_hex(3)}")
    with psycopg.connect(url) as connection:
        connection.execute(SCHEMA.encode())
    return url


@pytest.fixture
def shop(shop_url: str, take: Callable[..., Taken]) -> Taken:
    """The night of that database."""
    return take(shop_url)
