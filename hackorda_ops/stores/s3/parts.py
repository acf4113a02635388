"""Uploads an object to S3 in parts, each kept as long as it might have to be sent again."""

import base64
import hashlib
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from hackorda_ops.stores.checked import CheckedSource
from hackorda_ops.stores.disk_errors import disk_errors
from hackorda_ops.stores.s3.errors import code_of
from hackorda_ops.stores.s3.seats import SHARED_SEATS, MemoryBudget, Piece, Seats
from hackorda_ops.stores.s3.uploads import SMALLEST_PART_BYTES, part_size_bytes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef


@dataclass(frozen=True)
class UploadPart:
    """A part of an upload.

    Content-MD5 is sent because object lock demands a checksum, and because every provider knows this one; it also lets
    the server notice a damaged transfer.

    Attributes:
        body: its bytes, as a file.
        md5: of them, as that header has it.
        let_go: called once the part has arrived, and nobody reads the body any more.
    """

    body: IO[bytes]
    md5: str
    let_go: Callable[[], None] = lambda: None


def put(
    client: "S3Client",
    settings: dict[str, Any],
    source: CheckedSource,
    size_bytes: int,
    *,
    max_parts: int,
    staging_root: Path,
    shared: MemoryBudget,
) -> None:
    """Uploads an object in parts; on any failure the upload is aborted.

    Args:
        client: of the bucket's provider.
        settings: bucket, key and the object's other parameters.
        source: its bytes.
        size_bytes: how many there are.
        max_parts: the provider's limit.
        staging_root: where parts too large for memory are kept.
        shared: the budget for parts in memory.

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
            next_part = (
                partial(in_memory, source, part_bytes, shared=shared)
                if part_bytes <= SMALLEST_PART_BYTES
                else partial(on_disk, source, part_bytes, folder=staging_root)
            )
            parts = _send(client, upload, next_part, seats, count)
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
    next_part: Callable[[], UploadPart],
    seats: Seats,
    count: int,
) -> "list[CompletedPartTypeDef]":
    """Sends the parts, as many at a time as there are seats for; the next is read while they are on their way."""

    def send(number: int, part: UploadPart) -> "CompletedPartTypeDef":
        answer = client.upload_part(**upload, PartNumber=number, Body=part.body, ContentMD5=part.md5)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def some_arrived() -> None:
        # Whichever comes first: one that is slow or sent again keeps its own seat, and no other.
        arrived, _ = wait(on_their_way, return_when=FIRST_COMPLETED)
        for answer in arrived:
            part = on_their_way.pop(answer)
            with part.body:
                sent.append(answer.result())
            part.let_go()
            seats.give_back()

    sent: list[CompletedPartTypeDef] = []
    on_their_way: dict[Future[CompletedPartTypeDef], UploadPart] = {}
    with ThreadPoolExecutor(min(count, SHARED_SEATS + 1), thread_name_prefix="part") as pool:
        try:
            for number in range(1, count + 1):
                while not seats.take():
                    some_arrived()
                part = next_part()
                on_their_way[pool.submit(send, number, part)] = part
            while on_their_way:
                some_arrived()
        except BaseException:
            # A part that arrives after the upload was aborted may stay: those on their way are waited for.
            pool.shutdown(wait=True, cancel_futures=True)
            for part in on_their_way.values():
                part.body.close()
            raise
    return sorted(sent, key=lambda part: part["PartNumber"])


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


def in_memory(source: CheckedSource, at_most_bytes: int, *, shared: MemoryBudget) -> UploadPart:
    """The next bytes of a source, to be sent as often as needed, in memory.

    Args:
        source: what is being uploaded.
        at_most_bytes: the length of a part.
        shared: the store's budget, whose seat for it the caller has.

    Raises:
        ArtifactDamaged: the source ended early.
    """
    digest, offset = hashlib.md5(usedforsecurity=False), 0
    memory = shared.memory(min(at_most_bytes, source.left_bytes))
    with memoryview(memory) as view:
        for block in source.blocks(at_most_bytes):
            digest.update(block)
            view[offset : offset + len(block)] = block
            offset += len(block)
    return UploadPart(cast(IO[bytes], Piece(memory)), _header(digest), partial(shared.keep, memory))


def on_disk(source: CheckedSource, at_most_bytes: int, *, folder: Path) -> UploadPart:
    """The same in an unnamed file, for parts too large for memory.

    Args:
        source: what is being uploaded.
        at_most_bytes: the length of a part.
        folder: where it lies.

    Raises:
        ArtifactDamaged: the source ended early.
        DiskFull: no room for it.
    """
    digest = hashlib.md5(usedforsecurity=False)
    spool = tempfile.TemporaryFile(dir=str(folder))  # noqa: SIM115  # closed with the part
    try:
        for block in source.blocks(at_most_bytes):
            digest.update(block)
            with disk_errors(f"hold a part of an upload in {folder}"):
                spool.write(block)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return UploadPart(spool, _header(digest))


def _header(digest: "hashlib._Hash") -> str:
    return base64.b64encode(digest.digest()).decode()
