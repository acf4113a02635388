"""Canaries in a bucket: put, written over, deleted, and locked ones unlocked, to learn what the key may do."""

import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from hackorda_ops.stores.canary import CANARY_FOLDER, CanaryAnswers, May
from hackorda_ops.stores.s3.errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_REFUSED: Final = {"AccessDenied", "403", "Unauthorized", "AllAccessDisabled"}
_OURS: Final = re.compile(rf"(?:^|/){CANARY_FOLDER}/[0-9a-f]{{16}}-(?:plain|locked)$")
_LOCKED_FOR: Final = timedelta(hours=24)


@dataclass
class _Canaries:
    """The canaries of one run, each by a key of its own."""

    client: "S3Client"
    bucket: str
    folder: str
    made: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, content: bytes, **lock: Any) -> str | None:
        key = f"{self.folder}{name}"
        version = self.client.put_object(Bucket=self.bucket, Key=key, Body=content, **lock).get("VersionId")
        self.made[key] = version or ""
        return None if version in (None, "null") else version

    def where(self, name: str, version: str | None = None) -> dict[str, Any]:
        """The parameters that name a canary, or one version of it: nothing else is ever named here."""
        which = {"Bucket": self.bucket, "Key": f"{self.folder}{name}"}
        return which if version is None else {**which, "VersionId": version}


def tried(client: "S3Client", bucket: str, within: str, *, locks: bool, now: datetime) -> CanaryAnswers:
    """Tries everything on canaries; what can't be removed again is named, and goes with a later run.

    Args:
        client: of the bucket's provider.
        bucket: its name.
        within: the store's folder in it, as S3 has it.
        locks: whether the bucket was made with object lock.
        now: the present, aware.

    Raises:
        ClientError, BotoCoreError: the bucket fails at something else than a right.
    """
    _remove_earlier(client, bucket, f"{within}{CANARY_FOLDER}/")
    canaries = _Canaries(client, bucket, f"{within}{CANARY_FOLDER}/{secrets.token_hex(8)}-")
    versions: list[str | None] = []

    def put(content: bytes) -> None:
        versions.append(canaries.put("plain", content))

    may_put = _may(lambda: put(b"canary"))
    if may_put != "can":
        return CanaryAnswers(None, may_put, may_put, "not measured", "not measured")
    versioned = versions[0] is not None
    overwrite = _may(lambda: put(b"another"))
    hide = _may(lambda: client.delete_object(**canaries.where("plain")))
    delete_version: May = "not measured"
    if versioned:
        delete_version = _may(lambda: client.delete_object(**canaries.where("plain", versions[0])))
        if delete_version == "cannot" and _is_locked(canaries, versions[0]):
            # The bucket locks whatever is stored there, and that was what refused.
            delete_version = "not measured"
    shorten, bypass = _of_a_lock(canaries, now) if locks and versioned else ("not measured", "not measured")
    _remove_earlier(client, bucket, canaries.folder)
    return CanaryAnswers(
        versioned, may_put, overwrite, hide, delete_version, shorten, bypass, _left(client, bucket, canaries)
    )


def _of_a_lock(canaries: _Canaries, now: datetime) -> tuple[May, May]:
    """Whether a governance lock can be shortened as such, and whether it can be bypassed."""
    client, until = canaries.client, now + _LOCKED_FOR
    version: str | None = None
    try:
        version = canaries.put(
            "locked", b"canary", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until
        )
    except ClientError as error:
        if code_of(error) not in _REFUSED:
            raise
        return "not measured", "not measured"
    sooner = {"Mode": "GOVERNANCE", "RetainUntilDate": now + _LOCKED_FOR / 2}
    shorten = _may(
        lambda: client.put_object_retention(**canaries.where("locked", version), Retention=sooner)  # type: ignore[arg-type]
    )
    bypass = _may(
        lambda: client.delete_object(**canaries.where("locked", version), BypassGovernanceRetention=True)
    )
    return shorten, bypass


def _is_locked(canaries: _Canaries, version: str | None) -> bool:
    with suppress(ClientError):
        head = canaries.client.head_object(**canaries.where("plain", version))
        return head.get("ObjectLockRetainUntilDate") is not None
    return False


def _may(do: Callable[[], object]) -> May:
    try:
        do()
    except ClientError as error:
        if code_of(error) in _REFUSED:
            return "cannot"
        raise
    return "can"


def _remove_earlier(client: "S3Client", bucket: str, within: str) -> None:
    """Removes canaries, as far as the key may: every version of keys that have the form of a canary's, and no other."""
    with suppress(ClientError):
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=within):
            for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                if _OURS.search(each["Key"]):
                    with suppress(ClientError):
                        client.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])


def _left(client: "S3Client", bucket: str, canaries: _Canaries) -> tuple[str, ...]:
    try:
        listed = client.list_object_versions(Bucket=bucket, Prefix=canaries.folder)
    except ClientError:
        return tuple(sorted(canaries.made))
    return tuple(
        sorted({each["Key"] for each in (*listed.get("Versions", []), *listed.get("DeleteMarkers", []))})
    )
