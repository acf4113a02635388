"""What a key may do in a bucket, tried without leaving anything there, under object lock either."""

import hashlib
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from hackorda_ops.stores.s3.errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SHA256_OF_NOTHING: Final = hashlib.sha256().hexdigest()

# Providers without multipart uploads, or without object lock, say so in these words.
_NOT_THERE = frozenset({"NotImplemented", "501", "MethodNotAllowed", "XNotImplemented"})
_NO_LOCK = frozenset(
    {
        "ObjectLockConfigurationNotFoundError",
        "NoSuchObjectLockConfiguration",
        "NoSuchConfiguration",
        *_NOT_THERE,
    }
)


def probe_name() -> str:
    """The name of a probe: nobody else's file has it."""
    return f"preflight-probe-{secrets.token_hex(8)}"


def try_writing(client: "S3Client", settings: dict[str, Any]) -> None:
    """Begins an upload with an object's settings, and ends it: it needs the same rights, and stores nothing.

    Args:
        client: of the bucket's provider.
        settings: bucket, a key of our own, and what every object gets (class, encryption, lock).

    Raises:
        ClientError, BotoCoreError: the store would not accept an object like that.
    """
    try:
        upload = client.create_multipart_upload(**settings)
    except ClientError as error:
        if code_of(error) in _NOT_THERE:
            return  # only storing something would tell
        raise
    # Without the right to end it, an empty upload stays until the bucket's life cycle ends it: it takes no room.
    with suppress(ClientError):
        client.abort_multipart_upload(
            Bucket=settings["Bucket"], Key=settings["Key"], UploadId=upload["UploadId"]
        )


def try_deleting(client: "S3Client", settings: dict[str, Any]) -> str:
    """Stores an empty object under a key of our own, and deletes it for good.

    Not where the bucket locks what is stored in it: the probe would stay as long as a backup.

    Args:
        client: of the bucket's provider.
        settings: bucket, key, and what every object gets except a lock.

    Returns:
        Why it was not tried; "" where it worked.

    Raises:
        ClientError, BotoCoreError: the store refuses one of both.
    """
    where = {"Bucket": settings["Bucket"], "Key": settings["Key"]}
    if reason := _locks(client, settings["Bucket"]):
        return reason
    version = client.put_object(**settings, Body=b"").get("VersionId")
    which: dict[str, Any] = {} if version in (None, "null") else {"VersionId": version}
    try:
        client.delete_object(**where, **which)
    except ClientError:
        # A key that may only hide objects, and not delete versions, can at least hide the probe.
        with suppress(ClientError):
            client.delete_object(**where)
        raise
    return ""


def _locks(client: "S3Client", bucket: str) -> str:
    """Why a probe could not be deleted again; "" where nothing locks it."""
    try:
        told = client.get_object_lock_configuration(Bucket=bucket).get("ObjectLockConfiguration", {})
    except ClientError as error:
        if code_of(error) in _NO_LOCK:
            return ""
        return "whether the bucket locks what is stored in it can't be read with this key, and a probe might stay"
    if told.get("Rule"):
        return "the bucket locks what is stored in it, so a probe would stay"
    return ""
