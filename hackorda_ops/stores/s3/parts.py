"""Uploads an object to S3 in parts, each kept as long as it might have to be sent again."""

import base64
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from hackorda_ops.stores.checked import CheckedSource
from hackorda_ops.stores.disk_errors import disk_errors
from hackorda_ops.stores.s3.errors import code_of
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
) -> None:
    """Uploads an object in parts; on any failure the upload is aborted.

    Args:
        client: of the bucket's provider.
        settings: bucket, key and the object's other parameters.
        source: its bytes.
        size_bytes: how many there are.
        max_parts: the provider's limit.
        staging_root: where parts too large for memory are kept.

    Raises:
        ArtifactDamaged: the source has other bytes than announced.
        ClientError, BotoCoreError: the store did not accept it.
        DiskFull: no room for a part.
    """
    part_bytes = part_size_bytes(size_bytes, max_parts)
    if part_bytes > SMALLEST_PART_BYTES:
        with disk_errors(f"make the folder {staging_root}"):
            staging_root.mkdir(mode=0o700, parents=True, exist_ok=True)
    upload_id = client.create_multipart_upload(**settings)["UploadId"]
    upload: dict[str, Any] = {name: settings[name] for name in ("Bucket", "Key")}
    upload["UploadId"] = upload_id
    try:
        parts: list[CompletedPartTypeDef] = []
        for number in range(1, -(-size_bytes // part_bytes) + 1):
            with spooled(source, part_bytes, staging_root) as (body, md5):
                answer = client.upload_part(**upload, PartNumber=number, Body=body, ContentMD5=md5)
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        source.finish()
        _complete(client, upload, parts, sha256=settings["Metadata"]["sha256"])
    except BaseException:
        # An interrupt counts too. If even this fails, `end_abandoned_uploads` aborts it tomorrow.
        with suppress(ClientError, BotoCoreError):
            client.abort_multipart_upload(**upload)
        raise


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


@contextmanager
def spooled(source: CheckedSource, at_most_bytes: int, staging_root: Path) -> Iterator[tuple[IO[bytes], str]]:
    """The next bytes of a source, to be sent as often as needed, and their MD5 for the header.

    Content-MD5 is sent because object lock demands a checksum, and because every provider
    knows this one; it also lets the server notice a damaged transfer.

    Args:
        source: what is being uploaded.
        at_most_bytes: the length of a part.
        staging_root: a local folder for large parts.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with tempfile.SpooledTemporaryFile(SMALLEST_PART_BYTES, dir=str(staging_root)) as spool:
        for block in source.blocks(at_most_bytes):
            digest.update(block)
            with disk_errors(f"hold a part of an upload in {staging_root}"):
                spool.write(block)
        spool.seek(0)
        yield spool, base64.b64encode(digest.digest()).decode()
