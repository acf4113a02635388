"""A copy off-site that stops answering while it is read: the rest comes from the next, and no damage is passed over."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO

import pytest

from hackorda_ops.artifacts.manifest import digest_of
from hackorda_ops.drill.turns import in_turn
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.night_proof.prove import prove
from hackorda_ops_tests.drill.fixtures import Night, Shipped
from hackorda_ops_tests.stores.s3_proxy import Forward, Reply, Request, proxied

_numbers = itertools.count(1)


@dataclass
class BreaksOff:
    """A link that is cut in the middle of a file of the dump, and gives nothing any more from then on."""

    cut: bool = False
    asked_afterwards: int = 0

    def __call__(self, request: Request, forward: Forward) -> Reply | None:
        if self.cut:
            self.asked_afterwards += request.method == "GET" and "/dump/" in request.path
            return None
        reply = forward(request)
        if request.method == "GET" and "/dump/toc.dat" in request.path:
            self.cut = True
            return replace(reply, body=reply.body[: len(reply.body) // 2])
        return reply


@pytest.fixture
def link() -> BreaksOff:
    return BreaksOff()


@pytest.fixture
def twice(
    night: Night, ship: Callable[[Night], Shipped], s3_server: S3Server, link: BreaksOff
) -> Iterator[Shipped]:
    """A database with the same copy in two buckets; the link to the one whose turn it is breaks off."""
    shipped = ship(night)
    second = f"second-copy-{next(_numbers)}"
    create_bucket(s3_server, second)
    client = s3_server.client()
    for entry in client.list_objects_v2(Bucket=shipped.bucket)["Contents"]:
        client.copy_object(
            Bucket=second, Key=entry["Key"], CopySource={"Bucket": shipped.bucket, "Key": entry["Key"]}
        )
    first, other = in_turn(night.manifest.night, ["lyon", "oslo"])
    buckets = {first: shipped.bucket, other: second}
    with proxied(s3_server, link) as behind:
        endpoints = {first: behind.endpoint_url, other: s3_server.endpoint_url}
        secrets = {
            variable: value
            for name in buckets
            for variable, value in (
                (f"OFFSITE_{name.upper()}_ACCESS_KEY_ID", s3_server.access_key_id),
                (f"OFFSITE_{name.upper()}_SECRET_ACCESS_KEY", s3_server.secret_access_key),
            )
        }
        yield shipped.changed(
            offsite=[
                {
                    "name": name,
                    "bucket": buckets[name],
                    "endpoint_url": endpoints[name],
                    "region": "us-east-1",
                }
                for name in (first, other)
            ],
            environ=secrets,
        )


def test_a_drill_takes_what_is_left_from_the_next_copy_and_counts_for_neither_alone(
    twice: Shipped, link: BreaksOff
) -> None:
    first, other = (
        f"{twice.place(name).describe()}/{twice.manifest.prefix}"
        for name in in_turn(twice.manifest.night, ["lyon", "oslo"])
    )

    result = twice.drill()

    assert result.verdict == "PASS", result
    assert result.artifact is not None
    assert result.artifact.location in (f"{first} and {other}", other)
    [said] = [each for each in result.warnings if "given up" in each]
    assert "taken instead" in said
    # Four at a time, each of them tried twice: no file more.
    assert link.cut
    assert link.asked_afterwards <= 4 * 2


def test_a_drill_fails_where_what_is_left_is_damaged_in_the_next_copy(twice: Shipped) -> None:
    name = in_turn(twice.manifest.night, ["lyon", "oslo"])[1]
    store = twice.place(name)
    for entry in twice.manifest.files:
        if entry.path.startswith("dump/"):
            data = b"?" * entry.size_bytes
            store.put(
                f"{twice.manifest.prefix}/{entry.path}",
                BytesIO(data),
                size_bytes=len(data),
                sha256=digest_of(data),
            )

    result = twice.drill()

    assert result.verdict == "FAIL", result
    assert result.artifact is not None
    assert store.describe() in result.artifact.location


def test_a_proof_goes_on_with_the_next_place_as_well(twice: Shipped, link: BreaksOff) -> None:
    proved = prove(twice)
    assert proved.proof.verdict == "PASS", proved
    assert link.cut
    assert any("given up" in each for each in proved.proof.warnings)
