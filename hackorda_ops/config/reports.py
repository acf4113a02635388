"""How reports are opened in a browser, as databases.yaml says it."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from hackorda_ops.config.values import Section


def _of_a_web_server(value: str | None) -> str | None:
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("needs a URL that begins with https:// or http://, without ? and #")
    if parts.username or parts.password:
        raise ValueError(
            "must not contain a user name or a password: everybody who opens Dagster sees the URL"
        )
    return value.rstrip("/")


class Reports(Section):
    """How the reports of drills and exercises, and the readiness page, are opened from Dagster.

    Attributes:
        base_url: where a web server of yours shows the nightly store (the off-site bucket, where the nights go straight
            there). Links are made of it and the file's place in the store. Without it they are presigned, where the
            store or off-site is a bucket.
        link_days: how long a presigned link works. Whoever has it can read that one report until then: everybody who
            can open Dagster. 0 makes none.
    """

    base_url: Annotated[
        Annotated[str, AfterValidator(_of_a_web_server)] | None,
        Field(examples=["https://reports.example.org/backups"]),
    ] = None
    link_days: Annotated[float, Field(ge=0, le=7)] = 7
