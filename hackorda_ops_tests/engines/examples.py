"""A protected database of each engine, small and real, for what all engines are held to."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg

from hackorda_ops.artifacts import manifest as manifests
from hackorda_ops.config import engines as config_engines
from hackorda_ops.config.models import Policy
from hackorda_ops.config.scratch import SCRATCH_SECTIONS
from hackorda_ops.engines import registry as engines
from hackorda_ops.environment import Protected
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.redis.target import parse
from hackorda_ops.redis.wire import RedisClient, connected
from hackorda_ops.scratch import registry as scratch
from hackorda_ops_tests.e2e.redis import running_redis
from hackorda_ops_tests.engines import sqlite_engine

PATH = "/usr/bin:/bin"


@dataclass(frozen=True)
class Example:
    """One engine's database.

    Attributes:
        protected: the database.
        lose: takes nearly all of the data away from the source.
        target: the URL of a new, empty one to restore into.
    """

    protected: Protected
    lose: Callable[[], None]
    target: Callable[[], str]


def policy_of(engine: Mapping[str, Any], folder: Path, bucket: str) -> Policy:
    places = {
        "store": str(folder / "store"),
        "offsite": {"bucket": bucket},
        "dump": {"work_folder": str(folder / "work")},
    }
    return Policy.model_validate({**places, **engine})


def of_bucket(server: S3Server) -> dict[str, str]:
    return {
        "PATH": PATH,
        "OFFSITE_ENDPOINT_URL": server.endpoint_url,
        "OFFSITE_ACCESS_KEY_ID": server.access_key_id,
        "OFFSITE_SECRET_ACCESS_KEY": server.secret_access_key,
    }


def of_postgres(
    folder: Path,
    s3: S3Server,
    bucket: str,
    *,
    database: Callable[[], str],
    drilled_on: PostgresServer,
) -> Example:
    url = database()
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(
            "CREATE TABLE users AS SELECT n AS id, 'user ' || n AS name FROM generate_series(1, 999) n"
        )

    def lose() -> None:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("DELETE FROM users WHERE id > 20")

    environ = {**of_bucket(s3), "DATABASE_URL": url, "SCRATCH_ADMIN_URL": drilled_on.url()}
    policy = policy_of({"scratch": {"server": {"superuser": "postgres"}}}, folder, bucket)
    return Example(Protected("shop", policy, environ), lose, database)


@contextmanager
def of_redis(folder: Path, s3: S3Server, bucket: str) -> Iterator[Example]:
    (folder / "redis").mkdir()
    (folder / "empty").mkdir()
    with running_redis(folder / "redis") as url, running_redis(folder / "empty") as empty:
        with connected(parse(url, origin="test")) as client:
            fill(client)

        def lose() -> None:
            with connected(parse(url, origin="test")) as client:
                client.ask_all([("DEL", f"user:{n}") for n in range(20, 999)])

        environ = {**of_bucket(s3), "REDIS_URL": url}
        policy = policy_of({"engine": "redis", "source": {"url_env": "REDIS_URL"}}, folder, bucket)
        yield Example(Protected("cache", policy, environ), lose, lambda: empty)


def fill(client: RedisClient) -> None:
    """Keys of every type, in two databases, some of which expire."""
    client.ask_all([("SET", f"user:{n}", f"user {n}") for n in range(999)])
    client.ask("HSET", "cart:1", "apples", "3", "pears", "5")
    client.ask("SADD", "tags:1", *(f"tag{n}" for n in range(300)))
    client.ask("ZADD", "ranks:1", "1.5", "ada", "2", "grace")
    client.ask("RPUSH", "queue:mail", "first", "second")
    client.ask("XADD", "events:all", "1-1", "kind", "login")
    client.ask("XGROUP", "CREATE", "events:all", "workers", "0")
    client.ask("SET", "session:1", "x", "EX", 40 * 86_400)
    client.ask("SET", "session:2", "x", "EX", 3600)
    client.ask("SELECT", 3)
    client.ask("SET", "alice@example.org", "a value that nobody may see")


@contextmanager
def of_sqlite(folder: Path, s3: S3Server, bucket: str) -> Iterator[Example]:
    """The engine that the package doesn't know, added as its line in the registries would."""
    with (
        patch.dict(engines.ENGINES),
        patch.dict(manifests._KNOWN),
        patch.dict(scratch.PROVIDERS),
        patch.dict(SCRATCH_SECTIONS),
        patch.object(config_engines, "KNOWN", set(config_engines.KNOWN)),
    ):
        engines.register("sqlite", sqlite_engine.Engine())
        scratch.register("sqlite", sqlite_engine.SCRATCH)
        path = folder / "live.sqlite"
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE users (id int, name text)")
            database.executemany("INSERT INTO users VALUES (?, ?)", [(n, f"user {n}") for n in range(999)])

        def lose() -> None:
            with closing(sqlite3.connect(path)) as database, database:
                database.execute("DELETE FROM users WHERE id > 20")

        environ = {**of_bucket(s3), "FILE": str(path)}
        policy = policy_of({"engine": "sqlite", "source": {"url_env": "FILE"}}, folder, bucket)
        yield Example(Protected("ledger", policy, environ), lose, lambda: str(folder / "restored.sqlite"))
