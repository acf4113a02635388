"""Redis as an engine: a snapshot over the wire, proven in a server of our own, and restored key by key.

Each method loads what it needs, as those of `engines.postgres` do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from hackorda_ops.artifacts.damage import FileSeen
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.concerns import Looked
from hackorda_ops.drilling.declaration import DrillCheck, Drilling
from hackorda_ops.drilling.result import ByHand
from hackorda_ops.engines.contents import Definition, LiveContents, LiveView
from hackorda_ops.engines.engine import FILES_READ_BACK, NO_COLLAPSE, ROWS_EQUAL_SNAPSHOT, Fact, NightView
from hackorda_ops.engines.orders import NightOrder, Restored, RestoreOrder, Taken
from hackorda_ops.engines.redis.manifest import RedisManifest, of_redis
from hackorda_ops.engines.suggested import Suggested
from hackorda_ops.environment import Protected
from hackorda_ops.errors import UsageError
from hackorda_ops.findings import Finding
from hackorda_ops.own_folders import private_folder
from hackorda_ops.progress import OnProgress
from hackorda_ops.redis.target import RedisTarget, parse
from hackorda_ops.scratch.place import Place, Scratch
from hackorda_ops.sealing.opening import OpenArtifact
from hackorda_ops.stores.store import Store
from hackorda_ops.words import counted


class RedisEngine:
    """See `Engine`."""

    name = "Redis"
    kind = "redis"
    night_asset = "redis_snapshot"
    night_description = (
        "A snapshot (RDB) of the Redis server {name}, taken over the wire as a replica gets it, loaded into a server "
        "of our own, and its keys counted and digested, before it becomes an artifact. The partition is the local date "
        "on which it is due. A past night can no longer be taken."
    )
    night_checks: Mapping[str, str] = {  # nobody changes it
        FILES_READ_BACK: "The snapshot was loaded by a redis-server, checksum and all, and every key in it was read.",
        ROWS_EQUAL_SNAPSHOT: "The snapshot has as many keys in each database as the server counted around it.",
        NO_COLLAPSE: "Since the previous artifact no prefix lost more of its keys than is tolerated.",
    }
    manifest: type[Manifest] = RedisManifest

    @property
    def checks(self) -> Sequence[DrillCheck]:
        """See `Engine.checks`."""
        from hackorda_ops.engines.redis import drill

        return drill.CHECKS

    def source(self, protected: Protected, *, private_folder: Path) -> RedisTarget:
        """See `Engine.source`."""
        from hackorda_ops.engines.redis import source

        return source.source_of(protected, private_folder=private_folder)

    def target(self, url: str, *, origin: str) -> RedisTarget:
        """See `Engine.target`."""
        return parse(url, origin=origin)

    def without_password_in_url(self, url: str, environ: Mapping[str, str]) -> RedisTarget:
        """See `Engine.without_password_in_url`."""
        target = self.target(url, origin="--to")
        if target.password is not None:
            raise UsageError(
                "The URL after --to contains a password, which every user of this machine can read.",
                meaning="Nothing was restored; treat that password as compromised.",
                next_step="Put the whole URL into RESTORE_URL (or the variable of --to-env), or leave the password out "
                "and set REDISCLI_AUTH.",
            )
        return replace(target, password=environ.get("REDISCLI_AUTH") or None)

    def observed(self, protected: Protected) -> Mapping[str, Fact]:
        """See `Engine.observed`."""
        from hackorda_ops.redis.info import read_info
        from hackorda_ops.redis.wire import connected, translated

        with private_folder() as private:
            target = self.source(protected, private_folder=private)
            with connected(target) as client, translated(target, "Looking at the server"):
                info = read_info(client)
        return {
            "server version": info.version,
            "size in bytes": info.memory_bytes,
            "keys": info.keys,
            "databases": len(info.databases),
        }

    def suggest(self, protected: Protected, *, private_folder: Path) -> Suggested:
        """See `Engine.suggest`."""
        from hackorda_ops.redis.info import read_info
        from hackorda_ops.redis.wire import connected, translated

        target = self.source(protected, private_folder=private_folder)
        with connected(target) as client, translated(target, "Looking at the server"):
            info = read_info(client)
        return Suggested(f"Redis {info.version} at {target.describe()}, {counted(info.keys, 'key')}")

    def observed_by(self, manifest: Manifest) -> Mapping[str, Fact]:
        """See `Engine.observed_by`."""
        seen = of_redis(manifest)
        return {
            "server version": seen.version,
            "size in bytes": seen.memory_bytes,
            "keys": seen.rows,
            "databases": len({each.database for each in seen.groups}),
        }

    def look(self, protected: Protected, *, private_folder: Path) -> NightView:
        """See `Engine.look`."""
        from hackorda_ops.engines.redis import source

        return source.look(protected, private_folder=private_folder)

    def look_at_scratch(
        self,
        protected: Protected,
        view: NightView,  # noqa: ARG002  # whatever the source is
        newest: Manifest | None,  # noqa: ARG002
    ) -> Iterator[Looked]:
        """See `Engine.look_at_scratch`."""
        from hackorda_ops.scratch import registry

        return registry.look(protected, None)

    def other_source(self, before: Manifest, view: NightView) -> Finding | None:  # noqa: ARG002
        """See `Engine.other_source`: a Redis has no identity that survives a restart."""
        return None

    def night(self, order: NightOrder) -> AbstractContextManager[Taken]:
        """See `Engine.night`."""
        from hackorda_ops.engines.redis import night

        return night.taken(order)

    def judge(
        self,
        protected: Protected,
        folder: Path,
        manifest: Manifest,
        *,
        jobs: int,  # noqa: ARG002  # one server reads it
        on_progress: OnProgress,
        part: Manifest | None = None,  # noqa: ARG002  # there are none
        hashed: Mapping[str, FileSeen] | None = None,  # noqa: ARG002  # a snapshot is small, and always read
    ) -> tuple[Finding, ...]:
        """See `Engine.judge`."""
        from hackorda_ops.engines.redis import judge

        return judge.judge(protected, folder, of_redis(manifest), on_progress=on_progress)

    def part_of(self, manifest: Manifest, names: Sequence[str]) -> Manifest:  # noqa: ARG002
        """See `Engine.part_of`: a snapshot is loaded as a whole."""
        raise UsageError(
            "A snapshot of a Redis server has no tables, and is restored as a whole.",
            meaning="Nothing was restored.",
            next_step="Restore it without --tables, into a new Redis, and copy the keys that you need from there.",
        )

    def admitted(self, order: RestoreOrder) -> AbstractContextManager[Callable[[Path], Restored]]:
        """See `Engine.admitted`."""
        from hackorda_ops.engines.redis import restore

        return restore.restoring(order)

    def local_scratch(self, protected: Protected) -> Scratch:
        """See `Engine.local_scratch`."""
        from hackorda_ops.scratch import redis

        return redis.RedisScratch(redis.program_of(protected), redis.section_of(protected).memory_bytes)

    def look_at_proof(
        self,
        protected: Protected,  # noqa: ARG002
        view: NightView,  # noqa: ARG002
        newest: Manifest | None,  # noqa: ARG002
    ) -> Iterator[Looked]:
        """See `Engine.look_at_proof`: each night needs the same redis-server, and is looked at for it."""
        yield from ()

    def drill(self, drilling: Drilling, place: Place, checks: Sequence[DrillCheck]) -> None:
        """See `Engine.drill`."""
        from hackorda_ops.engines.redis import drill

        drill.run_steps(drilling, place, checks)

    def examine(
        self,
        protected: Protected,  # noqa: ARG002  # a preflight asks all there is
        *,
        private_folder: Path,  # noqa: ARG002
        today: date,  # noqa: ARG002
    ) -> Iterator[Looked]:
        """See `Engine.examine`."""
        yield from ()

    @property
    def views(self) -> Mapping[str, str]:
        """See `Engine.views`."""
        from hackorda_ops.engines.redis import views

        return views.VIEWS

    def look_at(self, protected: Protected, view: str, *, private_folder: Path, rows: int) -> LiveView:
        """See `Engine.look_at`."""
        from hackorda_ops.engines.redis import views

        return views.look_at(protected, view, private_folder=private_folder, rows=rows)

    def definitions(
        self,
        protected: Protected,  # noqa: ARG002
        store: Store,  # noqa: ARG002
        artifact: OpenArtifact,  # noqa: ARG002
        *,
        private_folder: Path,  # noqa: ARG002
    ) -> Mapping[str, Definition]:
        """See `Engine.definitions`: a Redis has no schema."""
        return {}

    def live(
        self,
        protected: Protected,
        manifest: Manifest,  # noqa: ARG002
        *,
        private_folder: Path,  # noqa: ARG002
        limit_seconds: float,  # noqa: ARG002
        on_progress: OnProgress,  # noqa: ARG002
    ) -> LiveContents:
        """See `Engine.live`: its keys could only be read one by one, which is no harmless reading."""
        raise UsageError(
            f"{protected.name} is a Redis server, and its keys aren't read beside an artifact.",
            meaning="Nothing was compared.",
            next_step="Take an artifact of it (hackorda-ops dump), and compare the two artifacts.",
        )

    def by_hand(self, manifest: Manifest) -> tuple[ByHand, ...]:  # noqa: ARG002
        """See `Engine.by_hand`."""
        return (
            ByHand(
                "Users and their passwords (ACL), the server's configuration and its modules are in no snapshot. "
                "Set them up as they were.",
                ("ACL LIST", "CONFIG GET *"),
            ),
            ByHand("Point the application's connection strings to the new server."),
        )

    def facts(self, manifest: Manifest) -> Mapping[str, Fact]:
        """See `Engine.facts`."""
        seen = of_redis(manifest)
        return {"keys that expire": seen.expiring, "libraries of functions": len(seen.functions)}

    def details(self, manifest: Manifest) -> Mapping[str, Any]:
        """See `Engine.details`."""
        seen = of_redis(manifest)
        return {
            "server_version": seen.version,
            "loaded_by": seen.loaded_by,
            "late": seen.late,
            "server_digest": seen.server_digest,
            "same_digest_at_source": seen.source_digest is not None,
            "functions": list(seen.functions),
            "keys": {str(each.group): each.keys for each in seen.groups[:100]},
        }

    def in_json(self, manifest: Manifest) -> Mapping[str, Any]:
        """See `Engine.in_json`."""
        seen = of_redis(manifest)
        return {"expiring": seen.expiring}

    def notes(self, manifest: Manifest) -> Sequence[str]:
        """See `Engine.notes`."""
        expiring = of_redis(manifest).expiring
        return (f"{expiring:,} keys expire: a copy has them until then",) if expiring else ()


ENGINE: Final = RedisEngine()
