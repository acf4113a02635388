"""A slow link: each connection gets so many bytes a second, and each request waits a moment before it goes on."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

BYTES_PER_SECOND = 20_000_000
REQUEST_SECONDS = 0.02
_BLOCK_BYTES = 256 * 1024
# A pause shorter than this takes longer than asked for, so pauses are saved up.
_LEAST_PAUSE_SECONDS = 0.005


@contextmanager
def slow_link(endpoint_url: str) -> Iterator[str]:
    """The URL of the same server behind the link, for as long as the block lasts."""
    target = urlsplit(endpoint_url)
    loop = asyncio.new_event_loop()
    ready: asyncio.Future[int] = loop.create_future()
    thread = threading.Thread(
        target=loop.run_until_complete,
        args=(_serve(target.hostname or "", target.port or 80, ready),),
        daemon=True,
    )
    thread.start()
    while not ready.done():
        threading.Event().wait(0.01)
    try:
        yield f"http://127.0.0.1:{ready.result()}"
    finally:
        for task in asyncio.all_tasks(loop):
            loop.call_soon_threadsafe(task.cancel)
        thread.join(10)


async def _serve(host: str, port: int, ready: "asyncio.Future[int]") -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up, down = await asyncio.open_connection(host, port, limit=_BLOCK_BYTES)
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(_carry(reader, down, REQUEST_SECONDS), _carry(up, writer, 0))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=_BLOCK_BYTES)
    ready.set_result(server.sockets[0].getsockname()[1])
    with suppress(asyncio.CancelledError):
        await server.serve_forever()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wait_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    free_at = loop.time()
    try:
        while block := await reader.read(_BLOCK_BYTES):
            now = loop.time()
            if wait_seconds and now - free_at > wait_seconds:
                # After a silence this is another request.
                await asyncio.sleep(wait_seconds)
                now = loop.time()
            free_at = max(free_at, now) + len(block) / BYTES_PER_SECOND
            if (pause := free_at - now) > _LEAST_PAUSE_SECONDS:
                await asyncio.sleep(pause)
            writer.write(block)
            await writer.drain()
    finally:
        with suppress(OSError):
            writer.close()
