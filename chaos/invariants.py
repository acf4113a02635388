"""What must hold after a command, whatever was done to its calls."""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from chaos.commands import Command
from chaos.world import BUCKET, DATABASE, Ran, World

_TOLD = re.compile(r"^(?:ERROR|FAIL)\b", re.MULTILINE)
_BUG = re.compile(r"Traceback|is a bug in hackorda_ops|most likely a bug")
# Data that noise or a cut has changed may condemn a backup; no refusal, silence or lost answer may.
_MAY_CONDEMN: Final = {"cut", "garbled", "twice"}
_GONE_WITHIN_SECONDS: Final = 25.0
# Of the names that Python's tempfile tries a folder with.
_PROBE_LENGTH: Final = 8
MANIFEST: Final = "manifest.json"


@dataclass(frozen=True)
class Artifact:
    """An artifact as it lies there.

    Attributes:
        place: "store" or "bucket".
        name: its id.
        bytes_sha256: of all of its files together.
        fault: what is wrong with it; empty where nothing is.
        holds: of each table, its rows and their digest.
    """

    place: str
    name: str
    bytes_sha256: str
    fault: str
    holds: str


def artifacts(world: World, of: str) -> dict[tuple[str, str], Artifact]:
    """Every artifact with a manifest, in store and bucket, read without the product's code."""
    found: dict[tuple[str, str], Artifact] = {}
    store = world.case / "store"
    folders = (
        {str(path.relative_to(store)): path for path in (store / of).rglob("*") if path.is_file()}
        if (store / of).exists()
        else {}
    )
    client = world.s3.client()
    reads = {
        "store": ({*folders}, lambda key: folders[key].read_bytes()),
        "bucket": ({*world.objects()}, lambda key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read()),
    }
    for place, (keys, read) in reads.items():
        for key in sorted(keys):
            parts = key.split("/")
            if len(parts) == 3 and parts[0] == of and parts[2] == MANIFEST:
                found[place, parts[1]] = _artifact(place, parts[1], f"{of}/{parts[1]}", keys, read)
    return found


def _artifact(place: str, name: str, prefix: str, keys: set[str], read: Any) -> Artifact:
    own = sorted(key for key in keys if key.startswith(f"{prefix}/"))
    data = {key: read(key) for key in own}
    whole = hashlib.sha256(
        b"".join(key.encode() + hashlib.sha256(data[key]).digest() for key in own)
    ).hexdigest()
    try:
        manifest = json.loads(data[f"{prefix}/{MANIFEST}"])
        listed = manifest["files"]
    except (ValueError, KeyError) as problem:
        return Artifact(place, name, whole, f"its manifest can't be read: {problem}", "")
    for entry in listed:
        content = data.get(f"{prefix}/{entry['path']}")
        if content is None:
            return Artifact(place, name, whole, f"{entry['path']} is missing", "")
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            return Artifact(place, name, whole, f"{entry['path']} has other bytes", "")
    tables = manifest.get("tables", [])
    holds = sorted(
        (json.dumps(each["name"]), each.get("rows"), each.get("digest", each.get("sha256")))
        for each in tables
    )
    return Artifact(place, name, whole, "", json.dumps(holds or manifest.get("contents", "")))


@dataclass(frozen=True)
class Before:
    """What was there before the command, and what is true.

    Attributes:
        artifacts: all of them.
        truth: what a sound artifact holds.
    """

    artifacts: Mapping[tuple[str, str], Artifact]
    truth: str


def before(world: World, command: Command) -> Before:
    """Looks at what is there."""
    there = artifacts(world, command.of)
    return Before(there, next(each.holds for each in there.values()))


def after_a_fault(world: World, command: Command, ran: Ran, was: Before, kind: str) -> Iterator[str]:
    """What is wrong after a command whose call was disturbed."""
    if ran.code is None:
        yield "it did not end"
    elif ran.code not in {0, 1, 2, 3} and kind != "kill":
        yield f"it ended with {ran.code}"
    if _BUG.search(ran.output):
        yield "it calls it a bug"
    told = len(_TOLD.findall(ran.output))
    if ran.code in {1, 2, 3} and told != 1:
        yield f"it told {told} times what happened"
    if ran.code == 1 and kind not in _MAY_CONDEMN:
        yield "FAIL, though nothing was done to the backup"
    # A configuration file with half of its text is not whole.
    if ran.code == 2 and "databases.yaml" not in ran.output:
        yield "a fault of a call was called a fault of the configuration"
    yield from _artifacts_hold(world, command, was, done=ran.code == 0)


