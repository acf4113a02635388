"""What may stand between us and a server: a balancer over several of them, a pooler in transaction mode."""

import itertools
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg

_SSL_REQUEST, _GSS_REQUEST = 80877103, 80877104


@contextmanager
def balancer(*server_ports: int) -> Iterator[int]:
    """Sends each new connection to the next server in turn; yields its own port."""
    turns = itertools.cycle(server_ports)

    def serve(client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", next(turns))) as server:
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()

    with listening(serve) as port:
        yield port


class Freezable:
    """A relay that can stop passing anything on while every socket stays open."""

    def __init__(self) -> None:
        self._passing: dict[socket.socket, threading.Event] = {}
        self._new_ones_pass = True
        self.port = 0

    def freeze(self, *, new_ones_too: bool) -> None:
        """Nothing more goes through the connections that there are; through new ones only if wanted."""
        self._new_ones_pass = not new_ones_too
        for passing in self._passing.values():
            passing.clear()

    def _serve(self, client: socket.socket, server_port: int) -> None:
        passing = self._passing[client] = threading.Event()
        if self._new_ones_pass:
            passing.set()
        with socket.create_connection(("127.0.0.1", server_port)) as server:
            back = threading.Thread(target=_pump, args=(server, client, passing), daemon=True)
            back.start()
            _pump(client, server, passing)
            passing.set()
            back.join()


@contextmanager
def freezable(server_port: int) -> Iterator[Freezable]:
    """Stands before a server, and can be frozen."""
    relay = Freezable()
    with listening(lambda client: relay._serve(client, server_port)) as relay.port:
        yield relay


@contextmanager
def transaction_pooler(url: str) -> Iterator[int]:
    """Lends one server connection to every client, a transaction at a time; yields its own port."""
    with psycopg.connect(url, autocommit=True, sslmode="disable") as logged_in:
        server = socket.socket(fileno=os.dup(logged_in.pgconn.socket))
        server.setblocking(True)
        borrowed = threading.Lock()

        def serve(client: socket.socket) -> None:
            _welcome(client, logged_in.info.parameter_status("server_version") or "")
            in_transaction = False
            while (message := _message(client))[:1] != b"X":
                if not in_transaction:
                    borrowed.acquire()
                    in_transaction = True
                server.sendall(message)
                if message[:1] not in b"QS":  # the server answers at a query's or a pipeline's end
                    continue
                while (answer := _message(server))[:1] != b"Z":
                    client.sendall(answer)
                client.sendall(answer)
                if answer[-1:] == b"I":
                    in_transaction = False
                    borrowed.release()

        with server, listening(serve) as port:
            yield port


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serves every connection in a thread of its own; yields the port."""
    clients: list[socket.socket] = []

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                clients.append(client)
                threading.Thread(target=handle, args=(client,), daemon=True).start()

    def handle(client: socket.socket) -> None:
        with client, suppress(OSError, EOFError):
            serve(client)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)
    for client in clients:
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, sink: socket.socket, passing: threading.Event | None = None) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if passing is not None:
                passing.wait(60)
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _welcome(client: socket.socket, server_version: str) -> None:
    while True:
        (length,) = struct.unpack("!i", _exactly(client, 4))
        (code,) = struct.unpack("!i", _exactly(client, length - 4)[:4])
        if code not in (_SSL_REQUEST, _GSS_REQUEST):
            break
        client.sendall(b"N")
    client.sendall(_framed(b"R", struct.pack("!i", 0)))
    for name, value in (("server_version", server_version), ("client_encoding", "UTF8")):
        client.sendall(_framed(b"S", f"{name}\0{value}\0".encode()))
    client.sendall(_framed(b"K", struct.pack("!ii", 1, 1)))
    client.sendall(_framed(b"Z", b"I"))


def _framed(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _message(source: socket.socket) -> bytes:
    head = _exactly(source, 5)
    return head + _exactly(source, struct.unpack("!i", head[1:])[0] - 4)


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data
