"""What is set up for each group of rows, and what it measures."""

import hashlib
import json
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import psycopg

from bench.link import slow_link
from bench.measuring import Run, measure
from bench.rows import Row
from bench.sources import SHAPES, fill
from bench.variants import NAME, protected
from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, FileEntry, Manifest, digest_of, to_bytes
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server, running_postgres
from hackorda_ops.local.s3 import S3Server, create_bucket, running_s3
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.store import Store

_SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "fsync": "off"}
_MIB = 1024 * 1024
_PROGRAM = Path(sys.executable).with_name("hackorda-ops")
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
        return {
            **os.environ,
            "DATABASE_URL": source_url,
            "RESTORE_URL": self.target.url("target"),
            "SCRATCH_ADMIN_URL": self.target.url(),
            "OFFSITE_ENDPOINT_URL": endpoint_url or self.s3.endpoint_url,
            "OFFSITE_REGION": self.s3.region,
            "OFFSITE_ACCESS_KEY_ID": self.s3.access_key_id,
            "OFFSITE_SECRET_ACCESS_KEY": self.s3.secret_access_key,
        }

    def run(self, variant: str, work: Path, environment: dict[str, str]) -> Run:
        """Runs a variant once."""
        _empty_database(self.target)
        run = measure([sys.executable, "-m", "bench.variants", variant, work], environment)
        return replace(run, seconds=float(run.said))


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


def _empty_database(server: PostgresServer) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute('DROP DATABASE IF EXISTS "target" WITH (FORCE)')
    create_database(server, "target")


def _medians(
    bench: Bench, variants: Sequence[str], work: Path, environment: dict[str, str]
) -> dict[str, Run]:
    """Variants take turns, so that whatever else the machine does falls on all of them."""
    runs: dict[str, list[Run]] = {name: [] for name in variants}
    for number in range(1, bench.rounds + 1):
        for name in variants:
            bench.told(f"{work.name}, round {number} of {bench.rounds}: {name}")
            runs[name].append(bench.run(name, work, environment))
    return {
        name: replace(_middle(each), peak_bytes=max(run.peak_bytes for run in each))
        for name, each in runs.items()
    }


def _ratio(what: str, run: Run, beside: Run, goal: float) -> Row:
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


def _memory(what: str, run: Run) -> Row:
    return Row(f"{what}: memory of all processes", run.peak_bytes / 1e6, "MB", 150)


