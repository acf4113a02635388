"""The servers and folders that one worker's cases run on, and how they are put back to where they were."""

import hashlib
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from chaos.faults import Fault, Meeting
from chaos.proxies.http import HttpProxy
from chaos.proxies.listening import Proxy
from chaos.proxies.postgres import PostgresProxy
from chaos.proxies.redis import RedisProxy
from hackorda_ops.local.neon import LocalNeon, running_local_neon
from hackorda_ops.local.postgres import PostgresServer, create_database, running_postgres
from hackorda_ops.local.s3 import S3Server, create_bucket, running_s3
from hackorda_ops_tests.e2e.redis import running_redis

BUCKET: Final = "off-site"
DATABASE: Final = "shop"
TARGET: Final = "target"
# As much as a drill needs to have something to compare, and as few statements as possible.
_ROWS: Final = """
    CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, made timestamptz);
    INSERT INTO items (name, made)
        SELECT md5(g::text) || ' größer', timestamptz '2026-01-01' + g * interval '1 hour'
        FROM generate_series(1, 300) g;
    CREATE TABLE orders (id int PRIMARY KEY, item bigint REFERENCES items, paid boolean);
    INSERT INTO orders SELECT g, 1 + g % 300, g % 2 = 0 FROM generate_series(1, 100) g;
    CREATE VIEW paid AS SELECT id FROM orders WHERE paid;
"""
_SETTINGS: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "max_connections": "50",
    "max_wal_size": "256MB",
}
_EMPTY: Final = {"postgres", "template0", "template1", TARGET}


@dataclass(frozen=True)
class Ran:
    """How a command ended.

    Attributes:
        code: its exit code; negative for a signal; None where it didn't end in time and was killed.
        output: what it printed.
        positions: the calls that it made, and whether the planned one was among them.
    """

    code: int | None
    output: str
    meeting: Meeting


@dataclass
class World:
    """What a worker has to itself.

    Attributes:
        folder: of everything.
        source: the server that is dumped.
        scratch: the server of scratch databases and of restores.
        s3: the server of the bucket.
        proxies: what stands before each.
        environment: of the commands.
    """

    folder: Path
    source: PostgresServer
    scratch: PostgresServer
    s3: S3Server
    library: Path
    stack: ExitStack = field(repr=False)
    clock: Path | None = None
    proxies: list[Proxy] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    _nursery: subprocess.Popen[str] | None = None
    _neon: LocalNeon | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def case(self) -> Path:
        """The folder of the commands: store, work, TMPDIR, HOME."""
        return self.folder / "case"

    def proxied(self, proxy: Proxy) -> str:
        """Adds a proxy; returns its address."""
        self.proxies.append(proxy)
        return f"127.0.0.1:{proxy.port}"

    def behind(self, boundary: str, url: str) -> str:
        """The URL of a Postgres server, through a proxy of its own."""
        parts = urlsplit(url)
        proxy = PostgresProxy(boundary, ("127.0.0.1", parts.port or 0))
        return url.replace(f"127.0.0.1:{parts.port}", self.proxied(proxy))

    def neon(self) -> LocalNeon:
        """The control plane over the source; it starts when it is first asked for."""
        if self._neon is None:
            passwords = {self.source.superuser: self.source.password}
            neon = self.stack.enter_context(
                running_local_neon(self.source, self.folder / "neon", role_passwords=passwords)
            )
            self._neon = neon
            known: dict[bytes, bytes] = {}

            def through_proxies(body: bytes) -> bytes:
                if b"postgresql://" not in body:
                    return body
                answer = json.loads(body)
                uri = answer.get("uri", "")
                port = str(urlsplit(uri).port)
                if port.encode() not in known:
                    known[port.encode()] = self.behind("postgres branch", f"127.0.0.1:{port}").encode()
                return body.replace(f"127.0.0.1:{port}".encode(), known[port.encode()])

            where = urlsplit(neon.base_url)
            address = self.proxied(HttpProxy("neon", ("127.0.0.1", where.port or 0), through_proxies))
            self.environment |= {
                "NEON_API_URL": f"http://{address}{where.path}",
                "NEON_API_KEY": neon.api_key,
                "NEON_PROJECT_ID": neon.project_id,
            }
        return self._neon

    def redis(self) -> None:
        """The Redis server that is kept beside the database; it starts when it is first asked for."""
        if "REDIS_URL" in self.environment:
            return
        folder = self.folder / "redis"
        folder.mkdir()
        url = self.stack.enter_context(running_redis(folder))
        parts = urlsplit(url)
        address = self.proxied(RedisProxy("redis", ("127.0.0.1", parts.port or 0)))
        import redis  # noqa: PLC0415  # a test's own client

        with redis.Redis.from_url(url) as client:
            client.mset({f"session:{number}": f"value {number}" for number in range(50)})
            client.rpush("queue", *range(20))
        self.environment["REDIS_URL"] = url.replace(f"127.0.0.1:{parts.port}", address)

    def write_config(self, sections: Mapping[str, Any]) -> None:
        """Writes databases.yaml."""
        self.case.mkdir(exist_ok=True)
        (self.case / "databases.yaml").write_text(json.dumps({"databases": sections}), encoding="utf-8")

    def run(
        self,
        arguments: Sequence[str],
        fault: Fault | None = None,
        *,
        within_seconds: float = 300,
        kill_after_seconds: float | None = None,
    ) -> Ran:
        """Runs a command to its end, or for as long as it may take."""
        meeting = Meeting(fault)
        for proxy in self.proxies:
            proxy.reset(meeting)
        number = next(self._numbers)
        log, marker, output = (self.folder / f"{name}-{number}" for name in ("log", "marker", "output"))
        position = fault.position if fault else None
        ended = self._order(
            {
                "arguments": list(arguments),
                "environment": self.environment,
                "folder": str(self.case),
                "root": str(self.case),
                "library": str(self.library),
                "log": str(log),
                "marker": str(marker),
                "output": str(output),
                "planned": position
                and [position.boundary, position.label, position.occurrence, fault and fault.kind],
                "kill_after_seconds": kill_after_seconds,
            },
            within_seconds,
        )
        meeting.read_log(log, marker)
        said = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
        for each in (log, marker, output):
            each.unlink(missing_ok=True)
        return Ran(ended, said, meeting)

    def _order(self, order: dict[str, Any], within_seconds: float) -> int | None:
        if self._nursery is None:
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", "chaos.nursery"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                bufsize=1,
                env={
                    **os.environ,
                    "LD_PRELOAD": str(self.library),
                    **({"CHAOS_CLOCK": str(self.clock)} if self.clock else {}),
                },
            )
            self.stack.callback(self._nursery.kill)
        nursery = self._nursery
        if nursery.stdin is None or nursery.stdout is None:
            raise RuntimeError("the nursery was started without pipes")
        nursery.stdin.write(json.dumps(order) + "\n")
        pid = json.loads(nursery.stdout.readline())["pid"]
        ready, _, _ = select.select([nursery.stdout], [], [], within_seconds)
        if not ready:
            os.kill(pid, signal.SIGKILL)
        code = json.loads(nursery.stdout.readline())["code"]
        return int(code) if ready else None

    def keep(self, name: str) -> None:
        """Keeps the folder and the bucket as they are now, by a name."""
        kept = self.folder / "kept" / name
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.case, kept / "case", symlinks=True)
        client = self.s3.client()
        for key in self.objects():
            path = kept / "bucket" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(client.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        (kept / "bucket").mkdir(exist_ok=True)

    def back_to(self, name: str) -> None:
        """Puts folder, bucket and scratch server back to what was kept by a name."""
        kept = self.folder / "kept" / name
        shutil.rmtree(self.case)
        shutil.copytree(kept / "case", self.case, symlinks=True)
        client = self.s3.client()
        for upload in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
        there = {each["Key"]: each["ETag"] for each in _entries(client)}
        files = {
            str(path.relative_to(kept / "bucket")): path
            for path in (kept / "bucket").rglob("*")
            if path.is_file()
        }
        for key, path in files.items():
            data = path.read_bytes()
            if there.get(key) != f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"':
                client.put_object(Bucket=BUCKET, Key=key, Body=data)
        for key in there.keys() - files.keys():
            client.delete_object(Bucket=BUCKET, Key=key)
        self.empty_scratch()

    def empty_scratch(self) -> None:
        """An empty target, and no other database on the scratch server."""
        with psycopg.connect(self.scratch.url(), autocommit=True) as connection:
            for name in self.scratch_databases() | {TARGET}:
                connection.execute(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
                )
            for (role,) in connection.execute(
                "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> %s",
                [self.scratch.superuser],
            ).fetchall():
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
        create_database(self.scratch, TARGET)

    def scratch_databases(self) -> set[str]:
        """What lies on the scratch server beside what belongs there."""
        with psycopg.connect(self.scratch.url(), autocommit=True) as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database")} - _EMPTY

    def objects(self) -> dict[str, bytes]:
        """The keys in the bucket, with their ETags."""
        return {each["Key"]: each["ETag"].encode() for each in _entries(self.s3.client())}


def _entries(client: Any) -> list[Any]:
    return [
        entry
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        for entry in page.get("Contents", [])
    ]


def compiled(folder: Path) -> Path:
    """files.c as a library that can be preloaded."""
    library = folder / "files.so"
    source = Path(__file__).with_name("files.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lpthread"], check=True)
    return library


