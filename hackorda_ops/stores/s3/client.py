"""The boto3 client that every S3 store uses, with the defaults that other providers need."""

import os
import threading
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore import handlers
from botocore.config import Config
from botocore.parsers import ResponseParserFactory
from botocore.utils import parse_timestamp

from hackorda_ops.errors import StoreRefused
from hackorda_ops.stores.s3.patient import make_patient

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# At least as many as files are ever copied, or manifests read, at the same time.
_CONNECTIONS = 32
# AWS_PROFILE and AWS_CONFIG_FILE belong to somebody else: a missing profile would be an error, and
# an existing one would change region, addressing or signatures.
_NOBODY_ELSES = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "defaults_mode": (None, None, "legacy", None),
}
# A session isn't safe to use from several threads; its clients are.
_MAKING = threading.Lock()


def connect(
    *,
    endpoint_url: str | None,
    region: str | None,
    access_key_id: str,
    secret_access_key: str,
    connect_timeout_seconds: float,
    read_timeout_seconds: float,
    attempts: int,
) -> "S3Client":
    """Makes a client; nothing is sent yet. It is safe to use from several threads.

    Args:
        endpoint_url: for everything but AWS.
        region: the bucket's region; None if the provider has none.
        access_key_id: the access key's id.
        secret_access_key: its secret.
        connect_timeout_seconds: limit for making a connection.
        read_timeout_seconds: limit for each wait for bytes of an answer, and for a transfer that only trickles.
        attempts: how often a request with a transient failure is made in total, within `RETRY_BUDGET_SECONDS` where
            nobody answers.

    Raises:
        StoreRefused: endpoint_url is not a URL.
        BotoCoreError: an AWS_… variable has an impossible value.
    """
    config = Config(
        # The defaults of boto3 1.36 and later make other providers refuse uploads, or
        # store the checksum's text inside the object (boto/boto3#4435).
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # Requests are signed by it anyway; links would still be signed by version 2, which newer regions refuse.
        signature_version="s3v4",
        connect_timeout=connect_timeout_seconds,
        read_timeout=read_timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=_CONNECTIONS,
        tcp_keepalive=True,
        # databases.yaml decides, whatever AWS_ENDPOINT_URL says.
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # the stubs lack this documented option
    )
    try:
        with _MAKING:
            client = _session().client(
                "s3",
                aws_access_key_id=access_key_id,
                aws_secret_access_key=secret_access_key,
                region_name=region or "us-east-1",
                endpoint_url=endpoint_url,
                config=config,
            )
    except ValueError:
        # boto3's own message would repeat the URL, with any credentials in it.
        raise StoreRefused(
            "endpoint_url is not a URL that an S3 client can use.",
            meaning="Nothing was sent.",
            next_step="Give it as https://host or https://host:port.",
        ) from None

    # For what is read from a stream boto3 asks for permission first (Expect: 100-continue): one more round trip for
    # each part, and a second's wait at providers that don't know it.
    client.meta.events.unregister("before-call.s3", handlers.add_expect_header)
    make_patient(client, read_timeout_seconds=read_timeout_seconds)
    return client


@cache
def _session() -> boto3.session.Session:
    """Return the session that makes all clients: what it has read of S3's API and its endpoints takes most of the time.

    Nobody else's: not boto3's shared one, and no key is kept in it. It makes one client at a time.
    """
    own = botocore.session.Session(session_vars=_NOBODY_ELSES)
    parsers = ResponseParserFactory()
    parsers.set_parser_defaults(timestamp_parser=moment)
    own.register_component("response_parser_factory", parsers)
    return boto3.session.Session(botocore_session=own)


def moment(said: Any) -> datetime:
    """A moment in an answer: a list has one for each object, and botocore's own parser takes most of the time for it.

    Args:
        said: as the answer has it; whatever isn't in the form that S3 documents is left to botocore.

    Raises:
        ValueError: it is no moment at all.
    """
    if isinstance(said, str):
        with suppress(ValueError):
            found = datetime.fromisoformat(said)
            if found.tzinfo is not None:
                return found
    return parse_timestamp(said)
