"""One name for the provider behind an S3 endpoint, however the configuration writes it."""

from urllib.parse import urlsplit


def provider_name(endpoint_url: str | None) -> str:
    """Names an endpoint's provider; AWS has an endpoint per region, but one namespace for buckets.

    Args:
        endpoint_url: as configured; None for AWS.
    """
    parts = urlsplit(endpoint_url or "")
    host = parts.hostname or ""
    if not endpoint_url or host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return "AWS"
    port = "" if parts.port in {None, 80, 443} else f":{parts.port}"
    return f"{host}{port}{parts.path.rstrip('/')}"
