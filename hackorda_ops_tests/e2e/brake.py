"""A line to a server that can be made to stop carrying anything back: a moment in mid-dump that lasts."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Brake:
    """A line's brake.

    Attributes:
        port: where the line begins, on the loopback interface.
        engaged: set while nothing comes back.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.engaged = threading.Event()
        self._free = threading.Event()
        self._free.set()
        self._left_bytes: int | None = None
        self._counting = threading.Lock()

    def arm(self, after_bytes: int) -> None:
        """Engages the brake when so many bytes more have come back, on all connections together."""
        with self._counting:
            self._left_bytes = after_bytes

    def release(self) -> None:
        """Lets everything through."""
        with self._counting:
            self._left_bytes = None
            self.engaged.clear()
            self._free.set()

    def pass_back(self, size_bytes: int) -> None:
        """Counts what comes back, and waits while the brake is engaged."""
        with self._counting:
            if self._left_bytes is not None:
                self._left_bytes -= size_bytes
                if self._left_bytes < 0:
                    self._free.clear()
                    self.engaged.set()
        self._free.wait(timeout=1800)


@contextmanager
def braked(server_port: int) -> Iterator[Brake]:
    """Runs a line to a local server for as long as the block lasts."""

    def carry(source: socket.socket, sink: socket.socket, *, back: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if back:
                    brake.pass_back(len(data))
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", server_port)) as server:
            back = threading.Thread(target=carry, args=(server, client), kwargs={"back": True})
            back.start()
            carry(client, server, back=False)
            back.join()

    def accept() -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                threads.append(threading.Thread(target=serve, args=(client,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        brake = Brake(listener.getsockname()[1])
        threads = [threading.Thread(target=accept)]
        threads[0].start()
        try:
            yield brake
        finally:
            brake.release()
            listener.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(timeout=30)
