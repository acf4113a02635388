"""A night of Redis: a snapshot over the wire, loaded into a server of our own, and what it holds as evidence."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from hackorda_ops.artifacts import room
from hackorda_ops.artifacts.by_hand import copies_of
from hackorda_ops.artifacts.checksums import with_checksums
from hackorda_ops.artifacts.damage import hashed
from hackorda_ops.artifacts.elsewhere import night_before
from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.artifacts.manifest import RECOVERY_SHEET_NAME, FileEntry, digest_of
from hackorda_ops.artifacts.recorded import recorded
from hackorda_ops.calendar import partitions
from hackorda_ops.concerns import concerns_in, require_none
from hackorda_ops.engines.orders import NightOrder, Taken
from hackorda_ops.engines.redis.comparison import collapsed, require_like_source, seen_by_source
from hackorda_ops.engines.redis.manifest import SNAPSHOT, RedisManifest, SourceKeys, groups_of, of_redis
from hackorda_ops.engines.redis.recovery_sheet import recovery_sheet
from hackorda_ops.engines.redis.source import clock_warnings, encryption_concerns, require_readable, source_of
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.progress import timed
from hackorda_ops.redis.contents import read_contents
from hackorda_ops.redis.digest import OF_A_LIVE_SERVER_BYTES, server_digest
from hackorda_ops.redis.info import ServerInfo, read_info, read_time
from hackorda_ops.redis.server import running
from hackorda_ops.redis.target import RedisTarget
from hackorda_ops.redis.transfer import fetch_rdb
from hackorda_ops.redis.wire import connected, translated
from hackorda_ops.scratch.redis import program_of, section_of
from hackorda_ops.sealing import last_night
from hackorda_ops.stores.disk_errors import disk_errors
from hackorda_ops.stores.staging import staged_folder


@contextmanager
def taken(order: NightOrder) -> Iterator[Taken]:
    """See `Engine.night`."""
    protected, policy, seconds = order.protected, order.protected.policy, order.seconds
    source = source_of(protected, private_folder=order.private_folder)
    program = program_of(protected)
    found, noted = night_before(protected, before=None)
    found, unknown = last_night.known(protected, found)
    before = None if found is None else of_redis(found)
    with connected(source) as client, translated(source, "Looking at the server"):
        clocks = clock_warnings(client)
        info, captured_at = read_info(client), read_time(client)
        digest = server_digest(client, info, at_most_bytes=OF_A_LIVE_SERVER_BYTES)
    require_none([each for each in clocks if each.severity == "stops the night"])
    require_readable(program, info.number)
    due = order.night or partitions.night_of(captured_at, policy.schedule)
    late = partitions.require_open(due, captured_at, policy.schedule)
    artifact_id, root = new_id(captured_at), protected.store.staging_root
    guarded = bool(protected.policy.encrypt_to)
    with staged_folder(root, protected.name, artifact_id, guarded=guarded) as staged:
        space = room.look_at_room(staged, room.free_bytes(staged), info.memory_bytes, before)
        require_none(concerns_in([space], "stops the night"))
        path = staged / SNAPSHOT
        path.parent.mkdir(mode=0o700)
        with timed(seconds, "dump"), disk_errors(f"write {path}"):
            fetch_rdb(
                source,
                path,
                deadline_seconds=policy.dump.deadline_hours * 3600,
                on_progress=order.on_progress,
            )
        after, digest_after = _again(source)
        with (
            timed(seconds, "read back"),
            running(
                program,
                memory_bytes=section_of(protected).memory_bytes,
                rdb=path,
                on_progress=order.on_progress,
            ) as loaded,
            connected(loaded) as client,
            translated(loaded, "Reading the snapshot back"),
        ):
            contents = read_contents(client, captured_at=captured_at, on_progress=order.on_progress)
        counted_there = _around(info, after)
        require_like_source(contents, counted_there)
        seen_there, differs = seen_by_source(contents, digest, digest_after)
        groups = groups_of(contents)
        sheet = recovery_sheet(
            database=protected.name,
            artifact_id=artifact_id,
            captured_at=captured_at,
            version=info.version,
            groups=groups,
            offsite=copies_of(policy.offsites, protected.environ),
        ).encode()
        (staged / RECOVERY_SHEET_NAME).write_bytes(sheet)
        file = hashed(staged, SNAPSHOT)
        if file is None:
            raise ArtifactDamaged(
                "The snapshot is gone from this disk.",
                meaning="No artifact was made of it.",
                next_step="Find out what removes files from the work folder, then take it again.",
            )
        manifest = RedisManifest(
            artifact_id=artifact_id,
            database=protected.name,
            night=due,
            captured_at=captured_at,
            late=late,
            reason=order.reason,
            files=with_checksums(
                staged,
                (
                    FileEntry(SNAPSHOT, file.size_bytes, file.sha256),
                    FileEntry(RECOVERY_SHEET_NAME, len(sheet), digest_of(sheet)),
                ),
            ),
            findings=(),
            warnings=(
                *noted,
                *unknown,
                *(each.what for each in (*clocks, *encryption_concerns(source))),
                *([differs] if differs else []),
            ),
            timings_seconds={stage: round(value, 3) for stage, value in seconds.items()},
            version=info.version,
            memory_bytes=info.memory_bytes,
            groups=groups,
            functions=contents.functions,
            source_keys=counted_there,
            loaded_by=program.version,
            server_digest=contents.server_digest,
            source_digest=seen_there,
        )
        manifest = replace(manifest, evidence=recorded(manifest))
        if before is not None:
            manifest = replace(manifest, findings=tuple(collapsed(before, manifest, policy.tolerances)))
        yield Taken(manifest, staged, before.artifact_id if before else None)


def _again(source: RedisTarget) -> tuple[ServerInfo, str | None]:
    with connected(source) as client, translated(source, "Looking at the server again"):
        info = read_info(client)
        return info, server_digest(client, info, at_most_bytes=OF_A_LIVE_SERVER_BYTES)


def _around(before: ServerInfo, after: ServerInfo) -> tuple[SourceKeys, ...]:
    """What each database had before and after, without keys that expire: those may go at any time."""

    def lasting(info: ServerInfo, database: int) -> int:
        found = info.databases.get(database)
        return found.keys - found.volatile if found else 0

    return tuple(
        SourceKeys(database, lasting(before, database), lasting(after, database))
        for database in sorted(before.databases.keys() | after.databases.keys())
    )
