"""What is particular about Redis: rights, keys that expire, a transfer that is cut off, a changed snapshot."""

import hashlib
import io
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import FileEntry, digest_of, from_bytes, to_bytes
from hackorda_ops.artifacts.recorded import recorded
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.engines.redis.comparison import collapsed, compare_keys, require_like_source
from hackorda_ops.engines.redis.manifest import SNAPSHOT, KeyGroup, RedisManifest, SourceKeys, of_redis
from hackorda_ops.engines.redis.source import source_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import (
    ArtifactDamaged,
    ConfigError,
    ConnectionLost,
    LoginRefused,
    OpsError,
    PartitionGone,
    RightsMissing,
    ServerUnreachable,
    UsageError,
)
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.night.night import take_night
from hackorda_ops.processes import child
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.verify import verify
from hackorda_ops.redis.contents import Contents, Group, KeysSeen, read_contents
from hackorda_ops.redis.server import find_program, running
from hackorda_ops.redis.target import RedisTarget, parse
from hackorda_ops.redis.transfer import fetch_rdb
from hackorda_ops.redis.wire import connected
from hackorda_ops.scratch import sweep as sweeping
from hackorda_ops_tests.engines import examples
from hackorda_ops_tests.engines.examples import PATH, Example

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
USERS, CARTS = Group(0, "string", "user"), Group(0, "hash", "cart")
MEMORY_BYTES = 1 << 30


def manifest(*groups: KeyGroup) -> RedisManifest:
    made = RedisManifest(
        artifact_id="20261120T020000Z-abcdef",
        database="cache",
        night=NOW.date(),
        captured_at=NOW,
        late=False,
        reason="night",
        files=(FileEntry(SNAPSHOT, 10, "0" * 64),),
        findings=(),
        warnings=(),
        timings_seconds={},
        version="7.0.15",
        memory_bytes=1000,
        groups=groups,
        functions=(),
        source_keys=(),
        loaded_by="7.0.15",
    )
    return replace(made, evidence=recorded(made))


def keys(group: Group, number: int, digest: str = "a" * 32) -> KeyGroup:
    return KeyGroup(group.database, group.type, group.prefix, group.expires, number, digest)


def there(*groups: KeyGroup, at: datetime = NOW) -> Contents:
    return Contents({each.group: KeysSeen(each.keys, each.digest) for each in groups}, (), at)


@pytest.fixture
def cache(tmp_path: Path, s3_server: S3Server, new_bucket: str) -> Iterator[Example]:
    with examples.of_redis(tmp_path, s3_server, new_bucket) as made:
        yield made


def source(example: Example) -> RedisTarget:
    return parse(example.protected.environ["REDIS_URL"], origin="test")


def put(example: Example, path: str, data: bytes) -> None:
    example.protected.store.put(
        path, io.BytesIO(data), size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
    )


def test_equal_keys_have_no_finding_and_lost_added_and_changed_ones_do() -> None:
    evidence = manifest(keys(USERS, 10), keys(CARTS, 2))

    assert compare_keys(evidence, there(keys(USERS, 10), keys(CARTS, 2))).findings == ()
    for found, code in (
        (there(keys(USERS, 9), keys(CARTS, 2)), "keys missing"),
        (there(keys(USERS, 10)), "keys missing"),
        (there(keys(USERS, 10, "b" * 32), keys(CARTS, 2)), "keys differ"),
        (there(keys(USERS, 10), keys(CARTS, 2), keys(Group(1, "set", "tag"), 1)), "keys added"),
        (Contents(there(keys(USERS, 10), keys(CARTS, 2)).groups, ("lib",), NOW), "functions differ"),
    ):
        assert [each.code for each in compare_keys(evidence, found).findings] == [code]


def test_keys_that_may_have_expired_are_not_compared_and_the_others_are() -> None:
    soon, later = Group(0, "string", "(other)", "2026-11-21"), Group(0, "string", "(other)", "2027-03")
    evidence = manifest(keys(soon, 5), keys(later, 7))

    compared = compare_keys(evidence, there(keys(later, 7), at=NOW + timedelta(days=2)))
    assert (compared.findings, compared.compared, compared.expired) == ((), 7, 5)
    lost = compare_keys(evidence, there(at=NOW + timedelta(days=2)))
    assert [each.subject for each in lost.findings] == [str(later)]
    assert compare_keys(evidence, there(at=NOW + timedelta(days=200))).findings == ()


