"""A connection target as the URL that application drivers read."""

from dataclasses import replace
from typing import Final
from urllib.parse import quote, urlencode

from hackorda_ops.postgres.sessions.connection import ConnectionTarget

# Parameters that drivers other than libpq's also understand.
_URL_PARAMETERS: Final = ("sslmode", "sslrootcert", "channel_binding", "options")


def url_of(target: ConnectionTarget) -> str:
    """A target as the URL that application drivers read, password included."""
    host, port = target.host, f":{target.port}"
    query = {name: target.parameters[name] for name in _URL_PARAMETERS if name in target.parameters}
    # "system" is libpq's own keyword for the system's certificates; other drivers look for a file of that name.
    if query.get("sslrootcert") == "system":
        del query["sslrootcert"]
    if host.startswith("/"):
        query["host"] = host
        host = ""
    elif ":" in host:
        host = f"[{host}]"
    secret = f":{quote(target.password, safe='')}" if target.password is not None else ""
    tail = f"?{urlencode(query, quote_via=quote)}" if query else ""
    return f"postgresql://{quote(target.user, safe='')}{secret}@{host}{port}/{quote(target.database, safe='')}{tail}"


def pooled(target: ConnectionTarget) -> ConnectionTarget:
    """The pooled endpoint beside a direct one of Neon's; the target itself where it isn't Neon's. Pure."""
    first, dot, rest = target.host.partition(".")
    if not (first.startswith("ep-") and dot) or first.endswith("-pooler"):
        return target
    return replace(target, parameters={**target.parameters, "host": f"{first}-pooler.{rest}"})
