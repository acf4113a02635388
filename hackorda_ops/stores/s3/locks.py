"""An object's lock: read, extended and held, in a bucket that was made with object lock."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from hackorda_ops.stores.locks import FileLock, LockMode
from hackorda_ops.stores.s3.errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.literals import ObjectLockRetentionModeType

S3_MODES: "Final[Mapping[LockMode, ObjectLockRetentionModeType]]" = {
    "compliance": "COMPLIANCE",
    "governance": "GOVERNANCE",
}
_MODES: Final[Mapping[str, LockMode]] = {"COMPLIANCE": "compliance", "GOVERNANCE": "governance"}
# There's no lock on this object, or none in the whole bucket, or the API has none.
_NO_LOCK: Final = {
    "NoSuchObjectLockConfiguration",
    "ObjectLockConfigurationNotFoundError",
    "InvalidRequest",
    "NotImplemented",
    "501",
    "MethodNotAllowed",
    "405",
}


def read(client: "S3Client", bucket: str, key: str) -> FileLock:
    """The lock of an object's current version.

    Args:
        client: of the bucket's provider.
        bucket: its name.
        key: the object's whole key.

    Raises:
        ClientError, BotoCoreError: there's no such object, or the bucket doesn't answer.
    """
    head = client.head_object(Bucket=bucket, Key=key)
    until, held = head.get("ObjectLockRetainUntilDate"), head.get("ObjectLockLegalHoldStatus") == "ON"
    if until is not None:
        return FileLock(until, _MODES.get(head.get("ObjectLockMode", "")), held)
    # A HEAD says nothing of a lock that the key may not see, and nothing where there's none.
    try:
        told = client.get_object_retention(Bucket=bucket, Key=key).get("Retention", {})
    except ClientError as error:
        if code_of(error) in _NO_LOCK:
            return FileLock(held=held)
        return FileLock(held=held, unread=f"the bucket answers {code_of(error)} when asked for it")
    return FileLock(told.get("RetainUntilDate"), _MODES.get(told.get("Mode", "")), held)


def extend(client: "S3Client", bucket: str, key: str, until: datetime, mode: LockMode) -> None:
    """Makes an object's lock last at least until then; never shorter than it does.

    Args:
        client: of the bucket's provider.
        bucket: the bucket's name.
        key: the object's whole key.
        until: aware.
        mode: of a lock that isn't there yet; one that is keeps its own.

    Raises:
        ClientError, BotoCoreError: it could not be extended.
    """
    present = read(client, bucket, key)
    if present.until is not None and present.until >= until:
        return
    client.put_object_retention(
        Bucket=bucket,
        Key=key,
        Retention={"Mode": S3_MODES[present.mode or mode], "RetainUntilDate": until},
    )


def hold(client: "S3Client", bucket: str, key: str, *, on: bool) -> None:
    """Puts a legal hold on an object, or lifts it.

    Args:
        client: of the bucket's provider.
        bucket: the bucket's name.
        key: the object's whole key.
        on: False: it's lifted.

    Raises:
        ClientError, BotoCoreError: it could not be.
    """
    client.put_object_legal_hold(Bucket=bucket, Key=key, LegalHold={"Status": "ON" if on else "OFF"})
