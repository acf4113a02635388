"""A client none of whose requests is endless.

boto3 limits each wait for bytes, and how often a request is made. A server that sends one byte a minute keeps to both,
and one that never answers is asked five times for a minute each.
"""

import socket
import ssl
import time
from typing import TYPE_CHECKING, Any, Final

from botocore import awsrequest

from hackorda_ops.pace import Pace

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer
    from mypy_boto3_s3 import S3Client

RETRY_BUDGET_SECONDS: Final = 60.0
"""How long after its first failure a request without an answer is still made again."""

ASSEMBLING_TIMES: Final = 10
"""How many times as long as others a request may trickle that has the provider put an object's parts together.

Meanwhile AWS sends a blank now and then, for minutes.
"""

_FIRST_FAILURE: Final = "hackorda_ops.first_failure"


def make_patient(client: "S3Client", *, read_timeout_seconds: float) -> None:
    """Bounds every request of a client that has sent none.

    Args:
        client: with its own time-outs and number of attempts.
        read_timeout_seconds: how long an answer may be silent, and how long a transfer may be too slow (`pace`).
    """
    # What boto3 has no setting for. A test with a server that trickles notices if it moves.
    pools = client._endpoint.http_session._pool_classes_by_scheme  # type: ignore[attr-defined]
    pools.update(_pools(read_timeout_seconds))
    client.meta.events.register_first("needs-retry.s3", _give_up_in_time)


def _give_up_in_time(
    request_dict: dict[str, Any], caught_exception: BaseException | None, **_: object
) -> None:
    """Ends what nobody answers, once its budget is spent; boto3 decides on everything else."""
    if caught_exception is not None:
        first = request_dict["context"].setdefault(_FIRST_FAILURE, time.monotonic())
        if time.monotonic() - first > RETRY_BUDGET_SECONDS:
            raise caught_exception


class _PacedSocket(socket.socket):
    pace: Pace

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int = 0, flags: int = 0) -> int:
        began = time.monotonic()
        count = super().recv_into(buffer, nbytes, flags)
        self.pace.received(count, time.monotonic() - began)
        return count

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        began = time.monotonic()
        super().sendall(data, flags)
        self.pace.sent(memoryview(data).nbytes, time.monotonic() - began)


class _PacedTLSSocket(ssl.SSLSocket):
    # Until the handshake is over, which the time-out bounds as a whole.
    pace: Pace | None = None

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0) -> int:
        began = time.monotonic()
        count = super().recv_into(buffer, nbytes, flags)
        if self.pace is not None:
            self.pace.received(count, time.monotonic() - began)
        return count

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        began = time.monotonic()
        super().sendall(data, flags)
        if self.pace is not None:
            self.pace.sent(memoryview(data).nbytes, time.monotonic() - began)


def _pools(for_seconds: float) -> dict[str, type]:
    """The connection pools of a client, by their scheme."""

    class Paced:
        """What both kinds of connections have in common."""

        pace: Pace
        sock: Any

        def _new_conn(self) -> _PacedSocket:
            self.pace = Pace(for_seconds)
            plain = super()._new_conn()  # type: ignore[misc]
            timeout_seconds = plain.gettimeout()
            made = _PacedSocket(plain.family, plain.type, plain.proto, plain.detach())
            made.settimeout(timeout_seconds)
            made.pace = self.pace
            return made

        def connect(self) -> None:
            if (context := getattr(self, "ssl_context", None)) is not None:
                context.sslsocket_class = _PacedTLSSocket
            super().connect()  # type: ignore[misc]
            self.sock.pace = self.pace

        def request(self, method: str, *arguments: Any, **options: Any) -> Any:
            if self.sock is not None:
                self.pace.for_seconds = for_seconds * (ASSEMBLING_TIMES if method == "POST" else 1)
                self.pace.begin()
            return super().request(method, *arguments, **options)  # type: ignore[misc]

    class Plain(Paced, awsrequest.AWSHTTPConnection):  # type: ignore[misc]  # so are botocore's own
        pass

    class Encrypted(Paced, awsrequest.AWSHTTPSConnection):  # type: ignore[misc]
        pass

    class PlainPool(awsrequest.AWSHTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(awsrequest.AWSHTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}
