"""DEBUG DIGEST: a digest of all keys that the server itself computes. A witness beside our own, where it's allowed.

It doesn't depend on the order or the encoding of keys, and not on when they expire, but on whether they do. Redis gives
no promise that two versions compute the same.
"""

import re
from typing import Final

from hackorda_ops.redis.info import ServerInfo
from hackorda_ops.redis.wire import RedisClient, Refusal

# The server answers nobody else meanwhile: some hundredths of a second for each 10 MB.
OF_A_LIVE_SERVER_BYTES: Final = 32 << 20
"""Of a live server that holds more it isn't asked for: its clients would wait."""
OF_OUR_OWN_BYTES: Final = 1 << 30
"""Of a server that nobody else uses and that holds more it isn't asked for: it might take longer than we wait."""
_DIGEST: Final = re.compile(rb"[0-9a-f]{40}")


def server_digest(client: RedisClient, info: ServerInfo, *, at_most_bytes: int) -> str | None:
    """Asks a server for its own digest.

    Args:
        client: a connection to it.
        info: what it has said of itself.
        at_most_bytes: with more than this it is not asked.

    Returns:
        40 hex digits; None where it isn't allowed (`enable-debug-command`, ACL), not known, or holds too much.

    Raises:
        ConnectionLost: the connection broke.
    """
    if info.memory_bytes > at_most_bytes:
        return None
    try:
        answer = client.ask("DEBUG", "DIGEST")
    except Refusal:
        return None
    return answer.decode() if isinstance(answer, bytes) and _DIGEST.fullmatch(answer) else None
