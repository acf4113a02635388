"""The places that databases.yaml names: where a drill restores, where artifacts lie."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from hackorda_ops.config.values import Section, VariableName


class NeonScratch(Section):
    """A drill restores on a branch of this Neon project."""

    project_id: str | None = None
    project_id_env: VariableName = "NEON_PROJECT_ID"
    api_key_env: VariableName = "NEON_API_KEY"
    api_url_env: VariableName = "NEON_API_URL"


class ServerScratch(Section):
    """A drill restores into a new database of this Postgres server."""

    admin_url_env: VariableName = "SCRATCH_ADMIN_URL"


class Scratch(Section):
    """Where a drill restores: a Neon project, or a scratch server; Neon where neither is named."""

    neon: NeonScratch | None = None
    server: ServerScratch | None = None

    @model_validator(mode="before")
    @classmethod
    def _neon_unless_told(cls, value: Any) -> Any:
        return {"neon": {}} if value == {} else value

    @model_validator(mode="after")
    def _exactly_one(self) -> "Scratch":
        if (self.neon is None) == (self.server is None):
            raise ValueError("takes exactly one of neon and server")
        return self


class S3(Section):
    """A bucket of S3 or of anything that speaks it (Backblaze B2, Cloudflare R2, MinIO).

    Attributes:
        bucket: its name; `bucket_env` names a variable that is read where this is not given.
        prefix: folder inside the bucket.
        endpoint_url: for everything but AWS; `endpoint_url_env` likewise.
        object_lock_days: retention in compliance mode on every object; None for none.
        max_parts: the provider's limit of parts per upload (10,000 on AWS, 1,000 on some).
    """

    bucket: str | None = None
    bucket_env: VariableName = "OFFSITE_BUCKET"
    prefix: str = ""
    endpoint_url: str | None = None
    endpoint_url_env: VariableName = "OFFSITE_ENDPOINT_URL"
    region: str | None = None
    region_env: VariableName = "OFFSITE_REGION"
    access_key_id_env: VariableName = "OFFSITE_ACCESS_KEY_ID"
    secret_access_key_env: VariableName = "OFFSITE_SECRET_ACCESS_KEY"  # noqa: S105  # a variable's name
    object_lock_days: Annotated[int, Field(ge=1)] | None = None
    storage_class: str | None = None
    server_side_encryption: Literal["AES256", "aws:kms"] | None = None
    kms_key_id: str | None = None
    max_parts: Annotated[int, Field(ge=1, le=10_000)] = 10_000


class Folder(Section):
    """A folder on this machine (or mounted on it)."""

    folder: Path


def _bucket_from_url(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    bucket, _, prefix = value.removeprefix("s3://").partition("/")
    if not value.startswith("s3://") or not bucket:
        raise ValueError("takes s3://bucket/prefix, or a mapping with bucket, prefix, endpoint_url and so on")
    return {"bucket": bucket, "prefix": prefix}


def _place_from_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _bucket_from_url(value) if "://" in value else {"folder": value}


def _kind_of_place(value: Any) -> str:
    named = value if isinstance(value, dict) else vars(value)
    return "Folder" if "folder" in named else "S3"


Bucket = Annotated[S3, BeforeValidator(_bucket_from_url)]
StorePlace = Annotated[
    Annotated[Folder, Tag("Folder")] | Annotated[S3, Tag("S3")],
    Discriminator(_kind_of_place),
    BeforeValidator(_place_from_text),
]
