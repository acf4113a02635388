"""A store in an S3 bucket: AWS, Backblaze B2, Cloudflare R2, MinIO and others that speak the same API."""

import hashlib
import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from botocore.exceptions import BotoCoreError, ClientError

from hackorda_ops.calendar.clocks import told_time
from hackorda_ops.stores.base import StoreBase
from hackorda_ops.stores.canary import CanaryAnswers
from hackorda_ops.stores.checked import CheckedSource
from hackorda_ops.stores.locks import FileLock, ObjectLock
from hackorda_ops.stores.patience import Patience
from hackorda_ops.stores.s3 import canary, locks, new_object, parts, rights, uploads
from hackorda_ops.stores.s3 import versions as s3_versions
from hackorda_ops.stores.s3.client import connect
from hackorda_ops.stores.s3.errors import code_of, endpoint_name, translated
from hackorda_ops.stores.s3.objects import object_settings
from hackorda_ops.stores.s3.provider import provider_name
from hackorda_ops.stores.s3.reader import ObjectReader, opened_range
from hackorda_ops.stores.s3.seats import SHARED, Seats
from hackorda_ops.stores.s3.settings import read_settings
from hackorda_ops.stores.s3.uploads import SMALLEST_PART_BYTES
from hackorda_ops.stores.settings import BucketSettings
from hackorda_ops.stores.store import (
    CHUNK_BYTES,
    Location,
    Readable,
    StoredVersion,
    checked_key,
    folder_prefix,
    in_a_folder,
    is_key,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef


@dataclass(frozen=True)
class S3Store(StoreBase):
    """A store below a prefix of a bucket.

    Attributes:
        bucket: its name.
        prefix: folder inside the bucket; "" for the bucket's root.
        endpoint_url: for everything but AWS.
        region: the bucket's region; providers without regions accept any.
        access_key_id: of a key that can list the bucket, and get and put below the prefix.
        secret_access_key: its secret; never in a repr or an error.
        lock: what every object gets when it's written; None for none.
        storage_class: as the provider calls it; None for its default. It must allow immediate reads.
        server_side_encryption: "AES256" or "aws:kms"; None for the bucket's default.
        kms_key_id: the key for "aws:kms"; None for the account's own.
        max_parts: the provider's limit of parts per upload.
        staging_root: a local folder with room for the parts in progress (files of more than
            5 MiB times `max_parts` only).
        connect_timeout_seconds: limit for making a connection.
        read_timeout_seconds: limit for each wait for bytes of an answer.
        attempts: how often a request with a transient failure is made in total.
    """

    bucket: str
    prefix: str = ""
    endpoint_url: str | None = None
    region: str | None = None
    access_key_id: str = field(kw_only=True)
    secret_access_key: str = field(kw_only=True, repr=False)
    lock: ObjectLock | None = None
    storage_class: str | None = None
    server_side_encryption: str | None = None
    kms_key_id: str | None = None
    max_parts: int = 10_000
    staging_root: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    connect_timeout_seconds: float = 10
    read_timeout_seconds: float = 60
    attempts: int = 5

    def describe(self) -> str:
        """The store as s3://bucket/prefix."""
        return f"s3://{self.bucket}/{folder_prefix(self.prefix)}".rstrip("/")

    def check(self) -> None:
        """Checks that the bucket exists and can be listed.

        Raises:
            StoreRefused: the bucket is missing, or access is denied.
            StoreUnreachable: nothing answers.
        """
        self._listed_once()

    def check_writable(self) -> None:
        """Does what `check` does, and begins an upload, which it ends again: nothing is stored.

        Raises:
            StoreRefused, StoreUnreachable: the bucket would not take an object.
        """
        self.check()
        with self._translated(f"write to {self.describe()}"):
            rights.try_writing(self._client, self._probe(locked=True))

    def try_deleting(self) -> str:
        """See `Store.try_deleting`."""
        with self._translated(f"delete from {self.describe()}"):
            return rights.try_deleting(self._client, self._probe(locked=False))

    def _probe(self, *, locked: bool) -> dict[str, Any]:
        return object_settings(self, self._full(rights.probe_name()), rights.SHA256_OF_NOTHING, locked=locked)

    def location(self) -> Location:
        """The bucket, and the folder in it."""
        return Location(provider_name(self.endpoint_url), self.bucket, folder_prefix(self.prefix))

    def with_patience(self, patience: Patience) -> "S3Store":
        """The same store, given up after this long if it doesn't answer, or earlier if it already is."""
        return replace(
            self,
            attempts=min(self.attempts, patience.attempts),
            connect_timeout_seconds=min(self.connect_timeout_seconds, patience.connect_timeout_seconds),
            read_timeout_seconds=min(self.read_timeout_seconds, patience.read_timeout_seconds),
        )

    def clock_ahead(self) -> timedelta:
        """How far the provider's clock is ahead of this machine's; zero if its answers carry no time.

        Raises:
            StoreRefused, StoreUnreachable: the bucket can't be listed.
        """
        before = datetime.now(UTC)
        return told_time(self._listed_once()["ResponseMetadata"]["HTTPHeaders"].get("date"), before)

    def _listed_once(self) -> "ListObjectsV2OutputTypeDef":
        with self._translated(f"list {self.describe()}"):
            return self._client.list_objects_v2(
                Bucket=self.bucket, Prefix=folder_prefix(self.prefix), MaxKeys=1
            )

    def folders(self, prefix: str) -> Iterator[str]:
        """The names of the folders directly below the folder `prefix`.

        Raises:
            StoreRefused, StoreUnreachable: the bucket can't be listed.
        """
        within = folder_prefix(self.prefix, prefix)
        with self._translated(f"list {self.describe()}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=within, Delimiter="/"
            )
            for page in pages:
                for entry in page.get("CommonPrefixes", []):
                    name = entry["Prefix"].removeprefix(within).removesuffix("/")
                    if is_key(folder_prefix(prefix) + name):
                        yield name

    def in_each_folder(self, prefix: str, name: str, *, leaving_out: str) -> Iterator[StoredVersion]:
        """See `Store.in_each_folder`.

        It takes a request for each thousand objects that don't lie in folders called `leaving_out`.

        Raises:
            StoreRefused, StoreUnreachable: the bucket can't be listed.
        """
        where = (self.bucket, folder_prefix(self.prefix, prefix), folder_prefix(self.prefix))
        with self._translated(f"list {self.describe()}/{prefix}"):
            found = s3_versions.beside(self._client, *where, name=name, leaving_out=leaving_out)
        for each in self.files(prefix) if found is None else found:
            if in_a_folder(each.key, prefix, name):
                yield each

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """An object as a stream, a large one by several connections; if one breaks, reading continues where it was.

        Raises:
            ArtifactMissing: there is no such object.
            StoreRefused, StoreUnreachable: it can't be read.
        """
        return self._reading(key, {"Bucket": self.bucket, "Key": self._full(key)})

    def open_version(self, key: str, version_id: str) -> AbstractContextManager[BinaryIO]:
        """See `OpensVersions.open_version`."""
        return self._reading(key, {"Bucket": self.bucket, "Key": self._full(key), "VersionId": version_id})

    def versions_of(self, key: str) -> tuple[StoredVersion, ...]:
        """See `OpensVersions.versions_of`."""
        where = (self.bucket, self._full(key), folder_prefix(self.prefix))
        with self._translated(f"list the versions of {self.describe()}/{key}"):
            return tuple(each for each in s3_versions.listed(self._client, *where) if each.key == key)

    @contextmanager
    def _reading(self, key: str, which: Mapping[str, Any]) -> Iterator[BinaryIO]:
        with self._translated(f"read {self.describe()}/{key}"), Seats(SHARED, own=0) as seats:
            reader = ObjectReader(partial(opened_range, self._client, which), self.attempts, seats, SHARED)
            with io.BufferedReader(reader, CHUNK_BYTES) as stream:
                yield cast(BinaryIO, stream)

    def put(self, key: str, source: Readable, *, size_bytes: int, sha256: str) -> None:
        """Stores an object, in parts if it is large; on any failure its upload is aborted.

        See `Store.put`.

        Raises:
            ArtifactDamaged: the source has other bytes than announced; nothing was stored.
            StoreRefused, StoreUnreachable: the store did not accept it.
            DiskFull: no room for a part in `staging_root`.
        """
        name = f"{self.describe()}/{key}"
        checked = CheckedSource(source, name=name, size_bytes=size_bytes, sha256=sha256)
        settings = object_settings(self, self._full(key), sha256)
        with self._translated(f"upload {name}"):
            if size_bytes > SMALLEST_PART_BYTES:
                parts.put(
                    self._client,
                    settings,
                    checked,
                    size_bytes,
                    max_parts=self.max_parts,
                    staging_root=self.staging_root,
                    shared=SHARED,
                )
                return
            part = parts.in_memory(checked, size_bytes, shared=SHARED)
            with part.body:
                checked.finish()
                self._client.put_object(**settings, Body=part.body, ContentMD5=part.md5)
            part.let_go()

    def put_new(self, key: str, data: bytes) -> bool:
        """Stores a small object where there is none of that key. See `Store.put_new`.

        A provider that doesn't know conditional writes is asked first whether there is one.

        Raises:
            StoreRefused, StoreUnreachable: the store did not accept it.
        """
        settings = object_settings(self, self._full(key), hashlib.sha256(data).hexdigest())
        with self._translated(f"upload {self.describe()}/{key}"):
            stored = new_object.put(self._client, settings, data)
        return super().put_new(key, data) if stored is None else stored

    def files(self, prefix: str) -> Iterator[StoredVersion]:
        """Every object below the folder `prefix`, without older versions.

        Raises:
            StoreRefused, StoreUnreachable: the bucket can't be listed.
        """
        where = (self.bucket, folder_prefix(self.prefix, prefix), folder_prefix(self.prefix))
        with self._translated(f"list {self.describe()}/{prefix}"):
            yield from s3_versions.plain(self._client, *where)

    def versions(self, prefix: str) -> Iterator[StoredVersion]:
        """Every version and delete marker below the folder `prefix`; only the objects if there are no versions.

        Raises:
            StoreRefused, StoreUnreachable: the bucket's versions can't be listed.
        """
        where = (self.bucket, folder_prefix(self.prefix, prefix), folder_prefix(self.prefix))
        with self._translated(f"list the versions in {self.describe()}/{prefix}"):
            try:
                yield from s3_versions.listed(self._client, *where)
            except ClientError as error:
                if code_of(error) not in s3_versions.NOT_THERE:
                    raise
                yield from s3_versions.plain(self._client, *where)

    def may_be_locked(self, version: StoredVersion) -> bool:
        """Whether the bucket keeps versions, without which S3 has no locks, or its objects are to be locked."""
        return not version.marker and (version.version_id not in {None, "null"} or self.lock is not None)

    def locked_until(self, version: StoredVersion) -> datetime | None:
        """Until when object lock holds a version, or would by `lock`; None for no lock.

        Raises:
            StoreRefused, StoreUnreachable: the locks could not be read.
        """
        if version.marker:
            return None
        which: dict[str, Any] = {} if version.current else {"VersionId": version.version_id}
        with self._translated(f"look at {self.describe()}/{version.key}"):
            head = self._client.head_object(Bucket=self.bucket, Key=self._full(version.key), **which)
        told = s3_versions.locked_until(head)
        if told is None and self.lock is not None:
            # A key without the right to read retention gets no answer about it.
            return version.modified_at + timedelta(days=self.lock.days)
        return told

    def lock_of(self, key: str) -> FileLock:
        """See `LocksFiles.lock_of`."""
        with self._translated(f"read the lock of {self.describe()}/{key}"):
            return locks.read(self._client, self.bucket, self._full(key))

    def lock_until(self, key: str, until: datetime) -> None:
        """See `LocksFiles.lock_until`."""
        mode = self.lock.mode if self.lock else "governance"
        with self._translated(f"extend the lock of {self.describe()}/{key}"):
            locks.extend(self._client, self.bucket, self._full(key), until, mode)

    def hold(self, key: str, *, on: bool) -> None:
        """See `LocksFiles.hold`."""
        with self._translated(f"{'hold' if on else 'lift the hold on'} {self.describe()}/{key}"):
            locks.hold(self._client, self.bucket, self._full(key), on=on)

    def delete(self, key: str, version_id: str | None = None) -> None:
        """Deletes an object, or one version of it permanently.

        One request each: providers disagree on the checksum required in a request for many.

        Raises:
            StoreRefused, StoreUnreachable: it still exists.
        """
        which: dict[str, Any] = {} if version_id is None else {"VersionId": version_id}
        with self._translated(f"delete {self.describe()}/{key}"):
            self._client.delete_object(Bucket=self.bucket, Key=self._full(key), **which)

    def link(self, key: str, *, media_type: str, lasts: timedelta) -> str | None:
        """A presigned URL: it holds no secret, and opens this one object until it expires. See `Store.link`.

        Raises:
            StoreRefused: the endpoint is not a URL.
        """
        with self._translated(f"make a link to {self.describe()}/{key}"):
            return self._client.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self.bucket,
                    "Key": self._full(key),
                    # Objects are stored without a type, and a browser would save them instead of opening them.
                    "ResponseContentType": media_type,
                    "ResponseContentDisposition": "inline",
                },
                ExpiresIn=int(lasts.total_seconds()),
            )

    def settings(self) -> BucketSettings:
        """How the bucket is set up, as far as the key may ask.

        Raises:
            StoreRefused, StoreUnreachable: it doesn't exist, or doesn't answer.
        """
        with self._translated(f"ask for the settings of {self.describe()}"):
            return read_settings(self._client, self.bucket)

    def abandoned_uploads(self, prefix: str) -> tuple[str, ...]:
        """The keys of multipart uploads below the folder `prefix` that were started more than a day ago.

        Raises:
            StoreRefused, StoreUnreachable: they can't be listed.
        """
        with self._translated(f"list unfinished uploads in {self.describe()}"):
            return uploads.abandoned_in(self._client, self.bucket, folder_prefix(self.prefix, prefix))

    def end_abandoned_uploads(self, prefix: str) -> tuple[str, ...]:
        """Aborts multipart uploads below the folder `prefix` that were started more than a day ago.

        Until then, their parts are invisible but billed.

        Returns:
            The keys of the aborted uploads.
        """
        with self._translated(f"end unfinished uploads in {self.describe()}"):
            return uploads.end_abandoned_in(self._client, self.bucket, folder_prefix(self.prefix, prefix))

    def try_canaries(self, now: datetime, *, locks: bool) -> CanaryAnswers:
        """See `TriesCanaries.try_canaries`."""
        with self._translated(f"try canaries in {self.describe()}"):
            return canary.tried(self._client, self.bucket, folder_prefix(self.prefix), locks=locks, now=now)

    def _full(self, key: str) -> str:
        return folder_prefix(self.prefix) + checked_key(key)

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            endpoint = endpoint_name(self.endpoint_url)
            raise translated(error, doing=doing, endpoint=endpoint, secret=self.secret_access_key) from None

    @cached_property
    def _client(self) -> "S3Client":
        return connect(
            endpoint_url=self.endpoint_url,
            region=self.region,
            access_key_id=self.access_key_id,
            secret_access_key=self.secret_access_key,
            connect_timeout_seconds=self.connect_timeout_seconds,
            read_timeout_seconds=self.read_timeout_seconds,
            attempts=self.attempts,
        )
