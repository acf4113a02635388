"""A small client of Redis's protocol (RESP 2): commands, pipelines, and the errors that they end in.

It speaks only what this product needs, so that a snapshot's bytes can follow on the same connection.
"""

import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from hackorda_ops.errors import (
    ConnectionLost,
    LoginRefused,
    OpsError,
    PermanentError,
    RightsMissing,
    ServerUnreachable,
)
from hackorda_ops.pace import Pace
from hackorda_ops.redis.target import RedisTarget

CONNECT_SECONDS: Final = 15.0
"""How long connecting, and a TLS handshake, may take each."""

ANSWER_SECONDS: Final = 60.0
"""How long a server may be silent, or only trickle (`pace`)."""

_BLOCK_BYTES: Final = 1 << 16
# The protocol's own limit of a value.
_LARGEST_BYTES: Final = 512 << 20
_DEEPEST: Final = 8

Argument = bytes | str | int


class Refusal(Exception):
    """The server's answer to one command was an error.

    Attributes:
        code: its first word ("NOPERM"); the rest might quote a key.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class RedisClient:
    """One connection.

    Attributes:
        target: the server.
    """

    def __init__(self, target: RedisTarget, connected: socket.socket) -> None:
        self.target = target
        self._socket = connected
        self._buffer = bytearray()
        self._at = 0
        self._pace = Pace(ANSWER_SECONDS)

    def ask(self, *command: Argument) -> Any:
        """Sends a command and returns its answer: bytes, numbers, None, lists.

        Raises:
            Refusal: the server refused it.
            ConnectionLost: the connection broke, or no answer came in time.
        """
        [answer] = self.ask_all([command])
        if isinstance(answer, Refusal):
            raise answer
        return answer

    def ask_all(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """Sends commands at once and returns their answers; a refused one's is its `Refusal`.

        Raises:
            ConnectionLost: the connection broke, or no answer came in time.
        """
        with self._broken():
            self._pace.begin()
            self._socket.sendall(b"".join(_encoded(each) for each in commands))
            return [self._read() for _ in commands]

    def send(self, *command: Argument) -> None:
        """Sends a command whose answer is no ordinary one.

        Raises:
            ConnectionLost: the connection broke.
        """
        with self._broken():
            self._socket.sendall(_encoded(command))

    def line(self) -> bytes:
        """The next line of what the server sends.

        Raises:
            ConnectionLost: the connection broke, or nothing came in time.
        """
        with self._broken():
            self._pace.begin()
            return self._line()

    def block(self, at_most: int) -> bytes:
        """The next bytes of what the server sends, as many as are there.

        Raises:
            ConnectionLost: the connection broke, or nothing came in time.
        """
        with self._broken():
            if self._at == len(self._buffer):
                self._fill()
            found = bytes(self._buffer[self._at : self._at + at_most])
            self._at += len(found)
            return found

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()

    @contextmanager
    def _broken(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, ValueError) as error:
            raise ConnectionLost(
                f"The connection to {self.target.describe()} broke ({type(error).__name__}).",
                meaning="What was being read is incomplete, so nothing of it counts.",
                next_step="Try again. If it happens again, look at the server's log, and at its limits for replicas "
                "(client-output-buffer-limit).",
            ) from None

    def _read(self, depth: int = 0) -> Any:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest
        if kind == b"-":
            return Refusal(rest.split(b" ", 1)[0].decode("ascii", "replace")[:40])
        number = int(rest)
        if kind == b":":
            return number
        if kind == b"$" and number <= _LARGEST_BYTES:
            return None if number < 0 else self._exactly(number + 2)[:-2]
        if kind == b"*" and depth < _DEEPEST:
            return None if number < 0 else [self._read(depth + 1) for _ in range(number)]
        raise ValueError("not an answer of Redis")

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            if len(self._buffer) - self._at > _BLOCK_BYTES:
                raise ValueError("a line without an end")
            self._fill()
        line = bytes(self._buffer[self._at : end]).rstrip(b"\r")
        self._at = end + 1
        return line

    def _exactly(self, number: int) -> bytes:
        while len(self._buffer) - self._at < number:
            self._fill()
        found = bytes(self._buffer[self._at : self._at + number])
        self._at += number
        return found

    def _fill(self) -> None:
        began = time.monotonic()
        block = self._socket.recv(_BLOCK_BYTES)
        self._pace.received(len(block), time.monotonic() - began)
        if not block:
            raise EOFError
        del self._buffer[: self._at]
        self._at = 0
        self._buffer += block


@contextmanager
def connected(target: RedisTarget) -> Iterator[RedisClient]:
    """Connects and logs in, for as long as the block lasts.

    Raises:
        ServerUnreachable: nobody answered.
        LoginRefused: it refused the login, or its certificate isn't to be trusted.
    """
    client = RedisClient(target, _socket(target))
    try:
        _log_in(client)
        yield client
    finally:
        client.close()


@contextmanager
def translated(target: RedisTarget, doing: str) -> Iterator[None]:
    """Turns a refused command into an error of the tree.

    Args:
        target: the server.
        doing: what was being done ("Reading the keys").

    Raises:
        RightsMissing: the user may not.
        OpsError: any other refusal.
    """
    try:
        yield
    except Refusal as error:
        raise refused(target, doing, error) from None


def refused(target: RedisTarget, doing: str, error: Refusal) -> OpsError:
    """The error for a command that a server refused.

    Args:
        target: the server.
        doing: what was being done.
        error: its answer.
    """
    if error.code in {"NOPERM", "NOAUTH", "WRONGPASS"}:
        return RightsMissing(
            f"{doing}: {target.describe()} doesn't let {target.user or 'the default user'} do that ({error.code}).",
            meaning="Nothing more was done.",
            next_step="Give the user the rights: a backup needs +sync +psync +replconf +info +time +select; a restore "
            "needs all commands on its own empty server.",
        )
    if error.code in {"LOADING", "BUSY", "TRYAGAIN", "MASTERDOWN", "OOM"}:
        return ServerUnreachable(
            f"{doing}: {target.describe()} can't answer now ({error.code}).",
            meaning="It is starting, or busy, or has no memory left. Nothing more was done.",
            next_step="Try again when it has recovered.",
        )
    return PermanentError(
        f"{doing}: {target.describe()} refused it ({error.code}).",
        meaning="Nothing more was done.",
        next_step="Look at the server's version and configuration: managed servers rename or disable some commands.",
    )


def _socket(target: RedisTarget) -> socket.socket:
    try:
        if target.socket is not None:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            made.settimeout(ANSWER_SECONDS)
            try:
                made.connect(str(target.socket))
            except BaseException:
                made.close()
                raise
            return made
        made = socket.create_connection((target.host, target.port), CONNECT_SECONDS)
        try:
            made.settimeout(ANSWER_SECONDS)
            if not target.tls:
                return made
            context = ssl.create_default_context(
                cafile=str(target.ca_certificate) if target.ca_certificate else None
            )
            return context.wrap_socket(made, server_hostname=target.host)
        except BaseException:
            made.close()
            raise
    except ssl.SSLError as error:
        raise LoginRefused(
            f"{target.describe()} can't be trusted: {error.reason or type(error).__name__}.",
            meaning="Its certificate could not be verified, so nothing was sent to it.",
            next_step="Check the host's name in the URL, and name the provider's CA certificate "
            "(source.ca_certificate_env).",
        ) from None
    except OSError as error:
        raise ServerUnreachable(
            f"{target.describe()} does not answer ({type(error).__name__}).",
            meaning="Nothing was read.",
            next_step="Check the host and the port, and that this machine may reach them; then try again.",
        ) from None


def _log_in(client: RedisClient) -> None:
    target = client.target
    try:
        if target.password is not None:
            client.ask("AUTH", *([target.user] if target.user else []), target.password)
        client.ask("PING")
    except Refusal as error:
        if error.code == "LOADING":
            return
        raise LoginRefused(
            f"{target.describe()} refused the login of {target.user or 'the default user'} ({error.code}).",
            meaning="Nothing was read.",
            next_step="Check the user and the password in the URL.",
        ) from None


def _encoded(command: Iterable[Argument]) -> bytes:
    parts = [each if isinstance(each, bytes) else str(each).encode() for each in command]
    return b"".join((b"*%d\r\n" % len(parts), *(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)))
