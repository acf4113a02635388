"""A snapshot over the wire, as a replica gets it: the server forks, writes its RDB, and sends it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hackorda_ops.errors import ConnectionLost, Stalled
from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.redis.target import RedisTarget
from hackorda_ops.redis.wire import RedisClient, Refusal, connected, refused

_BLOCK_BYTES: Final = 1 << 20
_MAGIC: Final = b"REDIS"
_MARK_BYTES: Final = 40
_DOING: Final = "Asking for a snapshot (SYNC)"


def fetch_rdb(target: RedisTarget, path: Path, *, deadline_seconds: float, on_progress: OnProgress) -> int:
    """Writes a snapshot of a server to a file, completely or not at all. Nothing on the server is changed.

    Args:
        target: the server.
        path: the new file.
        deadline_seconds: how long the whole of it may take.
        on_progress: called with the bytes written.

    Returns:
        How many bytes it has.

    Raises:
        ConnectionLost: it was cut off; the file is gone.
        Stalled: the deadline passed; the file is gone.
        RightsMissing: the user may not ask for it.
        OpsError: the server refused it.
        OSError: the file can't be written.
    """
    ends_at = time.monotonic() + deadline_seconds
    try:
        with connected(target) as client, path.open("xb") as file:
            written, total = 0, _begun(client, ends_at)
            for block in _blocks(client, total):
                _in_time(ends_at, target)
                file.write(block)
                written += len(block)
                length = total if isinstance(total, int) else None
                on_progress(Progress("snapshot", written, length, "bytes"))
        _require_snapshot(path, target)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return written


def _begun(client: RedisClient, ends_at: float) -> int | bytes:
    """Asks for a snapshot: its length, or the mark that follows it."""
    # It goes straight to us where the server can, and not by way of its disk. Since Redis 7 no replication stream is
    # kept for us; an older server refuses the word, and sends one behind the mark.
    client.ask_all([("REPLCONF", "capa", "eof"), ("REPLCONF", "rdb-only", "1")])
    client.send("SYNC")
    while not (head := client.line()):
        _in_time(ends_at, client.target)  # an empty line every second, while the server writes its snapshot
    if head.startswith(b"-"):
        raise refused(client.target, _DOING, Refusal(head[1:].split(b" ", 1)[0].decode("ascii", "replace")))
    if head.startswith(b"$EOF:") and len(head) == 5 + _MARK_BYTES:
        return head[5:]
    if head.startswith(b"$") and head[1:].isdigit():
        return int(head[1:])
    raise _cut_off(client.target, "it didn't begin with a snapshot")


def _blocks(client: RedisClient, total: int | bytes) -> Iterator[bytes]:
    if isinstance(total, int):
        while total:
            block = client.block(min(_BLOCK_BYTES, total))
            total -= len(block)
            yield block
        return
    # The mark may lie across two blocks: what might be the start of it is held back.
    held = b""
    while True:
        held += client.block(_BLOCK_BYTES)
        end = held.find(total)
        if end >= 0:
            yield held[:end]
            return
        yield held[:-_MARK_BYTES]
        held = held[-_MARK_BYTES:]


def _require_snapshot(path: Path, target: RedisTarget) -> None:
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise _cut_off(target, "what it sent is no snapshot")


def _in_time(ends_at: float, target: RedisTarget) -> None:
    if time.monotonic() > ends_at:
        raise Stalled(
            f"{target.describe()} did not send its snapshot within the deadline.",
            meaning="There is no artifact of it.",
            next_step="Look at the server's log and its disk, or raise dump.deadline_hours.",
        )


def _cut_off(target: RedisTarget, why: str) -> ConnectionLost:
    return ConnectionLost(
        f"{target.describe()} sent no complete snapshot: {why}.",
        meaning="There is no artifact of it.",
        next_step="Try again. If it happens again, look at the server's log: its fork may fail for lack of memory.",
    )
