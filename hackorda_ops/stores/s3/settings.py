"""Asks an S3 bucket how it's set up. Providers offer some of it, and keys may ask for some of that."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.exceptions import ClientError

from hackorda_ops.stores.s3.errors import code_of
from hackorda_ops.stores.settings import Aspect, BucketSettings, ExpiryRule

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import LifecycleRuleOutputTypeDef

T = TypeVar("T")

# A provider without the call, and a key without the right to it.
_NOT_OFFERED: Final = {"NotImplemented", "501", "MethodNotAllowed", "405", "UnsupportedOperation"}
_NOT_ALLOWED: Final = {"AccessDenied", "403", "Unauthorized", "AllAccessDisabled"}
_NO_BUCKET: Final = {"NoSuchBucket", "404", "PermanentRedirect", "301"}
_EVERYBODY: Final = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)


def read_settings(client: "S3Client", bucket: str) -> BucketSettings:
    """Reads how a bucket is set up.

    Args:
        client: a client for the bucket's region.
        bucket: its name.

    Raises:
        ClientError, BotoCoreError: it doesn't exist, or doesn't answer.
    """
    unknown: dict[Aspect, str] = {}

    def asked(
        aspect: Aspect, ask: Callable[[], T], *, absent: tuple[str, ...] = (), then: T | None = None
    ) -> T | None:
        try:
            return ask()
        except ClientError as error:
            code = code_of(error)
            if code in absent:
                return then
            if code in _NOT_OFFERED:
                unknown[aspect] = "the provider doesn't say"
            elif code in _NOT_ALLOWED:
                unknown[aspect] = f"the key may not ask ({code})"
            elif (
                code in _NO_BUCKET
                or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
            ):
                raise
            else:
                # Each provider has a word of its own for what it doesn't offer.
                unknown[aspect] = f"the provider answers {code}"
            return None

    versioning = asked(
        "versions", lambda: client.get_bucket_versioning(Bucket=bucket).get("Status", "Disabled")
    )
    lock = asked(
        "lock",
        lambda: (
            client.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"].get(
                "ObjectLockEnabled"
            )
            == "Enabled"
        ),
        absent=("ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration"),
        then=False,
    )
    none: tuple[ExpiryRule, ...] = ()
    rules = asked(
        "life cycle",
        lambda: _expiry(client.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules", [])),
        absent=("NoSuchLifecycleConfiguration",),
        then=none,
    )
    by_policy = asked(
        "public access",
        lambda: bool(client.get_bucket_policy_status(Bucket=bucket).get("PolicyStatus", {}).get("IsPublic")),
        absent=("NoSuchBucketPolicy",),
        then=False,
    )
    access = asked("public access", lambda: client.get_bucket_acl(Bucket=bucket))
    by_list = (
        None
        if access is None
        else any(grant.get("Grantee", {}).get("URI") in _EVERYBODY for grant in access.get("Grants", []))
    )
    public = True if by_policy or by_list else None if by_policy is None or by_list is None else False
    if public is not None:
        unknown.pop("public access", None)
    owner = None if access is None else access.get("Owner", {}).get("ID")
    if not owner:
        unknown["owner"] = unknown.get("public access", "the provider doesn't say")
    return BucketSettings(
        versioning={"Enabled": "on", "Suspended": "suspended"}.get(versioning, "off") if versioning else None,  # type: ignore[arg-type]
        lock=lock,
        expiry=rules,
        public=public,
        owner=owner or None,
        unknown=unknown,
    )


def _expiry(rules: "Sequence[LifecycleRuleOutputTypeDef]") -> tuple[ExpiryRule, ...]:
    return tuple(expiry for rule in rules for expiry in _expiry_of(rule))


def _expiry_of(rule: "LifecycleRuleOutputTypeDef") -> Iterator[ExpiryRule]:
    if rule.get("Status") == "Enabled":
        within = rule.get("Filter", {})
        prefix = within.get("Prefix", within.get("And", {}).get("Prefix", rule.get("Prefix", "")))
        expiration = rule.get("Expiration", {})
        if "Days" in expiration or "Date" in expiration:
            yield ExpiryRule(prefix, expiration.get("Days"), current=True)
        if "NoncurrentVersionExpiration" in rule:
            yield ExpiryRule(prefix, rule["NoncurrentVersionExpiration"].get("NoncurrentDays"), current=False)
