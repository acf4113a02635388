"""Copies every key of one server to another: each as the server itself serializes it, with its expiry."""

from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.redis.info import read_info
from hackorda_ops.redis.wire import RedisClient, Refusal

_AT_ONCE = 50


def copy_everything(source: RedisClient, target: RedisClient, *, on_progress: OnProgress) -> int:
    """Copies all keys and libraries of functions. A key that exists on the target is refused.

    Args:
        source: a server that nobody else uses.
        target: an empty one.
        on_progress: called with the keys copied.

    Returns:
        How many keys were copied.

    Raises:
        Refusal: one of the servers refused a command.
        ConnectionLost: a connection broke.
    """
    info = read_info(source)
    copied = 0
    for database in sorted(info.databases):
        source.ask("SELECT", database)
        target.ask("SELECT", database)
        cursor = b"0"
        while True:
            cursor, keys = source.ask("SCAN", cursor, "COUNT", _AT_ONCE)
            copied += _copy(source, target, keys)
            on_progress(Progress("restore", copied, info.keys, "rows"))
            if cursor == b"0":
                break
    if info.number >= (7, 0) and source.ask("FUNCTION", "LIST"):
        target.ask("FUNCTION", "RESTORE", source.ask("FUNCTION", "DUMP"))
    return copied


def _copy(source: RedisClient, target: RedisClient, keys: list[bytes]) -> int:
    read = source.ask_all([each for key in keys for each in (("DUMP", key), ("PEXPIRETIME", key))])
    for answer in read:
        if isinstance(answer, Refusal):
            raise answer
    # A key that has expired meanwhile has no bytes.
    commands = [
        ("RESTORE", key, max(expires_at, 0), payload, "ABSTTL")
        for key, payload, expires_at in zip(keys, read[::2], read[1::2], strict=True)
        if payload is not None
    ]
    for answer in target.ask_all(commands):
        if isinstance(answer, Refusal):
            raise answer
    return len(commands)
