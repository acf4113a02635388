"""The bucket that a configuration names, as a store."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from hackorda_ops.config.places import S3
from hackorda_ops.errors import ConfigError
from hackorda_ops.given import given
from hackorda_ops.hosts import is_local_host
from hackorda_ops.stores.locks import ObjectLock
from hackorda_ops.stores.s3.errors import endpoint_name
from hackorda_ops.stores.s3.store import S3Store


def opened(section: S3, environ: Mapping[str, str], work_folder: Path) -> S3Store:
    """Opens a bucket; sends nothing yet.

    Args:
        section: its section of databases.yaml.
        environ: the environment, which has every variable that `S3.missing` names.
        work_folder: where an artifact is built.

    Raises:
        ConfigError: its endpoint is http:// at a host that isn't local, and nobody allowed that.
    """
    lock = section.locked
    endpoint_url = section.endpoint_url or given(environ, section.endpoint_url_env) or None
    if endpoint_url and section.tls != "disable":
        _require_encrypted(endpoint_url)
    return S3Store(
        bucket=section.bucket or given(environ, section.bucket_env),
        prefix=section.prefix,
        endpoint_url=endpoint_url,
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


def _require_encrypted(endpoint_url: str) -> None:
    try:
        parts = urlsplit(endpoint_url)
    except ValueError:
        return  # refused when it's used, as no URL
    if parts.scheme == "http" and not is_local_host(parts.hostname or ""):
        raise ConfigError(
            f"The bucket's endpoint {endpoint_name(endpoint_url)} is http://, and not a local host.",
            meaning="Anyone on the network path could read and change what is stored there, so nothing was attempted.",
            next_step="Give the endpoint as https://, or reach it through a tunnel (ssh -L). If the network in between "
            "is really your own, write tls: disable into the bucket's section of databases.yaml.",
        )
