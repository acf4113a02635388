"""The bucket that a configuration names, as a store."""

from collections.abc import Mapping
from pathlib import Path

from hackorda_ops.config.places import S3
from hackorda_ops.given import given
from hackorda_ops.stores.locks import ObjectLock
from hackorda_ops.stores.s3.store import S3Store


def opened(section: S3, environ: Mapping[str, str], work_folder: Path) -> S3Store:
    """Opens a bucket; sends nothing yet.

    Args:
        section: its section of databases.yaml.
        environ: the environment, which has every variable that `S3.missing` names.
        work_folder: where an artifact is built.
    """
    lock = section.locked
    return S3Store(
        bucket=section.bucket or given(environ, section.bucket_env),
        prefix=section.prefix,
        endpoint_url=section.endpoint_url or given(environ, section.endpoint_url_env) or None,
        region=section.region or given(environ, section.region_env) or None,
        access_key_id=given(environ, section.access_key_id_env),
        secret_access_key=given(environ, section.secret_access_key_env),
        lock=ObjectLock(lock.mode, lock.days) if lock else None,
        storage_class=section.storage_class,
        server_side_encryption=section.server_side_encryption,
        kms_key_id=section.kms_key_id,
        max_parts=section.max_parts,
        staging_root=work_folder,
    )
