"""Servers that keep a connection open and answer nothing, too little, or one byte after another."""

import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

EVERY_SECONDS = 0.05


@dataclass
class Unanswering:
    """One that runs.

    Attributes:
        port: where, on 127.0.0.1.
        connections: how many came.
    """

    port: int
    connections: int = 0
    ended: threading.Event = field(default_factory=threading.Event)


Answer = Callable[[socket.socket, threading.Event], None]


def never(client: socket.socket, ended: threading.Event) -> None:
    """Reads what comes, and says nothing."""
    client.settimeout(EVERY_SECONDS)
    while not ended.is_set():
        with suppress(TimeoutError):
            if not client.recv(1 << 16):
                return


def takes_nothing(_client: socket.socket, ended: threading.Event) -> None:
    """Doesn't even read."""
    ended.wait()


def after(beginning: bytes) -> Answer:
    """Answers the beginning, and no more."""

    def answer(client: socket.socket, ended: threading.Event) -> None:
        client.recv(1 << 16)
        client.sendall(beginning)
        never(client, ended)

    return answer


def trickling(beginning: bytes) -> Answer:
    """Answers the beginning, then a byte every twentieth of a second, without end."""

    def answer(client: socket.socket, ended: threading.Event) -> None:
        client.recv(1 << 16)
        client.sendall(beginning)
        while not ended.wait(EVERY_SECONDS):
            client.sendall(b"x")

    return answer


HEADERS = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nContent-Type: application/octet-stream\r\n\r\n"
HTTP: dict[str, Answer] = {
    "never answers": never,
    "begins its headers": after(b"HTTP/1.1 200 OK\r\nConte"),
    "stops after the headers": after(HEADERS + b"abc"),
    "trickles its headers": trickling(b"HTTP/1.1 200 OK\r\nX-Padding: "),
    "trickles its body": trickling(HEADERS),
}


@contextmanager
def unanswering(answer: Answer, *, tls: ssl.SSLContext | None = None) -> Iterator[Unanswering]:
    """Runs a server of which every connection is answered like this."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = Unanswering(listener.getsockname()[1])

        def serve(client: socket.socket) -> None:
            with client, suppress(OSError):
                if tls is None:
                    answer(client, running.ended)
                else:
                    with tls.wrap_socket(client, server_side=True) as encrypted:
                        answer(encrypted, running.ended)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    running.connections += 1
                    threading.Thread(target=serve, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield running
        finally:
            running.ended.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def ends(within_seconds: int = 40) -> Iterator[None]:
    """Fails where the block still waits after so long, and interrupts it."""

    def give_up(*_: object) -> None:
        raise AssertionError(f"it still waited after {within_seconds} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(within_seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def black_hole() -> Iterator[int]:
    """A port at which packets vanish: its queue of connections is full, so the kernel drops every new one's first."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        try:
            for _ in range(4):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(listener.getsockname())
                waiting.append(client)
            yield listener.getsockname()[1]
        finally:
            for client in waiting:
                client.close()