def test_a_snapshot_with_far_fewer_keys_than_the_source_counted_is_no_artifact() -> None:
    contents = there(keys(USERS, 800))

    require_like_source(contents, (SourceKeys(0, 850, 900),))  # the source moves on
    with pytest.raises(ArtifactDamaged, match="800 keys in the snapshot, but had 1,000"):
        require_like_source(contents, (SourceKeys(0, 1000, 1100),))
    with pytest.raises(ArtifactDamaged, match="db3"):
        require_like_source(contents, (SourceKeys(3, 100, 100),))


def test_a_collapse_is_a_finding_unless_it_is_tolerated() -> None:
    before, tonight = manifest(keys(USERS, 1000)), manifest(keys(USERS, 100))
    policy = Policy.model_validate({"tolerances": {"volatile": ["db0 string user:*"]}})

    assert [each.code for each in collapsed(before, tonight, Policy().tolerances)] == ["keys collapsed"]
    assert list(collapsed(before, tonight, policy.tolerances)) == []


def test_a_manifest_that_contradicts_itself_is_damaged() -> None:
    sound = manifest(keys(USERS, 10))
    assert from_bytes(to_bytes(sound), origin="test") == sound
    for changed in (
        replace(sound, files=()),
        replace(sound, groups=(*sound.groups, *sound.groups), evidence={}),
        replace(sound, groups=(keys(Group(0, "string", "(other)", "tomorrow"), 1),)),
        replace(sound, groups=()),
    ):
        with pytest.raises(ArtifactDamaged):
            from_bytes(to_bytes(changed), origin="test")


def test_a_manifest_of_an_engine_of_another_release_is_one_damaged_artifact() -> None:
    raw = json.loads(to_bytes(manifest(keys(USERS, 10))))
    raw["engine"] = "mongodb"
    with pytest.raises(ArtifactDamaged, match=r"mongodb.*this release doesn't have"):
        from_bytes(json.dumps(raw).encode(), origin="test")


def test_urls_are_read_and_no_password_is_shown() -> None:
    target = parse("rediss://ops:s3cret%21@redis.example:6380/4", origin="$REDIS_URL")
    assert (target.host, target.port, target.user, target.password, target.tls) == (
        "redis.example",
        6380,
        "ops",
        "s3cret!",
        True,
    )
    assert "s3cret" not in repr(target) + target.describe()
    for wrong in ("postgres://u:s3cret@h/db", "redis://", "redis://h:port"):
        with pytest.raises(ConfigError) as raised:
            parse(wrong, origin="$REDIS_URL")
        assert "s3cret" not in str(raised.value)


def test_an_unencrypted_server_elsewhere_is_refused_unless_the_configuration_allows_it(
    tmp_path: Path,
) -> None:
    environ = {"REDIS_URL": "redis://ops:s3cret@redis.example.com:6379"}

    def found(**source: str) -> RedisTarget:
        policy = Policy.model_validate({"engine": "redis", "source": {"url_env": "REDIS_URL", **source}})
        return source_of(Protected("cache", policy, environ), private_folder=tmp_path)

    with pytest.raises(ConfigError, match="not a local host") as refused:
        found()
    assert "s3cret" not in str(refused.value)
    assert not found(tls="disable").tls


def test_what_only_postgres_has_is_refused_in_the_configuration() -> None:
    for key in ({"key_tables": ["users"]}, {"migrate": {}}, {"scratch": {"server": {}}}):
        with pytest.raises(ValueError, match=r"only a database of the engine|holds no database"):
            Policy.model_validate({"engine": "redis", **key})
    with pytest.raises(ValueError, match="engine: needs one of"):
        Policy.model_validate({"engine": "oracle"})
    with pytest.raises(ValueError, match="no database 'shop'"):
        Config.model_validate({"databases": {"cache": {"engine": "redis", "beside": "shop"}}})


def test_a_night_knows_its_keys_by_type_and_prefix_and_shows_no_value(cache: Example) -> None:
    taken = of_redis(take_night(cache.protected).manifest)

    groups = {str(each.group): each.keys for each in taken.groups}
    assert groups["db0 string user:*"] == 999
    assert groups["db0 hash cart:*"] == groups["db0 stream events:*"] == groups["db3 string (other)"] == 1
    assert taken.expiring == 2
    assert taken.contents == "1,007 keys (2 of them expire) in 2 databases"
    everything = b"".join(
        path.read_bytes() for path in Path(cache.protected.store.staging_root).parent.rglob("*.json")
    )
    assert b"alice" not in everything
    assert b"nobody may see" not in to_bytes(taken)
    secret = source(cache).password or ""
    assert secret.encode() not in everything + to_bytes(taken)
    sheet = cache.protected.store.read_small(f"{taken.prefix}/RESTORE.md").decode()
    assert "dump/redis.rdb" in sheet
    with connected(source(cache)) as client:  # nothing was written to the source
        assert client.ask("DBSIZE") == 1006


