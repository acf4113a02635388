"""What commands take to start, and with many artifacts."""

import shutil
import sys
from collections.abc import Iterator, Sequence
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
from hackorda_ops.stores.store import Store

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
        yield Row(
            f"hackorda-ops {' '.join(arguments)}, from start to end", run.seconds, "s", goal, run.seconds
        )
    of = protected(work)
    [held] = read_judged({"store": of.store}, NAME).held
    for place, goal in (("folder", 2.0), ("bucket", 5.0)):
        bench.told(f"{artifacts:,} artifacts in a {place}: making them")
        store = of.store if place == "folder" else _offsite(of, environment)
        _multiply(store, held.manifest, artifacts)
        first = measure([_PROGRAM, "backups"], environment)
        yield Row(
            f"backups, {artifacts:,} artifacts in a {place} that were never read before",
            first.seconds,
            "s",
            None,
            first.seconds,
            cpu_seconds=first.cpu_seconds,
            peak_bytes=first.peak_bytes,
        )
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
    runs = [measure([_PROGRAM, *arguments], environment, answers=(0, 1)) for _ in range(bench.rounds)]
    return middle(runs)


def _multiply(store: Store, manifest: Manifest, count: int) -> None:
    for number in range(count):
        moment = manifest.captured_at - timedelta(hours=number)
        each = replace(manifest, artifact_id=new_id(moment), captured_at=moment, night=moment.date())
        data = to_bytes(each)
        for path in ("dump/toc.dat", "dump/1.dat.zst", "RESTORE.md"):
            store.put(f"{each.prefix}/{path}", BytesIO(b""), size_bytes=0, sha256=digest_of(b""))
        store.put(
            f"{each.prefix}/{MANIFEST_NAME}", BytesIO(data), size_bytes=len(data), sha256=digest_of(data)
        )