def rows_of_data(bench: Bench, shape: str, size_bytes: int, *, whole: bool) -> Iterator[Row]:
    """A night, and with `whole` a restore and a drill as well, beside the bare tools."""
    title = f"{size_bytes / 1e9:.1f} GB in {SHAPES[shape].title}"
    name = f"{shape} {size_bytes / 1e9:.1f} GB"
    bench.told(f"{name}: making it")
    work = bench.folder / name.replace(" ", "_")
    url = create_database(bench.source, work.name)
    fill(url, shape, size_bytes)
    environment = bench.environment(source_url=url)
    variants = ["pg_dump", *(["pg_dump_default"] if whole else []), "night"]
    variants += ["pg_restore", "restore", "ship", "drill"] if whole else []
    runs = _medians(bench, variants, work, environment)
    night_goal = 1.25 if size_bytes > 3e9 else 1.35
    yield _ratio(
        f"night with all its proofs over pg_dump -Fd -j2 zstd:1, {title}",
        runs["night"],
        runs["pg_dump"],
        night_goal,
    )
    yield _memory(f"night, {title}", runs["night"])
    if whole:
        yield _ratio(
            f"the same over pg_dump --format=custom, {title}", runs["night"], runs["pg_dump_default"], 0.18
        )
        yield _ratio(
            f"proven restore over pg_restore -j2, {title}", runs["restore"], runs["pg_restore"], 1.25
        )
        yield _memory(f"restore, {title}", runs["restore"])
        yield _ratio(f"whole drill over the same, {title}", runs["drill"], runs["pg_restore"], 1.35)
        yield _memory(f"drill, {title}", runs["drill"])
        yield _memory(f"copy, {title}", runs["ship"])
    shutil.rmtree(work)
    with psycopg.connect(bench.source.url(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{work.name}" WITH (FORCE)')


def fixed_costs(bench: Bench, tables: int) -> Iterator[Row]:
    """What a night costs without rows, and what each table adds."""
    for shape in ("empty", "many"):
        bench.told(f"{SHAPES[shape].title}: making it")
        url = create_database(bench.source, shape)
        fill(url, shape, 0)
        runs = _medians(bench, ["pg_dump", "night"], bench.folder / shape, bench.environment(source_url=url))
        night, bare = runs["night"], runs["pg_dump"]
        if shape == "empty":
            yield Row(
                "a night of an empty database",
                night.seconds,
                "s",
                0.7,
                night.seconds,
                bare.seconds,
                night.cpu_seconds,
            )
        else:
            above_ms = (night.seconds - bare.seconds) * 1000 / tables
            yield Row(
                f"a night of {tables:,} small tables above pg_dump's own",
                above_ms,
                "ms a table",
                0.7,
                night.seconds,
                bare.seconds,
                night.cpu_seconds,
                night.peak_bytes,
            )


def slow_link_rows(bench: Bench, largest_bytes: int) -> Iterator[Row]:
    """Copy and fetch over a link of 20 MB/s a connection and 20 ms a request, beside the AWS command line."""
    work = bench.folder / "slow_link"
    _make_files(work, largest_bytes)
    with slow_link(bench.s3.endpoint_url) as endpoint_url:
        environment = bench.environment(endpoint_url=endpoint_url)
        runs: dict[str, list[Run]] = {}
        for number in range(1, bench.rounds + 1):
            for name in ("copy", "aws_copy", "fetch", "aws_fetch"):
                bench.told(f"slow link, round {number} of {bench.rounds}: {name}")
                if name == "copy":
                    _empty_bucket(bench.s3)
                runs.setdefault(name, []).append(bench.run(name, work, environment))
    medians = {name: _middle(each) for name, each in runs.items()}
    title = f"slow link, one file of {largest_bytes / 1e6:.0f} MB among others"
    yield _ratio(
        f"copy with read-back over aws s3 cp up and down, {title}", medians["copy"], medians["aws_copy"], 1.0
    )
    yield _ratio(
        f"fetch for a restore over aws s3 cp down, {title}", medians["fetch"], medians["aws_fetch"], 1.0
    )
    yield _memory("copy over a slow link", medians["copy"])


def _make_files(work: Path, largest_bytes: int) -> None:
    store, entries = FolderStore(work / "files"), []
    work.mkdir()
    store.check()
    for name, size_bytes in {
        "large": largest_bytes,
        "a": 6 * _MIB,
        "b": 3 * _MIB,
        "c": _MIB,
        "toc.dat": 4096,
    }.items():
        data = secrets.token_bytes(size_bytes)
        entries.append(FileEntry(name, size_bytes, hashlib.sha256(data).hexdigest()))
        store.put(f"{NAME}/copied/{name}", BytesIO(data), size_bytes=size_bytes, sha256=entries[-1].sha256)
    (work / "files.json").write_text(json.dumps([asdict(each) for each in entries]))


def _empty_bucket(s3: S3Server) -> None:
    client = s3.client()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=NAME):
        for entry in page.get("Contents", []):
            client.delete_object(Bucket=NAME, Key=entry["Key"])


def commands(bench: Bench, artifacts: int) -> Iterator[Row]:
    """What commands take to start, and what they take with many artifacts."""
    work = bench.folder / "commands"
    work.mkdir()
    url = create_database(bench.source, "commands")
    environment = bench.environment(source_url=url) | {"HACKORDA_OPS_CONFIG": str(work / "databases.yaml")}
    (work / "databases.yaml").write_text(
        f"databases:\n  {NAME}:\n    store: {work / 'store'}\n    offsite: {{bucket: {NAME}}}\n"
        f"    scratch: {{server: {{}}}}\n    dump: {{work_folder: {work}}}\n"
    )
    bench.run("night", work, environment)
    for arguments, goal in ((["--help"], 0.25), (["backups"], 0.5), (["status"], 0.6)):
        run = _command(bench, arguments, environment)
        yield Row(
            f"hackorda-ops {' '.join(arguments)}, from start to end", run.seconds, "s", goal, run.seconds
        )
    of = protected(work)
    [held] = read_judged({"store": of.store}, NAME).held
    for place, goal in (("folder", 2.0), ("bucket", 5.0)):
        bench.told(f"{artifacts:,} artifacts in a {place}: making them")
        store = of.store if place == "folder" else _offsite(of, environment)
        _multiply(store, held.manifest, artifacts)
        for command in ("backups", "status", "prune"):
            run = _command(bench, [command], environment)
            yield Row(
                f"{command}, {artifacts:,} artifacts in a {place}",
                run.seconds,
                "s",
                goal,
                run.seconds,
                cpu_seconds=run.cpu_seconds,
                peak_bytes=run.peak_bytes,
            )
            yield Row(
                f"{command}, {artifacts:,} artifacts in a {place}: memory", run.peak_bytes / 1e6, "MB", 150
            )
        if place == "folder":
            shutil.rmtree(work / "store")
            (work / "store").mkdir()


def _offsite(of: object, environment: dict[str, str]) -> Store:
    return replace(of, environ=environment).offsite  # type: ignore[type-var, attr-defined, no-any-return]


def _command(bench: Bench, arguments: Sequence[str], environment: dict[str, str]) -> Run:
    bench.told(f"hackorda-ops {' '.join(arguments)}")
    runs = [measure([_PROGRAM, *arguments], environment) for _ in range(bench.rounds)]
    return _middle(runs)


def _middle(runs: Sequence[Run]) -> Run:
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]


def _multiply(store: Store, manifest: Manifest, count: int) -> None:
    for number in range(count):
        moment = manifest.captured_at - timedelta(hours=number)
        each = replace(manifest, artifact_id=new_id(moment), captured_at=moment, night=moment.date())
        data = to_bytes(each)
        for path in ("dump/toc.dat", "dump/1.dat.zst", "dump/2.dat.zst", "RESTORE.md"):
            store.put(f"{each.prefix}/{path}", BytesIO(b""), size_bytes=0, sha256=digest_of(b""))
        store.put(
            f"{each.prefix}/{MANIFEST_NAME}", BytesIO(data), size_bytes=len(data), sha256=digest_of(data)
        )
