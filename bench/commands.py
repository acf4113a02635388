"""What commands take to start, and with many artifacts."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

from bench.measuring import Run, measure
from bench.rows import Row
from bench.running import Bench, middle
from bench.variants.given import NAME, protected
from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, digest_of, to_bytes
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.postgres import create_database
from hackorda_ops.local.s3 import create_bucket
from hackorda_ops.stores.store import Store
from hackorda_ops_tests.stores.seaweed import running_seaweed

_MAKERS = 8
_PROGRAM = Path(sys.executable).with_name("hackorda-ops")


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
        yield _seconds(f"hackorda-ops {' '.join(arguments)}, from start to end", run, goal)
    of = protected(work)
    [held] = read_judged({"store": of.store}, NAME).held
    yield from _with_many(
        bench, of.store, held.manifest, environment, artifacts=artifacts, place="folder", goal=2.0
    )
    shutil.rmtree(work / "store")
    (work / "store").mkdir()
    server = bench.folder / "seaweed of commands"
    server.mkdir()
    with running_seaweed(server) as s3:
        create_bucket(s3, NAME)
        environment = replace(bench, s3=s3).environment(source_url=url) | {
            "HACKORDA_OPS_CONFIG": environment["HACKORDA_OPS_CONFIG"]
        }
        offsite = replace(of, environ=environment).offsite
        yield from _with_many(
            bench, offsite, held.manifest, environment, artifacts=artifacts, place="bucket", goal=5.0
        )


def _with_many(
    bench: Bench,
    store: Store,
    manifest: Manifest,
    environment: dict[str, str],
    *,
    artifacts: int,
    place: str,
    goal: float,
) -> Iterator[Row]:
    bench.told(f"{artifacts:,} artifacts in a {place}: making them")
    _multiply(store, manifest, artifacts)
    first = measure([_PROGRAM, "backups"], environment)
    yield _seconds(f"backups, {artifacts:,} artifacts in a {place} that were never read before", first, None)
    bare = _bare_list(bench, environment) if place == "bucket" and shutil.which("aws") else None
    for command in ("backups", "status", "prune"):
        run = _command(bench, [command], environment)
        yield _seconds(f"{command}, {artifacts:,} artifacts in a {place}", run, goal, beside=bare)
        yield Row(f"{command}, {artifacts:,} artifacts in a {place}: memory", run.peak_bytes / 1e6, "MB", 150)


def _seconds(what: str, run: Run, goal: float | None, *, beside: Run | None = None) -> Row:
    """A row with the time of a command as a whole process."""
    return Row(
        what,
        run.seconds,
        "s",
        goal,
        run.seconds,
        beside.seconds if beside else None,
        cpu_seconds=run.cpu_seconds,
        peak_bytes=run.peak_bytes,
    )


def _bare_list(bench: Bench, environment: dict[str, str]) -> Run:
    """The AWS command line listing the same bucket: what is left is the server's time and the way there."""
    bench.told("aws s3 ls --recursive")
    command = ("aws", "--endpoint-url", environment["OFFSITE_ENDPOINT_URL"], "s3", "ls", "--recursive")
    keys = {
        "AWS_ACCESS_KEY_ID": environment["OFFSITE_ACCESS_KEY_ID"],
        "AWS_SECRET_ACCESS_KEY": environment["OFFSITE_SECRET_ACCESS_KEY"],
        "AWS_DEFAULT_REGION": environment["OFFSITE_REGION"],
    }
    return middle([measure([*command, f"s3://{NAME}/"], environment | keys) for _ in range(bench.rounds)])


def _command(bench: Bench, arguments: Sequence[str], environment: dict[str, str]) -> Run:
    bench.told(f"hackorda-ops {' '.join(arguments)}")
    runs = [measure([_PROGRAM, *arguments], environment, answers=(0, 1)) for _ in range(bench.rounds)]
    return middle(runs)


def _multiply(store: Store, manifest: Manifest, count: int) -> None:
    def make(number: int) -> None:
        moment = manifest.captured_at - timedelta(hours=number)
        each = replace(manifest, artifact_id=new_id(moment), captured_at=moment, night=moment.date())
        data = to_bytes(each)
        for path in ("dump/toc.dat", "dump/1.dat.zst", "RESTORE.md"):
            store.put(f"{each.prefix}/{path}", BytesIO(b""), size_bytes=0, sha256=digest_of(b""))
        store.put(
            f"{each.prefix}/{MANIFEST_NAME}", BytesIO(data), size_bytes=len(data), sha256=digest_of(data)
        )

    with ThreadPoolExecutor(_MAKERS) as makers:
        list(makers.map(make, range(count)))