def _artifacts_hold(world: World, command: Command, was: Before, *, done: bool) -> Iterator[str]:
    there = artifacts(world, command.of)
    for key, artifact in was.artifacts.items():
        if command.name == "prune" and key[1] < _week_ago():
            continue
        if key not in there:
            yield f"the artifact {key[1]} in the {key[0]} is lost"
        elif there[key].bytes_sha256 != artifact.bytes_sha256:
            yield f"the artifact {key[1]} in the {key[0]} has changed"
    new = [each for key, each in there.items() if key not in was.artifacts]
    for each in new:
        if each.fault:
            yield f"a new artifact in the {each.place} is not whole: {each.fault}"
        elif each.holds != was.truth:
            yield f"a new artifact in the {each.place} holds something else than the source"
    if done and command.name.startswith("night") and not new:
        yield "PASS without an artifact"
    if done and command.name == "copy" and len({key for key in there if key[0] == "bucket"}) < 2:
        yield "PASS without a copy"
    if done and command.name == "restore" and target_rows(world) != source_rows(world):
        yield "PASS, and other rows than the source's"


def _week_ago() -> str:
    return time.strftime("%Y%m%d", time.gmtime(time.time() - 8 * 86400))


_OWN_DIGEST: Final = """
    SELECT count(*)::text || ' ' || coalesce(md5(string_agg(r::text, E'\\n' ORDER BY r::text)), '') FROM {} r
"""


def _rows(url: str) -> list[str]:
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            return [
                str(connection.execute(_OWN_DIGEST.format(table)).fetchone()) for table in ("items", "orders")
            ]
        except psycopg.errors.UndefinedTable:
            return []


def source_rows(world: World) -> list[str]:
    """The rows of the source, by SQL of our own."""
    return _rows(world.source.url(DATABASE))


def target_rows(world: World) -> list[str]:
    """The rows that a restore has made."""
    return _rows(world.scratch.url("target"))


def leftovers(world: World) -> Iterator[str]:
    """What a command has left behind; waits for what is about to go."""
    until = time.monotonic() + _GONE_WITHIN_SECONDS
    while (left := [*_processes(world), *_sessions(world)]) and time.monotonic() < until:
        time.sleep(0.2)
    yield from left
    for name in sorted(world.scratch_databases()):
        yield f"the scratch database {name}"
    uploads = world.s3.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    yield from (f"the upload {each['Key']}" for each in uploads)
    yield from left_files(world)


def left_files(world: World) -> list[str]:
    """Files in the folders that are for the time of a command."""
    case = world.case
    return [
        f"the file {path.relative_to(case)}"
        for folder in (case / "tmp", case / "work", case / "store" / ".staging")
        for path in (folder.rglob("*") if folder.exists() else ())
        if path.is_file()
        # A lock says whose a folder is; the other is empty, and Python's own: whether TMPDIR can be written to.
        and not path.name.endswith(".lock")
        and not (path.parent == case / "tmp" and len(path.name) == _PROBE_LENGTH and not path.stat().st_size)
    ]


def _processes(world: World) -> Iterator[str]:
    """Processes that work in the case's folder, or have it on their command line or in their environment."""
    mine = os.fsencode(world.case)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes()
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if mine in line or mine in environment:
            yield f"the process {line.replace(bytes(1), b' ').decode(errors='replace')[:120]}"


def _sessions(world: World) -> Iterator[str]:
    for server, database in ((world.source, DATABASE), (world.scratch, "postgres")):
        with psycopg.connect(server.url(database), autocommit=True) as connection:
            found = connection.execute(
                "SELECT application_name, state, left(query, 60) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                # The control plane of the branches looks at the source now and then.
                " AND query NOT LIKE 'SELECT (pg_current_wal_insert_lsn() - %'"
            ).fetchall()
            locks = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
        yield from (f"the session {each}" for each in found)
        if locks and locks[0]:
            yield f"{locks[0]} advisory locks"
