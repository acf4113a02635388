"""RESTORE.md of a Redis artifact, written for somebody who has only the artifact."""

from collections.abc import Sequence
from datetime import datetime

from hackorda_ops.artifacts.by_hand import Offsite, fetching
from hackorda_ops.artifacts.checksums import CHECKSUMS_NAME
from hackorda_ops.artifacts.manifest import MANIFEST_NAME
from hackorda_ops.engines.redis.manifest import SNAPSHOT, KeyGroup


def recovery_sheet(
    *,
    database: str,
    artifact_id: str,
    captured_at: datetime,
    version: str,
    groups: Sequence[KeyGroup],
    offsite: Offsite,
) -> str:
    """The sheet's text, in Markdown. It names no secret and needs no network to be read.

    Args:
        database: the database's name in databases.yaml.
        artifact_id: the artifact's id.
        captured_at: the snapshot's moment.
        version: the source's.
        groups: of keys in it.
        offsite: where its copy off-site is to be found.
    """
    numbers = sorted({each.database for each in groups})
    keys = {number: sum(each.keys for each in groups if each.database == number) for number in numbers}
    counts = "\n".join(
        f'redis-cli -p "$REDIS_PORT" -n {number} DBSIZE  # {keys[number]}, less what has expired'
        for number in numbers
    )
    return f"""# Restore {database} as of {captured_at:%Y-%m-%d %H:%M:%S} UTC

Artifact `{artifact_id}`: {sum(each.keys for each in groups):,} keys of Redis {version}. `{MANIFEST_NAME}`
next to this file is the evidence: it lists every file with its SHA-256, and the keys by database, type and prefix with
a digest. `{CHECKSUMS_NAME}` has the hashes alone, for `sha256sum`.

## With hackorda_ops

It fetches the artifact, checks it, copies every key to an empty Redis, also a managed one, and compares them:

```sh
export RESTORE_URL='redis://…'               # the new, empty Redis
{offsite.exports}
{offsite.restore(database, artifact_id)}
```

## Without it

{fetching(offsite, f"{database}/{artifact_id}")}

Then, in that folder, on a server of your own, Redis {version} or later. It reads the file as it starts, so stop it
first, and turn its append-only file off for that start: with one, it would read that instead.

```sh
REDIS_FOLDER=${{REDIS_FOLDER:-/var/lib/redis}} REDIS_PORT=${{REDIS_PORT:-6379}}
cp {SNAPSHOT} "$REDIS_FOLDER/dump.rdb"
redis-server --port "$REDIS_PORT" --dir "$REDIS_FOLDER" --dbfilename dump.rdb --appendonly no
```

Then, in another shell, count the keys; the number after `#` is the snapshot's:

```sh
REDIS_PORT=${{REDIS_PORT:-6379}}
{counts or 'redis-cli -p "$REDIS_PORT" DBSIZE  # 0'}
```

Keys that expire keep the moment at which they do: those that would have expired by now are not restored.

## What is left to do by hand

Users and their passwords (ACL), the server's configuration and its modules are in no snapshot.
"""
