"""Multipart uploads as a whole: how large their parts are, and which uploads are abandoned."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hackorda_ops.errors import StoreRefused
from hackorda_ops.stores.s3.seats import SEAT_BYTES
from hackorda_ops.stores.store import ABANDONED_AFTER

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import MultipartUploadTypeDef

_MIB = 1024 * 1024
_GIB = 1024 * _MIB
# Files up to this size go in one request. Parts of this size are held in memory, larger ones in an
# unnamed temporary file: every attempt must send the same bytes again.
SMALLEST_PART_BYTES = SEAT_BYTES
LARGEST_PART_BYTES = 5 * _GIB


def part_size_bytes(size_bytes: int, max_parts: int) -> int:
    """How large the parts of one upload must be, all but the last of the same size.

    Args:
        size_bytes: the whole file.
        max_parts: the provider's limit: 10,000 on AWS, 1,000 on some.

    Returns:
        Bytes per part: a whole number of MiB, at least 5 MiB, so that no more than `max_parts` come out.

    Raises:
        StoreRefused: the file does not fit even with the largest parts there are (5 GiB).
    """
    needed = -(-size_bytes // max_parts)
    if needed > LARGEST_PART_BYTES:
        raise StoreRefused(
            f"A file of {size_bytes} bytes does not fit into {max_parts} parts of {LARGEST_PART_BYTES} bytes.",
            meaning="This provider can't hold the file as one object; nothing was stored.",
            next_step="Raise max_parts to the provider's limit, or use a provider that allows 10,000 parts.",
        )
    return max(SMALLEST_PART_BYTES, -(-needed // _MIB) * _MIB)


def abandoned(uploads: "Sequence[MultipartUploadTypeDef]", now: datetime) -> "list[MultipartUploadTypeDef]":
    """Picks the unfinished uploads that can't still be in progress.

    Args:
        uploads: as the bucket lists them.
        now: the present, aware.
    """
    return [upload for upload in uploads if now - upload["Initiated"] > ABANDONED_AFTER]


def abandoned_in(client: "S3Client", bucket: str, within: str) -> tuple[str, ...]:
    """The keys of abandoned uploads, as the bucket has them.

    Args:
        client: of the bucket's provider.
        bucket: its name.
        within: the prefix, as S3 has it.

    Raises:
        ClientError, BotoCoreError: they can't be listed.
    """
    return tuple(upload["Key"] for upload in _abandoned_in(client, bucket, within))


def end_abandoned_in(client: "S3Client", bucket: str, within: str) -> tuple[str, ...]:
    """Ends abandoned uploads; see `abandoned_in`.

    Args:
        client: a client for the bucket's region.
        bucket: the bucket's name.
        within: the prefix, as S3 has it.

    Returns:
        The keys of those that it ended, and nobody else did meanwhile.
    """
    ended = []
    for upload in _abandoned_in(client, bucket, within):
        with suppress(client.exceptions.NoSuchUpload):
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
            ended.append(upload["Key"])
    return tuple(ended)


def _abandoned_in(client: "S3Client", bucket: str, within: str) -> "Iterator[MultipartUploadTypeDef]":
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=within):
        yield from abandoned(page.get("Uploads", []), datetime.now(UTC))
