"""The places that databases.yaml names for artifacts."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from hackorda_ops.config.values import Section, VariableName
from hackorda_ops.given import given


class StoreSection(Section):
    """The section of databases.yaml for one kind of store.

    Attributes:
        key: the key that identifies a mapping as this kind.
    """

    key: ClassVar[str]

    def missing(self, at: str, environ: Mapping[str, str]) -> Iterator[str]:  # noqa: ARG002  # most need none
        """What must be set before the store can be opened: a line per variable, with its key and remedy.

        Args:
            at: the section's own key, as "databases.shop.store".
            environ: the environment.
        """
        return iter(())

    def anchored(self, at: Callable[[Path], Path]) -> Self:  # noqa: ARG002  # not every kind has folders
        """The same section, with `at` applied to each folder in it: relative ones are made absolute."""
        return self


class BucketLock(Section):
    """Object lock, which holds every object from when it's written: the bucket must have been made with it.

    Attributes:
        mode: compliance: nobody can delete an object before its date, the account's owner included. governance: who
            has the right to bypass it can.
        days: how many. What retention keeps for longer has its lock extended each week.
    """

    mode: Annotated[Literal["compliance", "governance"], Field(examples=["compliance"])]
    days: Annotated[int, Field(ge=1, examples=[30])]


class S3(StoreSection):
    """A bucket on S3 or anything compatible (Backblaze B2, Cloudflare R2, MinIO).

    Attributes:
        bucket: its name.
        bucket_env: variable with the bucket's name, read where `bucket` is not given.
        prefix: folder inside the bucket.
        endpoint_url: for everything but AWS.
        tls: "disable" is the only way to an http:// endpoint whose host isn't local.
        endpoint_url_env: variable with the endpoint's URL (not needed for AWS), read where `endpoint_url` is not given.
        region: the bucket's region.
        region_env: variable with the bucket's region, read where `region` is not given.
        access_key_id_env: variable with the access key's id.
        secret_access_key_env: variable with the secret access key.
        storage_class: of every object; the bucket's default where it's not given.
        server_side_encryption: asked for with every object; the bucket's default where it's not given.
        kms_key_id: the key, with "aws:kms".
        lock: object lock on every object; without it, none.
        object_lock_days: the same as `lock` in compliance mode with that many days.
        max_parts: the provider's limit of parts per upload (10,000 on AWS, 1,000 on some).
    """

    key = "bucket"

    in_short: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {
            "type": "string",
            "pattern": "^s3://.",
            "description": "bucket and prefix as a URL.",
            "examples": ["s3://bucket/prefix"],
        },
    )

    bucket: Annotated[str | None, Field(examples=["hackorda-nights"])] = None
    bucket_env: VariableName = "OFFSITE_BUCKET"
    prefix: Annotated[str, Field(examples=["postgres/nights"])] = ""
    endpoint_url: Annotated[str | None, Field(examples=["https://s3.eu-central-003.backblazeb2.com"])] = None
    tls: Annotated[Literal["disable"] | None, Field(examples=["disable"])] = None
    endpoint_url_env: VariableName = "OFFSITE_ENDPOINT_URL"
    region: Annotated[str | None, Field(examples=["eu-central-003"])] = None
    region_env: VariableName = "OFFSITE_REGION"
    access_key_id_env: VariableName = "OFFSITE_ACCESS_KEY_ID"
    secret_access_key_env: VariableName = "OFFSITE_SECRET_ACCESS_KEY"  # noqa: S105  # a variable's name
    lock: Annotated[BucketLock | None, Field(examples=[{"mode": "compliance", "days": 30}])] = None
    object_lock_days: Annotated[Annotated[int, Field(ge=1)] | None, Field(examples=[30])] = None
    storage_class: Annotated[str | None, Field(examples=["STANDARD_IA"])] = None
    server_side_encryption: Literal["AES256", "aws:kms"] | None = None
    kms_key_id: Annotated[str | None, Field(examples=["alias/backups"])] = None
    max_parts: Annotated[int, Field(ge=1, le=10_000)] = 10_000

    @property
    def locked(self) -> BucketLock | None:
        """The lock of every object, by either key; None for none."""
        if self.object_lock_days is not None:
            return BucketLock(mode="compliance", days=self.object_lock_days)
        return self.lock

    @model_validator(mode="after")
    def _one_lock(self) -> Self:
        if self.lock is not None and self.locked != self.lock:
            raise ValueError("lock and object_lock_days say different things: give lock alone")
        return self

    def missing(self, at: str, environ: Mapping[str, str]) -> Iterator[str]:
        """See `StoreSection.missing`."""
        if not self.bucket and not given(environ, self.bucket_env):
            yield f"{at}.bucket_env: set {self.bucket_env} to the bucket's name, or give {at}.bucket"
        for part, variable, what in (
            ("access_key_id_env", self.access_key_id_env, "the access key's id"),
            ("secret_access_key_env", self.secret_access_key_env, "the secret access key"),
        ):
            if not given(environ, variable):
                yield f"{at}.{part}: set {variable} to {what}"


class Folder(StoreSection):
    """A folder on this machine (or mounted on it).

    Attributes:
        folder: its path; a relative one begins at databases.yaml.
    """

    key = "folder"
    in_short = ({"type": "string", "description": "the folder's path alone.", "examples": ["/srv/backups"]},)

    folder: Annotated[Path, Field(examples=["/srv/backups"])]

    def anchored(self, at: Callable[[Path], Path]) -> Self:
        """See `StoreSection.anchored`."""
        return self.model_copy(update={"folder": at(self.folder)})


# By their keys; `stores.registry` adds to them. A mapping with none of these keys is a bucket's.
STORE_SECTIONS: Final[dict[str, type[StoreSection]]] = {"folder": Folder, "bucket": S3}


def bucket_from_url(value: Any) -> Any:
    """A bucket written as s3://bucket/prefix, as the mapping that it stands for.

    Raises:
        ValueError: it's text, and no such URL.
    """
    if not isinstance(value, str):
        return value
    bucket, _, prefix = value.removeprefix("s3://").partition("/")
    if not value.startswith("s3://") or not bucket:
        raise ValueError("needs s3://bucket/prefix, or a mapping with bucket, prefix, endpoint_url and so on")
    return {"bucket": bucket, "prefix": prefix}


def _place_from_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return bucket_from_url(value) if "://" in value else {"folder": value}


def _of_its_kind(value: Any, _handler: ValidatorFunctionWrapHandler) -> StoreSection:
    if isinstance(value, StoreSection):
        return value
    named = value if isinstance(value, dict) else {}
    kinds = [section for key, section in STORE_SECTIONS.items() if key in named]
    return (kinds[0] if kinds else S3).model_validate(value)


StorePlace = Annotated[
    SerializeAsAny[StoreSection], WrapValidator(_of_its_kind), BeforeValidator(_place_from_text)
]
