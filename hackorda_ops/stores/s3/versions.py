"""What a versioned S3 bucket keeps of each object: every version, its delete markers, and its locks."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from hackorda_ops import untrusted
from hackorda_ops.stores.s3.errors import code_of
from hackorda_ops.stores.store import StoredVersion, is_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef, ListObjectsV2OutputTypeDef

# A legal hold has no end date; somebody has to lift it.
HELD: Final = datetime.max.replace(tzinfo=UTC)
# The answer of an API without versions when asked for them (Cloudflare R2, for one).
NOT_THERE: Final = {"NotImplemented", "501", "MethodNotAllowed", "405"}
_NO_SUCH_DELIMITER: Final = {"NotImplemented", "501", "InvalidArgument", "InvalidRequest", "400"}


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
        for version in _files(page.get("Versions", []), root):
            yield _version(version, root, size_bytes=version["Size"], marker=False)
        for marker in _files(page.get("DeleteMarkers", []), root):
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
        yield from _objects(page, root)


def beside(
    client: "S3Client", bucket: str, within: str, root: str, *, name: str, leaving_out: str
) -> list[StoredVersion] | None:
    """The objects of one name below a prefix, without those in folders of another, which most of them are in.

    The provider leaves them out: what has "/<name>/" in its key is told as one prefix.

    Returns:
        The objects; None where the provider knows no delimiters of more than a character.

    Args:
        client: a client for the bucket's region.
        bucket: the bucket's name.
        within: the prefix, as S3 has it.
        root: the store's own prefix, which the keys leave out.
        name: the objects' own name, after the last slash.
        leaving_out: the name of those folders.
    """
    delimiter, found = f"/{leaving_out}/", list[StoredVersion]()
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=within, Delimiter=delimiter
    )
    try:
        for page in pages:
            if any(not each["Prefix"].endswith(delimiter) for each in page.get("CommonPrefixes", [])):
                return None
            found += (each for each in _objects(page, root) if each.key.endswith(f"/{name}"))
    except ClientError as error:
        if code_of(error) not in _NO_SUCH_DELIMITER:
            raise
        return None
    return found


def locked_until(head: "HeadObjectOutputTypeDef") -> datetime | None:
    """Until when an object can't be deleted, according to its HEAD; None for no lock."""
    if head.get("ObjectLockLegalHoldStatus") == "ON":
        return HELD
    return head.get("ObjectLockRetainUntilDate")


def _objects(page: "ListObjectsV2OutputTypeDef", root: str) -> Iterator[StoredVersion]:
    for entry in _files(page.get("Contents", []), root):
        yield _version({**entry, "IsLatest": True}, root, size_bytes=entry["Size"], marker=False)


def _files(entries: Iterable[Any], root: str) -> Iterator[Any]:
    # Providers' consoles make "folders": empty objects whose key ends in a slash. Others may put any key there.
    return (entry for entry in entries if is_key(entry["Key"].removeprefix(root)))


def _version(entry: Any, root: str, *, size_bytes: int, marker: bool) -> StoredVersion:
    return StoredVersion(
        key=entry["Key"].removeprefix(root),
        size_bytes=size_bytes,
        modified_at=untrusted.within_limits(entry["LastModified"].timestamp()),
        version_id=entry.get("VersionId"),
        current=entry["IsLatest"],
        marker=marker,
        storage_class=entry.get("StorageClass"),
        # Objects in parts may keep their ETag with other parts of the same bytes: the size and time are beside it.
        stamp=f"{entry['ETag']} {size_bytes} {entry['LastModified'].timestamp()}"
        if entry.get("ETag")
        else "",
    )
