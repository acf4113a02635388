"""What a versioned S3 bucket keeps of each object: every version, its delete markers, and its locks."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from hackorda_ops.stores.store import StoredVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

# A legal hold has no end date; somebody has to lift it.
HELD: Final = datetime.max.replace(tzinfo=UTC)
# The answer of an API without versions when asked for them (Cloudflare R2, for one).
NOT_THERE: Final = {"NotImplemented", "501", "MethodNotAllowed", "405"}


def listed(client: "S3Client", bucket: str, within: str, root: str) -> Iterator[StoredVersion]:
    """Every version and delete marker below a prefix.

    Args:
        client: of the bucket's provider.
        bucket: its name.
        within: the prefix, as S3 has it.
        root: the store's own prefix, which is left off the keys.

    Raises:
        ClientError: "NotImplemented" at providers without versions.
    """
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=within):
        for version in filter(_is_file, page.get("Versions", [])):
            yield _version(version, root, size_bytes=version["Size"], marker=False)
        for marker in filter(_is_file, page.get("DeleteMarkers", [])):
            yield _version(marker, root, size_bytes=0, marker=True)


def plain(client: "S3Client", bucket: str, within: str, root: str) -> Iterator[StoredVersion]:
    """The objects of a bucket without versions, as the only version of each.

    Args:
        client: a client for the bucket's region.
        bucket: the bucket's name.
        within: the prefix, as S3 has it.
        root: the store's own prefix, which the keys leave out.
    """
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=within):
        for entry in filter(_is_file, page.get("Contents", [])):
            yield _version({**entry, "IsLatest": True}, root, size_bytes=entry["Size"], marker=False)


def locked_until(head: "HeadObjectOutputTypeDef") -> datetime | None:
    """Until when an object can't be deleted, according to its HEAD; None for no lock."""
    if head.get("ObjectLockLegalHoldStatus") == "ON":
        return HELD
    return head.get("ObjectLockRetainUntilDate")


def _is_file(entry: Any) -> bool:
    # Providers' consoles make "folders": empty objects whose key ends in a slash.
    return not entry["Key"].endswith("/")


def _version(entry: Any, root: str, *, size_bytes: int, marker: bool) -> StoredVersion:
    return StoredVersion(
        key=entry["Key"].removeprefix(root),
        size_bytes=size_bytes,
        modified_at=entry["LastModified"],
        version_id=entry.get("VersionId"),
        current=entry["IsLatest"],
        marker=marker,
        storage_class=entry.get("StorageClass"),
    )