def test_a_past_night_can_not_be_taken(cache: Example) -> None:
    with pytest.raises(PartitionGone):
        take_night(cache.protected, night=(datetime.now(UTC) - timedelta(days=5)).date())


def test_a_user_without_the_right_and_a_wrong_password_are_told_apart(cache: Example) -> None:
    target = source(cache)
    with connected(target) as client:
        client.ask("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+info", "+time", "+ping")
    url = f"redis://reader:pw@{target.host}:{target.port}"
    limited = replace(cache.protected, environ={**cache.protected.environ, "REDIS_URL": url})
    with pytest.raises(RightsMissing, match="doesn't let reader"):
        take_night(limited)
    wrong = replace(limited, environ={**limited.environ, "REDIS_URL": url.replace("pw@", "no@")})
    with pytest.raises(LoginRefused):
        take_night(wrong)
    nobody = replace(limited, environ={**limited.environ, "REDIS_URL": "redis://127.0.0.1:1"})
    with pytest.raises(ServerUnreachable):
        take_night(nobody)
    assert catalog.read(cache.protected.store, "cache").artifacts == ()


def test_a_snapshot_that_was_replaced_together_with_its_hash_is_found(cache: Example, tmp_path: Path) -> None:
    protected = cache.protected
    taken = of_redis(take_night(protected).manifest)
    with connected(source(cache)) as client:
        client.ask("DEL", "user:7")
    other = tmp_path / "other.rdb"
    fetch_rdb(source(cache), other, deadline_seconds=60, on_progress=ignore)

    def replaced(data: bytes) -> RedisManifest:
        files = tuple(
            FileEntry(SNAPSHOT, len(data), digest_of(data)) if each.path == SNAPSHOT else each
            for each in taken.files
        )
        changed = replace(taken, files=files)
        put(cache, f"{taken.prefix}/{SNAPSHOT}", data)
        put(cache, f"{taken.prefix}/manifest.json", to_bytes(changed))
        return changed

    lacking = verify(protected, protected.store, replaced(other.read_bytes()), on_progress=ignore)
    first, *more = [(each.code, each.subject) for each in lacking.findings]
    assert first == ("keys missing", "db0 string user:*")
    # The servers' own digests are compared as well, where no key has expired since.
    assert more in ([], [("keys differ", "DEBUG DIGEST of all keys")])
    torn = verify(protected, protected.store, replaced(other.read_bytes()[:-300]), on_progress=ignore)
    assert [each.code for each in torn.findings] == ["artifact damaged"]


def test_a_server_of_our_own_that_has_no_memory_says_nothing_against_the_snapshot(
    cache: Example, tmp_path: Path
) -> None:
    path = tmp_path / "some.rdb"
    fetch_rdb(source(cache), path, deadline_seconds=60, on_progress=ignore)
    program = find_program(None, PATH)
    with pytest.raises(OpsError) as raised, running(program, memory_bytes=1000, rdb=path):
        pass
    assert not isinstance(raised.value, ArtifactDamaged)


