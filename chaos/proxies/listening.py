"""A listening socket whose connections are each served by a thread."""

import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Final

from chaos.faults import Meeting

BLOCK_BYTES: Final = 1 << 16
NOISE: Final = b"\xff\x00\xfe\x80" * 4


class Proxy(ABC):
    """Listens on a port of its own for as long as its process lives.

    Attributes:
        boundary: as positions name it.
        target: host and port of the real server.
        port: its own, on 127.0.0.1.
        meeting: of the command that runs now.
    """

    def __init__(self, boundary: str, target: tuple[str, int]) -> None:
        self.boundary = boundary
        self.target = target
        self.meeting = Meeting()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name=f"proxy of {boundary}", daemon=True).start()

    @abstractmethod
    def serve(self, client: socket.socket) -> None:
        """Serves a connection to its end."""

    def meet(self, label: str) -> str | None:
        """Notes a call; returns the fault that it is to have."""
        return self.meeting.meet(self.boundary, label)

    def connect(self) -> socket.socket:
        """A connection to the real server."""
        upstream = socket.create_connection(self.target, timeout=None)
        upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.kept(upstream)

    def kept(self, connection: socket.socket) -> socket.socket:
        """Has a connection closed by `reset`."""
        with self._lock:
            self._open.add(connection)
        return connection

    def closed(self, *connections: socket.socket) -> None:
        """Ends connections, also for a thread that reads from them."""
        for each in connections:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
            with self._lock:
                self._open.discard(each)

    def reset(self, meeting: Meeting) -> None:
        """Begins another run: ends whatever the last one left hanging."""
        with self._lock:
            left = list(self._open)
        self.closed(*left)
        self.meeting = meeting

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._served, args=(self.kept(client),), daemon=True).start()

    def _served(self, client: socket.socket) -> None:
        try:
            with suppress(OSError, EOFError):
                self.serve(client)
        finally:
            self.closed(client)


def exactly(connection: socket.socket, size_bytes: int) -> bytes:
    """So many bytes; EOFError where the connection ends before."""
    data = bytearray()
    while len(data) < size_bytes:
        block = connection.recv(size_bytes - len(data))
        if not block:
            raise EOFError
        data += block
    return bytes(data)


def silence(connection: socket.socket) -> None:
    """Takes whatever is sent, and never answers."""
    while connection.recv(BLOCK_BYTES):
        pass


def garbled(data: bytes) -> bytes:
    """The same bytes with noise in their middle."""
    middle = max(0, len(data) // 2 - len(NOISE) // 2)
    return data[:middle] + NOISE[: len(data) - middle] + data[middle + len(NOISE) :]
