"""What every object of a store gets: its place, its checksum, its class, its encryption, its lock."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hackorda_ops.stores.s3.locks import S3_MODES

if TYPE_CHECKING:
    from hackorda_ops.stores.s3.store import S3Store


def object_settings(store: "S3Store", key: str, sha256: str, *, locked: bool = True) -> dict[str, Any]:
    """The parameters of a request that stores an object.

    Args:
        store: whose object it is.
        key: as the bucket has it.
        sha256: of its bytes, in hex.
        locked: whether it gets the lock that the store gives its objects, if any.
    """
    settings: dict[str, Any] = {
        "Bucket": store.bucket,
        "Key": key,
        # Ours, because providers' own checksums differ and some drop them.
        "Metadata": {"sha256": sha256},
        "StorageClass": store.storage_class,
        "ServerSideEncryption": store.server_side_encryption,
        "SSEKMSKeyId": store.kms_key_id,
    }
    if locked and store.lock is not None:
        settings["ObjectLockMode"] = S3_MODES[store.lock.mode]
        settings["ObjectLockRetainUntilDate"] = datetime.now(UTC) + timedelta(days=store.lock.days)
    return {name: value for name, value in settings.items() if value is not None}