@contextmanager
def speaking(answers: list[bytes]) -> Iterator[RedisTarget]:
    """A server that answers what it's told, one answer for each command, and then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                for answer in answers:
                    if not connection.recv(65536):
                        return
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield RedisTarget("127.0.0.1", port=server.getsockname()[1])
        thread.join()


MARK = b"m" * 40


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"$100\r\nREDIS0010 and no more", id="shorter than announced"),
        pytest.param(b"\n\n$EOF:" + MARK + b"\r\nREDIS0010 without its mark", id="without its mark"),
        pytest.param(b"$9\r\nSOMETHING", id="not a snapshot"),
        pytest.param(b"$-5\r\n", id="no length"),
        pytest.param(b"+OK\r\n", id="not a bulk"),
    ],
)
def test_a_transfer_that_is_cut_off_leaves_no_file(tmp_path: Path, sent: bytes) -> None:
    path = tmp_path / "redis.rdb"
    with speaking([b"+PONG\r\n", b"+OK\r\n+OK\r\n", sent]) as target, pytest.raises(ConnectionLost):
        fetch_rdb(target, path, deadline_seconds=30, on_progress=ignore)
    assert not path.exists()


def test_a_mark_across_blocks_ends_the_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "redis.rdb"
    whole = b"REDIS0010" + b"x" * 100
    answer = b"$EOF:" + MARK + b"\r\n" + whole + MARK + b"*1\r\n$4\r\nPING\r\n"
    with speaking([b"+PONG\r\n", b"+OK\r\n-ERR no such word\r\n", answer]) as target:
        assert fetch_rdb(target, path, deadline_seconds=30, on_progress=ignore) == len(whole)
    assert path.read_bytes() == whole


def test_digests_do_not_depend_on_order_or_encoding() -> None:
    program = find_program(None, PATH)
    with (
        running(program, memory_bytes=MEMORY_BYTES) as one,
        running(program, memory_bytes=MEMORY_BYTES) as two,
    ):
        seen = []
        for target, order in ((one, range(600)), (two, reversed(range(600)))):
            with connected(target) as client:
                if target is two:
                    client.ask(
                        "CONFIG", "SET", "hash-max-listpack-entries", "1", "set-max-intset-entries", "1"
                    )
                for n in order:
                    client.ask_all(
                        [("HSET", "h:1", f"f{n}", n), ("SADD", "s:1", n), ("ZADD", "z:1", n, f"m{n}")]
                    )
                seen.append(read_contents(client, captured_at=NOW, on_progress=ignore).groups)
    assert seen[0] == seen[1]


def test_a_password_after_to_is_refused_and_its_variable_is_read() -> None:
    from hackorda_ops.engines.redis import ENGINE

    with pytest.raises(UsageError):
        ENGINE.without_password_in_url("redis://:pw@h", {})
    assert ENGINE.without_password_in_url("redis://h", {"REDISCLI_AUTH": "pw"}).password == "pw"


def test_a_missing_program_says_what_to_install(tmp_path: Path) -> None:
    policy = Policy.model_validate(
        {"engine": "redis", "scratch": {"redis": {"program_folder": str(tmp_path)}}}
    )
    with pytest.raises(OpsError, match="no redis-server"):
        from hackorda_ops.scratch.redis import program_of

        program_of(Protected("cache", policy, {}))


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A Redis that speaks TLS alone: its port, and the certificate of "localhost" that it shows."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    child.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate),
        ],
        environment={"PATH": PATH},
        deadline_seconds=60,
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    lines = (
        f'bind 127.0.0.1\nport 0\ntls-port {port}\ntls-auth-clients no\nsave ""\n'
        f"tls-cert-file {certificate}\ntls-key-file {key}\ntls-ca-cert-file {certificate}\n"
    )
    server = child.start(["redis-server", "-"], environment={"PATH": PATH}, stdin=lines.encode())
    try:
        while not listens(port):
            assert server.running, server.stderr_tail
            assert not server.ended_within(0.05)
        yield port, certificate
    finally:
        server.stop()


def test_an_encrypted_server_is_read_only_under_a_certificate_and_a_name_that_are_right(
    encrypted: tuple[int, Path], tmp_path: Path
) -> None:
    port, certificate = encrypted
    right = parse(f"rediss://localhost:{port}", origin="test", ca_certificate=certificate)

    with connected(right) as client:
        assert client.ask("PING") == b"PONG"
    assert fetch_rdb(right, tmp_path / "redis.rdb", deadline_seconds=60, on_progress=ignore) > 0
    with (
        pytest.raises(LoginRefused, match="can't be trusted"),
        connected(replace(right, ca_certificate=None)),
    ):
        pass
    with pytest.raises(LoginRefused, match="can't be trusted"), connected(replace(right, host="127.0.0.1")):
        pass
    with pytest.raises(OpsError), connected(replace(right, tls=False)):
        pass


def test_a_sweep_finds_nothing_of_redis_because_its_servers_end_with_their_process(tmp_path: Path) -> None:
    policy = Policy.model_validate(
        {
            "engine": "redis",
            "source": {"url_env": "REDIS_URL"},
            "scratch": {"redis": {}},
            "dump": {"work_folder": str(tmp_path)},
        }
    )
    protected = Protected("cache", policy, {"REDIS_URL": "redis://127.0.0.1:1/0"})

    assert sweeping.left_behind(protected, budget_seconds=1) == sweeping.sweep(protected) == ()
