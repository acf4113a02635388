"""Nights over a connection without TLS, with somebody in between who changes what it brings."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.night.night import Night, take_night
from hackorda_ops.postgres.sessions import tls
from hackorda_ops_tests.postgres.sessions.relays import listening

PG_DUMP, SECOND_READING = b"hackorda_ops pg_dump of", b"hackorda_ops values of"


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "is_local", lambda _: False)


@pytest.fixture
def url(new_database: str) -> str:
    with psycopg.connect(new_database) as session:
        session.execute(
            "CREATE TABLE users (id int, name text); INSERT INTO users VALUES (1, 'honest'), (2, 'b')"
        )
    return new_database


@contextmanager
def changing(url: str, *of: bytes) -> Iterator[str]:
    """Changes one letter of what the connections bring that call themselves one of these."""
    port = urlsplit(url).port or 5432

    def serve(client: socket.socket) -> None:
        changed = threading.Event()
        with socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=bring, args=(server, client, changed), daemon=True)
            back.start()
            with suppress(OSError):
                while data := client.recv(65536):
                    if any(each in data for each in of):
                        changed.set()
                    server.sendall(data)
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            back.join(10)

    def bring(server: socket.socket, client: socket.socket, changed: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data.replace(b"honest", b"forged") if changed.is_set() else data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_WR)

    with listening(serve) as through:
        parts = urlsplit(url)
        yield urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{port}", f":{through}")))


def night_of(url: str, store: Path) -> Night:
    policy = Policy.model_validate(
        {"store": str(store), "source": {"tls": "disable"}, "dump": {"compare_with_source_percent": 0}}
    )
    return take_night(Protected("hackorda", policy, {"DATABASE_URL": url, "PATH": "/usr/bin:/bin"}))


def test_every_night_says_that_its_connection_is_plain_and_reads_every_table_twice(
    url: str, tmp_path: Path
) -> None:
    for _ in range(2):
        manifest = night_of(url, tmp_path).manifest
        [found] = manifest.findings
        assert (found.code, found.severity) == ("connection not encrypted", "warning")
        assert (
            found.observed == "none; 1 of 1 table read twice in one snapshot, by two connections, and equal"
        )
        assert manifest.sound


@pytest.mark.parametrize("connection", [PG_DUMP, SECOND_READING], ids=["pg_dump's", "the second reading's"])
def test_a_change_of_what_one_connection_brings_leaves_no_artifact(
    connection: bytes, url: str, tmp_path: Path
) -> None:
    with (
        changing(url, connection) as through,
        pytest.raises(ArtifactDamaged, match=r"other values in public\.users"),
    ):
        night_of(through, tmp_path)
    assert not list(tmp_path.rglob("manifest.json"))


def test_the_same_change_on_every_connection_is_not_found_which_the_warning_says(
    url: str, tmp_path: Path
) -> None:
    with changing(url, PG_DUMP, SECOND_READING) as through:
        [found] = night_of(through, tmp_path).manifest.findings
    assert "the same change on both isn't" in found.meaning


def test_a_source_that_is_local_is_read_as_before(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "is_local", lambda _: True)
    manifest = night_of(url, tmp_path).manifest
    assert manifest.findings == ()
    assert manifest.source_values is not None
    assert manifest.source_values.compared_in(manifest.captured_at) == ()
