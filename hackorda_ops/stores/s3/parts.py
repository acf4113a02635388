"""Uploads an object to S3 in parts, each kept as long as it might have to be sent again."""

import base64
import hashlib
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from hackorda_ops.stores.checked import CheckedSource
from hackorda_ops.stores.disk_errors import disk_errors
from hackorda_ops.stores.s3.errors import code_of
from hackorda_ops.stores.s3.seats import SHARED_SEATS, Seats
from hackorda_ops.stores.s3.uploads import SMALLEST_PART_BYTES, part_size_bytes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef


def put(
    client: "S3Client",
    settings: dict[str, Any],
    source: CheckedSource,
    size_bytes: int,
    *,
    max_parts: int,
    staging_root: Path,
    shared: BoundedSemaphore,
) -> None:
    """Uploads an object in parts; on any failure the upload is aborted.

    Args:
        client: of the bucket's provider.
        settings: bucket, key and the object's other parameters.
        source: its bytes.
        size_bytes: how many there are.
        max_parts: the provider's limit.
        staging_root: where parts too large for memory are kept.
        shared: the store's budget for parts in memory.

    Raises:
        ArtifactDamaged: the source has other bytes than announced.
        ClientError, BotoCoreError: the store did not accept it.
        DiskFull: no room for a part.
    """
    part_bytes = part_size_bytes(size_bytes, max_parts)
    if part_bytes > SMALLEST_PART_BYTES:
        with disk_errors(f"make the folder {staging_root}"):
            staging_root.mkdir(mode=0o700, parents=True, exist_ok=True)
    count = -(-size_bytes // part_bytes)
    upload_id = client.create_multipart_upload(**settings)["UploadId"]
    upload: dict[str, Any] = {name: settings[name] for name in ("Bucket", "Key")}
    upload["UploadId"] = upload_id
    try:
        # Parts on disk go one after the other: there need be room for one only.
        with Seats(shared, alone=part_bytes > SMALLEST_PART_BYTES) as seats:
            parts = _send(client, upload, lambda: spooled(source, part_bytes, staging_root), seats, count)
        source.finish()
        _complete(client, upload, parts, sha256=settings["Metadata"]["sha256"])
    except BaseException:
        # An interrupt counts too. If even this fails, `end_abandoned_uploads` aborts it tomorrow.
        with suppress(ClientError, BotoCoreError):
            client.abort_multipart_upload(**upload)
        raise


def _send(
    client: "S3Client",
    upload: dict[str, Any],
    next_part: "Callable[[], tuple[IO[bytes], str]]",
    seats: Seats,
    count: int,
) -> "list[CompletedPartTypeDef]":
    """Sends the parts, as many at a time as there are seats for; the next is read while they are on their way."""

    def send(number: int, body: IO[bytes], md5: str) -> "CompletedPartTypeDef":
        answer = client.upload_part(**upload, PartNumber=number, Body=body, ContentMD5=md5)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def arrived() -> None:
        part, body = on_their_way.popleft()
        with body:
            sent.append(part.result())
        seats.give_back()

    sent: list[CompletedPartTypeDef] = []
    on_their_way: deque[tuple[Future[CompletedPartTypeDef], IO[bytes]]] = deque()
    with ThreadPoolExecutor(min(count, SHARED_SEATS + 1), thread_name_prefix="part") as pool:
        try:
            for number in range(1, count + 1):
                while not seats.take():
                    arrived()
                body, md5 = next_part()
                on_their_way.append((pool.submit(send, number, body, md5), body))
            while on_their_way:
                arrived()
        except BaseException:
            # A part that arrives after the upload was aborted may stay: those on their way are waited for.
            pool.shutdown(wait=True, cancel_futures=True)
            for _, body in on_their_way:
                body.close()
            raise
    return sent


def _complete(
    client: "S3Client", upload: dict[str, Any], parts: "Sequence[CompletedPartTypeDef]", *, sha256: str
) -> None:
    try:
        client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    except ClientError as error:
        # If the answer to a first request was lost, the repeated one no longer finds the upload.
        if code_of(error) != "NoSuchUpload" or not _holds(client, upload, sha256):
            raise


def _holds(client: "S3Client", upload: dict[str, Any], sha256: str) -> bool:
    try:
        found = client.head_object(Bucket=upload["Bucket"], Key=upload["Key"])
    except ClientError:
        return False
    return found["Metadata"].get("sha256") == sha256


def spooled(source: CheckedSource, at_most_bytes: int, staging_root: Path) -> tuple[IO[bytes], str]:
    """The next bytes of a source, to be sent as often as needed, and their MD5 for the header.

    Content-MD5 is sent because object lock demands a checksum, and because every provider
    knows this one; it also lets the server notice a damaged transfer.

    Args:
        source: what is being uploaded.
        at_most_bytes: the length of a part.
        staging_root: a local folder for large parts.

    Returns:
        The bytes as a file, to be closed by the caller, and the header's value.
    """
    digest = hashlib.md5(usedforsecurity=False)
    spool = tempfile.SpooledTemporaryFile(SMALLEST_PART_BYTES, dir=str(staging_root))  # noqa: SIM115  # the caller's
    try:
        for block in source.blocks(at_most_bytes):
            digest.update(block)
            with disk_errors(f"hold a part of an upload in {staging_root}"):
                spool.write(block)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool, base64.b64encode(digest.digest()).decode()
