"""What a drill of Redis does on its scratch: restore, compare, and test the comparison."""

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hackorda_ops.drilling import within_recovery_time_objective
from hackorda_ops.drilling.declaration import RESTORED, SELF_TEST, DrillCheck, Drilling
from hackorda_ops.drilling.result import NotCompared
from hackorda_ops.engines.redis.comparison import compare_keys
from hackorda_ops.engines.redis.manifest import RedisManifest, of_redis
from hackorda_ops.engines.redis.restore import admit, bring_in, expired_notes, read_again
from hackorda_ops.redis.wire import RedisClient, connected, translated
from hackorda_ops.scratch.place import Place

_LOOKED_AT: Final = 10_000


@dataclass(frozen=True)
class RedisCopy:
    """The artifact, restored on scratch.

    Attributes:
        drilling: the drill.
        place: the scratch.
        manifest: the artifact's.
        client: a connection to the restored server.
    """

    drilling: Drilling
    place: Place
    manifest: RedisManifest
    client: RedisClient


def run_steps(drilling: Drilling, place: Place, checks: Sequence[DrillCheck]) -> None:
    """See `Engine.drill`."""
    record, manifest = drilling.record, of_redis(drilling.manifest)
    record.not_compared.append(
        NotCompared("users (ACL), configuration and modules", "a snapshot does not contain them")
    )
    with record.stage("make the database", in_recovery=True):
        target = place.new_database("restore")
    with connected(target) as client, translated(target, "Drilling"):
        admit(client, manifest, source=None)
        with record.stage("restore", in_recovery=True):
            bring_in(drilling.protected, drilling.folder, client, on_progress=drilling.on_progress)
        record.recovered = True
        within_recovery_time_objective.hold_against_objective(drilling, checks)
        copy = RedisCopy(drilling, place, manifest, client)
        for check in sorted(checks, key=lambda each: each.changes_copy):
            if check.run is not None and not check.lacking(drilling.policy):
                check.run(copy)


def _compare(copy: RedisCopy) -> None:
    record, manifest = copy.drilling.record, copy.manifest
    with record.stage("compare with the manifest"):
        contents = read_again(copy.client, manifest, on_progress=copy.drilling.on_progress)
        compared = compare_keys(manifest, contents)
    record.restored = {str(group): seen for group, seen in contents.groups.items()}
    for note in expired_notes(compared.expired):
        record.not_compared.append(NotCompared("keys that expire", note))
    record.check(
        RESTORED,
        compared.findings,
        passed=f"{compared.compared:,} keys came back exactly as the manifest has them, with their expiries.",
        failed="The restored copy is not what the manifest says",
    )


def _alter(copy: RedisCopy) -> None:
    """Takes a key away, looks whether that is noticed, and puts it back."""
    record, client, seed = copy.drilling.record, copy.client, copy.drilling.seed
    seed = secrets.randbelow(2**32) if seed is None else seed
    with record.stage("self-test"):
        before = read_again(client, copy.manifest, on_progress=copy.drilling.on_progress)
        lasting = [group for group in before.groups if not group.expires]
        if not lasting:
            record.not_measured(SELF_TEST, "no key is there that doesn't expire")
            return
        database = random.Random(seed).choice(sorted({group.database for group in lasting}))  # noqa: S311
        key = _a_key(client, database, seed)
        if key is None:
            record.not_measured(SELF_TEST, "no key was found that doesn't expire")
            return
        payload = client.ask("DUMP", key)
        client.ask("DEL", key)
        noticed = _differs(copy)
        client.ask("SELECT", database)
        client.ask("RESTORE", key, 0, payload)
        after = read_again(client, copy.manifest, on_progress=copy.drilling.on_progress)
    back = all(after.groups.get(group) == before.groups[group] for group in lasting)
    outcome = "noticed" if noticed else "not noticed"
    record.decided(
        SELF_TEST,
        noticed and back,
        f"A key of db{database} that was taken away was {outcome}"
        f"{'; put back, everything was as before' if back else '; it could not be put back'} (seed {seed}).",
    )


def _a_key(client: RedisClient, database: int, seed: int) -> bytes | None:
    client.ask("SELECT", database)
    found: list[bytes] = []
    cursor = b"0"
    while len(found) < _LOOKED_AT:
        cursor, keys = client.ask("SCAN", cursor, "COUNT", 1000)
        expiries = client.ask_all([("PEXPIRETIME", key) for key in keys])
        found += [key for key, expires_at in zip(keys, expiries, strict=True) if expires_at == -1]
        if cursor == b"0":
            break
    return random.Random(seed).choice(sorted(found)) if found else None  # noqa: S311


def _differs(copy: RedisCopy) -> bool:
    contents = read_again(copy.client, copy.manifest, on_progress=copy.drilling.on_progress)
    # Our own comparison is tested here, without the server's digest as its crutch.
    contents = replace(contents, server_digest=None)
    # What differed before counts as well: then it is noticed in any case, and the other check fails.
    return bool(compare_keys(copy.manifest, contents).findings)


CHECKS: Final = (
    DrillCheck(
        name=RESTORED,
        title="The restored database is what the manifest says",
        description="Every key of the restored server that hasn't expired equals the manifest, exactly.",
        essential=True,
        each_night=True,
        run=_compare,
    ),
    DrillCheck(
        name=SELF_TEST,
        title="The comparison notices a change made on purpose",
        description="The comparison notices a key that was taken away on purpose.",
        essential=True,
        about_itself=True,
        each_night=True,
        run=_alter,
    ),
)
