"""Stores an object only where there is none of its key, by a conditional write."""

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from hackorda_ops.stores.s3.errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Another writer is at the same key at the same moment (AWS): one of them gets it.
_CONFLICT: Final = "ConditionalRequestConflict"
_TRIES: Final = 3
_THERE: Final = {"PreconditionFailed", "412"}
# What providers say to a header that they don't know, where they don't ignore it.
_UNKNOWN: Final = {"NotImplemented", "501"}


def put(client: "S3Client", settings: dict[str, Any], data: bytes) -> bool | None:
    """Stores an object where there is none.

    Args:
        client: of the bucket's provider.
        settings: bucket, key and the object's other parameters.
        data: its bytes.

    Returns:
        Whether it was stored: False where there is one; None where the provider doesn't know conditional writes.

    Raises:
        ClientError, BotoCoreError: the store did not accept it.
    """
    # Not for secrecy: a store with object lock wants it.
    md5 = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode("ascii")
    for _ in range(_TRIES):
        try:
            client.put_object(**settings, Body=data, ContentMD5=md5, IfNoneMatch="*")
        except ClientError as error:
            if code_of(error) in _THERE:
                return False
            if code_of(error) in _UNKNOWN:
                return None
            if code_of(error) != _CONFLICT:
                raise
        else:
            return True
    return False
