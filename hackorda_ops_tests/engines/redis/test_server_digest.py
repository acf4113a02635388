"""DEBUG DIGEST, the server's own digest of all keys, as a witness beside ours."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hackorda_ops.artifacts.manifest import from_bytes, to_bytes
from hackorda_ops.engines.redis.comparison import compare_keys, seen_by_source
from hackorda_ops.engines.redis.manifest import KeyGroup, RedisManifest, of_redis
from hackorda_ops.engines.redis.restore import read_again
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.night.night import take_night
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import bring_back
from hackorda_ops.recovery.verify import verify
from hackorda_ops.redis.contents import Contents, Group, KeysSeen
from hackorda_ops.redis.digest import OF_A_LIVE_SERVER_BYTES, server_digest
from hackorda_ops.redis.info import read_info
from hackorda_ops.redis.target import parse
from hackorda_ops.redis.wire import connected
from hackorda_ops_tests.e2e.redis import running_redis
from hackorda_ops_tests.engines.examples import fill, of_bucket, policy_of
from hackorda_ops_tests.engines.redis.test_redis import NOW, USERS, keys, manifest

ONE, OTHER = "1" * 40, "2" * 40
SOON = Group(0, "string", "(other)", NOW.date().isoformat())


def evidence(*groups: KeyGroup, digest: str | None = ONE) -> RedisManifest:
    return replace(manifest(*groups), server_digest=digest)


def copy(*groups: KeyGroup, digest: str | None = ONE, version: str = "7.0.15") -> Contents:
    seen = {each.group: KeysSeen(each.keys, each.digest) for each in groups}
    return Contents(seen, (), NOW, version, digest)


@pytest.fixture
def cache(tmp_path: Path, s3_server: S3Server, new_bucket: str) -> Iterator[Protected]:
    """A Redis whose DEBUG is allowed, and whose keys stay."""
    (tmp_path / "redis").mkdir()
    with running_redis(tmp_path / "redis", "enable-debug-command yes") as url:
        with connected(parse(url, origin="test")) as client:
            fill(client)
            client.ask_all([("SELECT", 0), ("PERSIST", "session:1"), ("PERSIST", "session:2")])
        policy = policy_of({"engine": "redis", "source": {"url_env": "REDIS_URL"}}, tmp_path, new_bucket)
        yield Protected("cache", policy, {**of_bucket(s3_server), "REDIS_URL": url})


def digest_of(url: str) -> str | None:
    with connected(parse(url, origin="test")) as client:
        return server_digest(client, read_info(client), at_most_bytes=OF_A_LIVE_SERVER_BYTES)


def test_a_copy_whose_server_computes_another_digest_differs() -> None:
    there = copy(keys(USERS, 10), digest=OTHER)

    [finding] = compare_keys(evidence(keys(USERS, 10)), there).findings

    assert (finding.code, finding.subject) == ("keys differ", "DEBUG DIGEST of all keys")
    assert (finding.expected, finding.observed) == (ONE, OTHER)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (evidence(keys(USERS, 10)), copy(keys(USERS, 10), digest=OTHER, version="7.0.16")),
        (evidence(keys(USERS, 10)), copy(keys(USERS, 10), digest=None)),
        (evidence(keys(USERS, 10), digest=None), copy(keys(USERS, 10))),
        (evidence(keys(USERS, 10), keys(SOON, 1)), copy(keys(USERS, 10), digest=OTHER)),
    ],
    ids=["another version", "not allowed there", "not known of the night", "keys have expired"],
)
def test_a_digest_that_may_differ_for_another_reason_is_not_compared(
    was: RedisManifest, now: Contents
) -> None:
    assert compare_keys(was, now).findings == ()


def test_the_source_is_a_witness_only_where_it_did_not_change() -> None:
    snapshot = copy(keys(USERS, 10))

    assert seen_by_source(snapshot, ONE, ONE) == (ONE, None)
    assert seen_by_source(snapshot, ONE, OTHER) == (None, None)
    assert seen_by_source(snapshot, None, None) == (None, None)
    assert seen_by_source(copy(keys(USERS, 10), digest=None), ONE, ONE) == (None, None)
    digest, warning = seen_by_source(snapshot, OTHER, OTHER)
    assert digest is None
    assert "the same before and after the snapshot" in (warning or "")


def test_a_manifest_whose_two_digests_differ_contradicts_itself() -> None:
    told = replace(evidence(keys(USERS, 10)), source_digest=OTHER)

    with pytest.raises(ArtifactDamaged, match="own digest is not the snapshot's"):
        from_bytes(to_bytes(told), origin="test")


def test_source_snapshot_and_restored_copy_have_the_same_digest(cache: Protected, tmp_path: Path) -> None:
    source = digest_of(cache.environ["REDIS_URL"])

    taken = of_redis(take_night(cache).manifest)

    assert source is not None
    assert taken.server_digest == taken.source_digest == source
    assert taken.warnings == ()
    assert verify(cache, cache.store, taken, on_progress=ignore).verdict == "PASS"
    (tmp_path / "empty").mkdir()
    with running_redis(tmp_path / "empty", "enable-debug-command yes") as url:
        target = parse(url, origin="test")
        brought = bring_back(cache, cache.store, taken, target, source=None, on_progress=ignore)
        assert (brought.verdict, brought.findings) == ("PASS", ())
        assert digest_of(url) == source
        with connected(target) as client:
            client.ask_all([("SELECT", 0), ("SET", "user:7", "another value")])
            changed = compare_keys(taken, read_again(client, taken, on_progress=ignore))
    assert [each.subject for each in changed.findings] == ["db0 string user:*", "DEBUG DIGEST of all keys"]


def test_where_the_source_does_not_allow_it_nothing_is_missing(cache: Protected) -> None:
    target = parse(cache.environ["REDIS_URL"], origin="test")
    with connected(target) as client:
        client.ask(
            "ACL", "SETUSER", "backup", "on", ">pw", "+sync", "+psync", "+replconf", "+info", "+time", "+ping"
        )
    url = f"redis://backup:pw@{target.host}:{target.port}"
    assert digest_of(url) is None

    taken = of_redis(take_night(replace(cache, environ={**cache.environ, "REDIS_URL": url})).manifest)

    assert taken.source_digest is None
    assert taken.server_digest == digest_of(cache.environ["REDIS_URL"])
    assert taken.warnings == ()


def test_a_large_live_server_is_not_asked(cache: Protected) -> None:
    with connected(parse(cache.environ["REDIS_URL"], origin="test")) as client:
        info = replace(read_info(client), memory_bytes=OF_A_LIVE_SERVER_BYTES + 1)

        assert server_digest(client, info, at_most_bytes=OF_A_LIVE_SERVER_BYTES) is None
