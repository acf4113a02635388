"""Buckets are reached by TLS: what is plain and elsewhere is refused, and a server has to prove who it is."""

import socket
import ssl
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from hackorda_ops.config.places import S3
from hackorda_ops.errors import ConfigError, StoreRefused, StoreUnreachable
from hackorda_ops.stores.s3 import configured, patient
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops_tests.certificates import make_certificates
from hackorda_ops_tests.unanswering import HTTP, ends, unanswering

KEYS = {"OFFSITE_ACCESS_KEY_ID": "id", "OFFSITE_SECRET_ACCESS_KEY": "secret"}
LISTED = (
    b'<?xml version="1.0"?><ListBucketResult><Name>bucket</Name><KeyCount>0</KeyCount></ListBucketResult>'
)


def _lists(client: socket.socket, _ended: threading.Event) -> None:
    client.recv(1 << 16)
    client.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(LISTED), LISTED)
    )


def _store(port: int, host: str = "localhost") -> S3Store:
    return S3Store(
        "bucket",
        endpoint_url=f"https://{host}:{port}",
        access_key_id="id",
        secret_access_key="secret",
        connect_timeout_seconds=5,
        read_timeout_seconds=5,
        attempts=1,
    )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


@pytest.fixture(scope="module")
def tls(certificates: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.crt", certificates / "server.key")
    return context


def test_a_plain_endpoint_elsewhere_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="http://, and not a local host") as refused:
        configured.opened(S3(bucket="b", endpoint_url="http://user:pass@s3.example.com"), KEYS, tmp_path)
    assert "pass" not in str(refused.value)
    assert "tls: disable" in refused.value.next_step


@pytest.mark.parametrize(
    "section",
    [
        S3(bucket="b", endpoint_url="http://s3.example.com", tls="disable"),
        S3(bucket="b", endpoint_url="http://minio:9000"),
        S3(bucket="b", endpoint_url="http://127.0.0.1:9000"),
        S3(bucket="b", endpoint_url="https://s3.example.com"),
        S3(bucket="b"),
    ],
)
def test_an_endpoint_that_is_encrypted_local_or_allowed_is_opened(section: S3, tmp_path: Path) -> None:
    assert configured.opened(section, KEYS, tmp_path).bucket == "b"


def test_a_bucket_is_believed_only_under_a_trusted_certificate_and_its_own_name(
    certificates: Path, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unanswering(_lists, tls=tls) as server:
        with pytest.raises(StoreRefused, match="certificate is not trusted"):
            _store(server.port).check()
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificates / "ca.crt"))
        _store(server.port).check()
        with pytest.raises(StoreRefused, match="certificate is not trusted"):
            _store(server.port, "127.0.0.1").check()


def test_a_server_without_tls_is_not_spoken_to() -> None:
    with unanswering(_lists) as server, pytest.raises((StoreRefused, StoreUnreachable)):
        _store(server.port).check()


@pytest.mark.parametrize("how", HTTP)
def test_an_encrypted_answer_that_does_not_come_ends_as_well(
    how: str, certificates: Path, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient, "RETRY_BUDGET_SECONDS", 0.0)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificates / "ca.crt"))
    with unanswering(HTTP[how], tls=tls) as server, ends(), pytest.raises(StoreUnreachable):
        replace(_store(server.port), read_timeout_seconds=0.5).check()
