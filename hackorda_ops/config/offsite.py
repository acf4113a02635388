"""The off-site copies that databases.yaml names: one bucket, or a list of buckets in different hands."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from hackorda_ops.config.places import S3, bucket_from_url
from hackorda_ops.config.retention import Keep

STORE: Final = "store"
"""The name of the place where the nights are."""
OFFSITE: Final = "offsite"
"""The name of the only bucket off-site; of several, all of them together."""

# The keys of a bucket that name variables, and how each variable is called after the copy.
_VARIABLES: Final = {
    "bucket_env": "BUCKET",
    "endpoint_url_env": "ENDPOINT_URL",
    "region_env": "REGION",
    "access_key_id_env": "ACCESS_KEY_ID",
    "secret_access_key_env": "SECRET_ACCESS_KEY",
}


def _copy_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", value):
        raise ValueError("needs a name of letters, digits, hyphens and underscores")
    return value


class OffsiteBucket(S3):
    """A bucket in another account or at another provider. In a list, each is a copy of its own.

    In a list the variables have the copy's name in theirs where no others are named: OFFSITE_B2_ACCESS_KEY_ID is that
    of the copy b2.

    Attributes:
        name: how commands, checks and pages call it; by default, in a list, the bucket's name.
        retention: what is kept in it; by default what `retention.offsite` says. With `null`, everything.
    """

    in_short: ClassVar[tuple[Mapping[str, Any], ...]] = (
        *S3.in_short,
        {
            "type": "array",
            "minItems": 1,
            "items": {"anyOf": [{"$ref": "#/definitions/OffsiteBucket"}, S3.in_short[0]]},
            "description": "a list of buckets, each a copy of its own.",
            "examples": [["s3://frankfurt/nights", {"name": "b2", "bucket": "nights-b2"}]],
        },
    )

    name: Annotated[Annotated[str, AfterValidator(_copy_name)] | None, Field(examples=["b2"])] = None
    retention: Keep | None = None

    def keep(self, otherwise: Keep | None) -> Keep | None:
        """How much is kept in it; None for everything.

        Args:
            otherwise: what `retention.offsite` says, where the bucket says nothing.
        """
        return self.retention if {"retention"} & self.model_fields_set else otherwise

    def is_written_as(self, place: object) -> bool:
        """Whether a store is the same bucket, as far as databases.yaml says."""
        shared = S3.model_fields
        return isinstance(place, S3) and all(getattr(self, key) == getattr(place, key) for key in shared)


_Item = Annotated[OffsiteBucket, BeforeValidator(bucket_from_url)]
_ONE: Final = TypeAdapter[OffsiteBucket](_Item)
_MANY: Final = TypeAdapter[tuple[OffsiteBucket, ...]](Annotated[tuple[_Item, ...], Field(min_length=1)])


def _one_or_many(
    value: Any, _handler: ValidatorFunctionWrapHandler
) -> OffsiteBucket | tuple[OffsiteBucket, ...]:
    if isinstance(value, list | tuple):
        return _named(_MANY.validate_python(value))
    return _ONE.validate_python(value)


OffsitePlaces = Annotated[OffsiteBucket | tuple[OffsiteBucket, ...], WrapValidator(_one_or_many)]


def _named(buckets: Sequence[OffsiteBucket]) -> tuple[OffsiteBucket, ...]:
    """The buckets of a list, each with its name, and with variables called after it where it names none."""
    found: dict[str, OffsiteBucket] = {}
    for number, each in enumerate(buckets):
        name = each.name or re.sub(r"[^A-Za-z0-9_-]+", "-", each.bucket or "")
        if not name:
            raise ValueError(f"copy {number + 1} of the list needs a name, or a bucket to be called after")
        if name in (STORE, OFFSITE):
            raise ValueError(
                f"{name} is what commands call the store, or all copies: give that copy another name"
            )
        in_variables = _in_variables(name)
        if in_variables in found:
            raise ValueError(f"two copies are called {name}: give one of them another name")
        if any(_same_place(each, other) for other in found.values()):
            raise ValueError(
                f"{name} is the same place as another copy of the list: it would be no further copy"
            )
        found[in_variables] = with_name(each, name)
    return tuple(found.values())


def with_name(bucket: OffsiteBucket, name: str) -> OffsiteBucket:
    """A bucket of a list by its name, with its own variables where it names none.

    Args:
        bucket: as it's written.
        name: the copy's.
    """
    prefix = f"OFFSITE_{_in_variables(name)}"
    usual = OffsiteBucket.model_fields
    variables = {
        key: f"{prefix}_{called}"
        for key, called in _VARIABLES.items()
        if getattr(bucket, key) == usual[key].default
    }
    written = bucket.model_fields_set
    made = bucket.model_copy(
        update={"name": name, **{key: value for key, value in variables.items() if key not in written}}
    )
    # What was filled in wasn't written: `keep` asks what was.
    object.__setattr__(made, "__pydantic_fields_set__", set(written))
    return made


def _in_variables(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def _same_place(one: OffsiteBucket, other: OffsiteBucket) -> bool:
    """Whether two are the same place as far as the file says; `week.apart` looks at what the variables say."""

    def place(bucket: OffsiteBucket) -> tuple[object, ...]:
        return bucket.bucket, bucket.prefix.strip("/"), bucket.endpoint_url

    return one.bucket is not None and one.endpoint_url is not None and place(one) == place(other)