@contextmanager
def running_world(
    folder: Path,
    library: Path,
    *,
    s3: S3Server | None = None,
    bin_dir: Path | None = None,
    clock: Path | None = None,
) -> Iterator[World]:
    """Servers for as long as the block lasts.

    Args:
        folder: is made.
        library: files.c, compiled.
        s3: a server that runs already; by default one is started.
        bin_dir: of the Postgres servers' programs, where they aren't the wheel's.
        clock: the file of a simulated time.
    """
    folder.mkdir()
    folder.chmod(0o711)
    with ExitStack() as stack:
        source = stack.enter_context(running_postgres(folder / "source", settings=_SETTINGS, bin_dir=bin_dir))
        scratch = stack.enter_context(
            running_postgres(folder / "scratch", settings=_SETTINGS, bin_dir=bin_dir)
        )
        s3 = s3 or stack.enter_context(running_s3())
        create_bucket(s3, BUCKET)
        url = create_database(source, DATABASE)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_ROWS)
        create_database(scratch, TARGET)
        world = World(folder, source, scratch, s3, library, stack, clock=clock)
        home = world.case
        for each in (home, home / "tmp"):
            each.mkdir(exist_ok=True)
        s3_address = world.proxied(HttpProxy("s3", ("127.0.0.1", urlsplit(s3.endpoint_url).port or 0)))
        scratch_url = world.behind("postgres scratch", scratch.url())
        world.environment |= {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(home / "tmp"),
            "HACKORDA_OPS_CONFIG": str(home / "databases.yaml"),
            "DATABASE_URL": world.behind("postgres source", url),
            "SCRATCH_ADMIN_URL": scratch_url,
            "RESTORE_URL": scratch_url.removesuffix("postgres") + TARGET,
            "OFFSITE_ENDPOINT_URL": f"http://{s3_address}",
            "OFFSITE_REGION": s3.region,
            "OFFSITE_ACCESS_KEY_ID": s3.access_key_id,
            "OFFSITE_SECRET_ACCESS_KEY": s3.secret_access_key,
        }
        yield world
