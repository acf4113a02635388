"""Translates an S3 API's refusals and timeouts into this product's errors."""

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from botocore import exceptions as boto

from hackorda_ops.errors import ArtifactMissing, OpsError, StoreRefused, StoreUnreachable
from hackorda_ops.redaction.passwords import without_secrets

_KEPT_NOTHING = "The store refused; nothing was stored there under that name."
_PASSING_CODES = {
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "RequestLimitExceeded",
    "RequestTimeout",
    "InternalError",
    "ServiceUnavailable",
    "OperationAborted",
}
# Not implemented, and not this version of HTTP.
_NEVER = (501, 505)
_REGION = "Give the bucket's own region (and the endpoint of that region) in the configuration."
_KEY = "Check that the access key's id and secret belong together, and that the key is still active."
_RIGHTS = (
    "Allow this access key to list the bucket, and to get and put objects below the prefix; for retention also to "
    "list versions, and to delete objects."
)
_NEXT_STEPS: Mapping[str, str] = {
    "NoSuchBucket": "Create the bucket, or correct its name, endpoint or region in the configuration.",
    "404": "Check endpoint_url and bucket: the server there does not seem to be an S3 API.",
    "InvalidBucketName": "Correct the bucket's name in the configuration.",
    "AccessDenied": _RIGHTS,
    "403": _RIGHTS,
    "Unauthorized": _KEY,
    "InvalidAccessKeyId": _KEY,
    "SignatureDoesNotMatch": _KEY,
    "ExpiredToken": _KEY,
    "RequestTimeTooSkewed": "Set this machine's clock: it differs too much from the store's.",
    "PermanentRedirect": _REGION,
    "301": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "InvalidObjectState": (
        "The object is in an archive class and can't be read directly: restore it at the provider, "
        "and configure a storage class that allows immediate reads."
    ),
    "InvalidStorageClass": "Configure a storage class that this provider offers, or none.",
    "NoSuchUpload": "Something aborted the upload (a lifecycle rule?): allow uploads a day, then copy again.",
    "EntityTooLarge": "Use a provider with a higher limit, or split the table.",
    "TooManyParts": "Lower max_parts in the configuration to the provider's limit (some allow 1,000).",
    "InvalidArgument": "Check storage class, encryption and max_parts against what this provider supports.",
    "InvalidRequest": (
        "Check lock (the bucket must have been created with object lock), storage class and "
        "encryption against what this provider supports."
    ),
    "BadDigest": "Bytes changed in transit: try again, and check proxies in between.",
    "XAmzContentSHA256Mismatch": "Bytes changed in transit: try again, and check proxies in between.",
}


def endpoint_name(endpoint_url: str | None) -> str:
    """Host and port of an endpoint, without any credentials that its URL might carry."""
    if endpoint_url is None:
        return "AWS"
    try:
        parts = urlsplit(endpoint_url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        return "an endpoint_url that is not a URL"


def translated(
    error: boto.ClientError | boto.BotoCoreError, *, doing: str, endpoint: str, secret: str
) -> OpsError:
    """Translates an exception of boto3's into one of ours.

    Args:
        error: boto3's exception.
        doing: what was tried, as "upload s3://bucket/key".
        endpoint: host and port of the store.
        secret: the secret access key, which is removed from the server's message.

    Returns:
        The error to raise.
    """
    told = f"Could not {doing} at {endpoint}: "
    if isinstance(error, boto.ClientError):
        return _from_answer(error, told=told, secret=secret)
    if isinstance(error, boto.SSLError):
        return StoreRefused(
            f"{told}the TLS certificate is not trusted.",
            meaning="Another server may be impersonating the store; nothing was sent.",
            next_step="Use an endpoint whose certificate this machine trusts, or install its CA certificate.",
        )
    if isinstance(error, boto.EndpointConnectionError) and _is_unknown_host(error):
        return StoreRefused(
            f"{told}the host name is unknown.",
            meaning="No S3 API is reachable with this configuration; nothing was stored.",
            next_step="Correct endpoint_url and region in the configuration, or this machine's name resolution.",
        )
    if isinstance(error, boto.HTTPClientError | boto.ConnectionError | boto.IncompleteReadError):
        return StoreUnreachable(
            f"{told}{_silence(error)} ({type(error).__name__}).",
            meaning="The bucket itself may be fine; nothing incomplete counts as stored there.",
            next_step="Nothing, if a later try succeeds. Otherwise check endpoint_url, network, proxy and firewall.",
        )
    return StoreRefused(
        f"{told}{without_secrets(str(error), (secret,))[:500]} ({type(error).__name__})",
        meaning="No S3 API is reachable with this configuration; nothing was stored.",
        next_step="Correct bucket, endpoint_url, region and credentials in the configuration.",
    )


def _is_unknown_host(error: boto.EndpointConnectionError) -> bool:
    """Whether the name has no address; a resolver that doesn't answer now is a different case."""
    cause: BaseException | None = error.kwargs.get("error")
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return cause.errno in (socket.EAI_NONAME, socket.EAI_NODATA)
        cause = cause.__cause__ or cause.__context__
    return False


def _silence(error: boto.BotoCoreError) -> str:
    if isinstance(error, boto.ReadTimeoutError | boto.ConnectTimeoutError):
        return "no answer in time"
    if isinstance(error, boto.EndpointConnectionError | boto.ProxyConnectionError):
        return "no connection"
    return "the connection broke"


def code_of(error: boto.ClientError) -> str:
    """The server's own error code: "NoSuchKey", or an HTTP status if it gave none."""
    said = error.response.get("Error", {}).get("Code")
    return str(said or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))


def _from_answer(error: boto.ClientError, *, told: str, secret: str) -> OpsError:
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    request_id = error.response.get("ResponseMetadata", {}).get("RequestId", "")
    said = without_secrets(str(error.response.get("Error", {}).get("Message", "")), (secret,))
    what = f"{told}{code} (HTTP {status}{', request ' + request_id if request_id else ''}): {said}"
    if code == "NoSuchKey":
        return ArtifactMissing(
            what,
            meaning="The artifact is incomplete there, or it has been deleted.",
            next_step="List what there is with `hackorda-ops backups`, and use another artifact.",
        )
    if code in _PASSING_CODES or status == 429 or (status >= 500 and status not in _NEVER):
        return StoreUnreachable(
            what,
            meaning="The store is busy or has a fault; nothing incomplete counts as stored there.",
            next_step="Nothing, if a later try succeeds. Otherwise check the provider's status page.",
        )
    return StoreRefused(
        what,
        meaning=_KEPT_NOTHING,
        next_step=_NEXT_STEPS.get(code, "Look the code up at the provider, and correct the configuration."),
    )
