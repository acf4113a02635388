"""TLS: the table that the applications follow, and a real server with a certificate of our own."""

import shutil
import ssl
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.errors import ConfigError, LoginRefused
from hackorda_ops.local.postgres import PostgresServer, delete_server, running_postgres
from hackorda_ops.postgres.sessions import tls
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, environment, parse, secret_files
from hackorda_ops.postgres.sessions.session import connect
from hackorda_ops.postgres.sessions.tls import encrypted_elsewhere, is_local, of_a_copy, verified, with_tls
from hackorda_ops.processes import child
from hackorda_ops.processes.child import Finished
from hackorda_ops_tests.certificates import make_certificates


@dataclass(frozen=True)
class TlsServer:
    """A server whose certificate names localhost only, and the certificate that signed it."""

    server: PostgresServer
    ca_certificate: str
    other_ca_certificate: str

    def target(self, host: str = "localhost", *, query: str = "") -> ConnectionTarget:
        # hostaddr spares the tests a second attempt at ::1, where nobody listens.
        url = self.server.url().replace("127.0.0.1", host)
        return parse(f"{url}?hostaddr=127.0.0.1{query}", origin="DATABASE_URL")


@pytest.fixture(scope="module")
def tls_server(server_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    made = tmp_path_factory.mktemp("certificates")
    make_certificates(made)
    folder = server_folder / "tls"
    with running_postgres(folder, settings={"fsync": "off"}) as server:
        # Written and switched on while it runs, since only now there is a folder of the server's user.
        data = server.data_folder
        for name in ("server.key", "server.crt"):
            shutil.copy(made / name, data / name)
            shutil.chown(data / name, data.owner(), data.group())
            (data / name).chmod(0o600)
        access_rules = data / "pg_hba.conf"
        access_rules.write_text('hostnossl all "encrypted only" all reject\n' + access_rules.read_text())
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET ssl = on")
            connection.execute("SELECT pg_reload_conf()")
        wait_for_tls(server)
        yield TlsServer(server, (made / "ca.crt").read_text(), (made / "other.crt").read_text())
    delete_server(folder)


def wait_for_tls(server: PostgresServer) -> None:
    for _ in range(200):
        try:
            psycopg.connect(server.url(), sslmode="require").close()
        except psycopg.OperationalError as error:
            last = error
        else:
            return
        with psycopg.connect(server.url()) as connection:
            connection.execute("SELECT pg_sleep(0.05)")
    raise last


def is_encrypted(target: ConnectionTarget) -> bool:
    with connect(target, application_name="test", retry_budget_seconds=0) as connection:
        row = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
    assert row is not None
    return bool(row[0])


def test_the_providers_certificates_let_verify_full_pass(tls_server: TlsServer, tmp_path: Path) -> None:
    target = with_tls(
        tls_server.target(),
        ca_certificate=tls_server.ca_certificate,
        mode=None,
        production=False,
        private_folder=tmp_path / "private",
    )

    assert target.parameters["sslmode"] == "verify-full"
    assert is_encrypted(target)
    written = Path(target.parameters["sslrootcert"])
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.parent.stat().st_mode) == 0o700


def test_a_tool_verifies_the_server_as_a_session_does(tls_server: TlsServer, tmp_path: Path) -> None:
    def answer_of_psql(ca_certificate: str) -> Finished:
        target = with_tls(
            tls_server.target(),
            ca_certificate=ca_certificate,
            mode=None,
            production=True,
            private_folder=tmp_path,
        )
        return child.run(
            [tls_server.server.bin_dir / "psql", "--no-psqlrc", "--no-password", "--command=SELECT 1"],
            environment=environment(target, base={}),
            secret_files=secret_files(target),
            deadline_seconds=30,
        )

    assert answer_of_psql(tls_server.ca_certificate).returncode == 0
    assert "certificate verify failed" in answer_of_psql(tls_server.other_ca_certificate).stderr_tail


@pytest.mark.parametrize(
    "mode", ["verify", "require", None], ids=["verify", "require", "unset in production"]
)
def test_without_the_providers_certificates_the_server_is_not_trusted(
    tls_server: TlsServer, tmp_path: Path, mode: str | None
) -> None:
    target = with_tls(
        tls_server.target(), ca_certificate=None, mode=mode, production=True, private_folder=tmp_path
    )

    with pytest.raises(LoginRefused, match="certificate verify failed") as caught:
        connect(target, application_name="test")

    assert "DB_CA_CERT" in caught.value.next_step
    assert tls_server.server.password not in str(caught.value)


def test_the_trust_store_is_the_one_that_ssl_cert_file_names(
    tls_server: TlsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store.pem"
    store.write_text(tls_server.ca_certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(store))

    target = with_tls(
        tls_server.target(), ca_certificate=None, mode="verify", production=True, private_folder=tmp_path
    )

    assert is_encrypted(target)


def test_another_name_than_the_certificates_is_refused(tls_server: TlsServer, tmp_path: Path) -> None:
    target = with_tls(
        tls_server.target("db.example.com"),
        ca_certificate=tls_server.ca_certificate,
        mode=None,
        production=True,
        private_folder=tmp_path,
    )

    with pytest.raises(LoginRefused, match="does not match host name"):
        connect(target, application_name="test")


@pytest.mark.parametrize(("mode", "encrypted"), [("no-verify", True), ("allow", True), ("disable", False)])
def test_the_other_modes_connect_without_verifying(
    tls_server: TlsServer, tmp_path: Path, mode: str, encrypted: bool
) -> None:
    target = with_tls(
        tls_server.target("db.example.com"),
        ca_certificate=None,
        mode=mode,
        production=True,
        private_folder=tmp_path,
    )

    assert is_encrypted(target) == encrypted


def test_a_server_without_tls_is_refused_where_tls_is_asked_for(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    target = with_tls(
        parse(postgres_server.url(), origin="DATABASE_URL"),
        ca_certificate=None,
        mode="no-verify",
        production=False,
        private_folder=tmp_path,
    )

    with pytest.raises(LoginRefused, match="does not support SSL"):
        connect(target, application_name="test")


def test_a_server_that_insists_on_tls_is_told_as_such(tls_server: TlsServer, tmp_path: Path) -> None:
    target = tls_server.target()
    insisting = replace(target, parameters={**target.parameters, "user": "encrypted only"})
    unencrypted = with_tls(
        insisting, ca_certificate=None, mode="disable", production=False, private_folder=tmp_path
    )

    with pytest.raises(LoginRefused, match="no encryption") as caught:
        connect(unencrypted, application_name="test")

    assert "DB_SSL_MODE" in caught.value.next_step


@pytest.mark.parametrize(
    ("in_the_url", "mode", "production", "expected"),
    [
        ("", None, False, "disable"),
        ("", "disable", True, "disable"),
        ("sslmode=prefer", None, False, "prefer"),
        ("sslmode=require", None, False, "require"),
        ("sslmode=require", None, True, "verify-full"),
        ("sslmode=require", "disable", True, "require"),
        ("sslmode=disable", "verify", False, "verify-full"),
        ("sslmode=verify-full", "no-verify", False, "verify-full"),
        ("sslmode=require&sslrootcert=/ca.pem", "no-verify", False, "verify-ca"),
        ("sslrootcert=system", "disable", False, "verify-full"),
        ("", " Verify ", False, "verify-full"),
    ],
)
def test_the_stricter_of_configuration_and_connection_string_wins(
    tmp_path: Path, in_the_url: str, mode: str | None, production: bool, expected: str
) -> None:
    target = parse(f"postgres://app:x@h/db?{in_the_url}", origin="DATABASE_URL")

    found = with_tls(target, ca_certificate="", mode=mode, production=production, private_folder=tmp_path)

    assert found.parameters["sslmode"] == expected


@pytest.mark.parametrize(
    ("in_the_url", "mode", "expected"),
    [
        ("", None, "verify-full"),
        ("sslmode=prefer", None, "require"),
        ("sslmode=allow", None, "require"),
        ("sslmode=require", None, "require"),
        ("", "allow", "require"),
    ],
)
def test_with_a_remote_host_the_connection_is_always_encrypted(
    tmp_path: Path, in_the_url: str, mode: str | None, expected: str
) -> None:
    target = parse(f"postgres://app:x@db.example.com/db?{in_the_url}", origin="DATABASE_URL")

    found = with_tls(target, ca_certificate="", mode=mode, production=False, private_folder=tmp_path)

    assert found.parameters["sslmode"] == expected


@pytest.mark.parametrize(("in_the_url", "mode"), [("sslmode=disable", None), ("", "disable")])
def test_no_encryption_with_a_remote_host_has_to_be_accepted(
    tmp_path: Path, in_the_url: str, mode: str | None
) -> None:
    target = parse(f"postgres://app:x@db.example.com/db?{in_the_url}", origin="DATABASE_URL")

    with pytest.raises(ConfigError, match="turns TLS off") as caught:
        with_tls(target, ca_certificate=None, mode=mode, production=False, private_folder=tmp_path)
    accepted = with_tls(
        target,
        ca_certificate=None,
        mode="disable",
        production=False,
        private_folder=tmp_path,
        accept_off=True,
    )

    assert "tls: disable" in caught.value.next_step
    assert accepted.parameters["sslmode"] == "disable"


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgres://app:x@db.example.com/db", "require"),
        ("postgres://app:x@db.example.com/db?sslmode=prefer", "require"),
        ("postgres://app:x@db.example.com/db?sslmode=verify-full", "verify-full"),
        ("postgres://app:x@db.example.com/db?sslmode=disable", "disable"),
        ("postgres://app:x@scratch/db", None),
    ],
)
def test_a_scratch_or_restore_target_elsewhere_is_encrypted_unless_its_url_says_otherwise(
    url: str, mode: str | None
) -> None:
    found = encrypted_elsewhere(parse(url, origin="RESTORE_URL"))

    assert found.parameters.get("sslmode") == mode


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("/run/postgresql", True),
        ("localhost", True),
        ("postgres", True),
        ("db.internal", True),
        ("10.1.2.3", True),
        ("fd00::1", True),
        ("::ffff:10.1.2.3", True),
        ("::ffff:8.8.8.8", False),
        ("8.8.8.8", False),
        ("134744072", False),  # 8.8.8.8, as a resolver also reads it
        ("db.example.com", False),
        ("localhost,db.example.com", False),
        ("internal.example.com", False),
    ],
)
def test_a_host_is_local_if_nothing_of_it_leaves_the_private_network(host: str, *, local: bool) -> None:
    assert is_local(ConnectionTarget({"host": host, "user": "app", "dbname": "x"}, None)) is local


def test_the_certificates_of_the_connection_string_are_kept_unless_others_are_given(
    tls_server: TlsServer, tmp_path: Path
) -> None:
    own = tmp_path / "own.pem"
    own.write_text(tls_server.ca_certificate)
    target = tls_server.target(query=f"&sslmode=verify-full&sslrootcert={own}")

    kept = with_tls(target, ca_certificate=None, mode=None, production=True, private_folder=tmp_path)
    given = with_tls(
        target,
        ca_certificate=tls_server.other_ca_certificate,
        mode=None,
        production=True,
        private_folder=tmp_path,
    )

    assert kept.parameters["sslrootcert"] == str(own)
    assert is_encrypted(kept)
    with pytest.raises(LoginRefused, match="certificate verify failed"):
        connect(given, application_name="test")


def test_certificates_in_one_line_and_several_at_once_are_understood(
    tls_server: TlsServer, tmp_path: Path
) -> None:
    bundle = (tls_server.other_ca_certificate + tls_server.ca_certificate).replace("\n", "\\n")

    target = with_tls(
        tls_server.target(), ca_certificate=bundle, mode=None, production=True, private_folder=tmp_path
    )

    assert is_encrypted(target)


@pytest.mark.parametrize(
    "text", ["/etc/ssl/ca.pem", "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----"]
)
def test_what_is_no_certificate_is_refused_before_anything_is_written(tmp_path: Path, text: str) -> None:
    target = parse("postgres://app:x@h/db", origin="DATABASE_URL")
    private = tmp_path / "private"

    with pytest.raises(ConfigError, match="PEM"):
        with_tls(target, ca_certificate=text, mode=None, production=True, private_folder=private)

    assert not private.exists()


def test_an_unknown_mode_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    target = parse("postgres://app:x@h/db", origin="DATABASE_URL")

    with pytest.raises(ConfigError, match="verify, require, no-verify, allow, disable"):
        with_tls(target, ca_certificate=None, mode="strict", production=True, private_folder=tmp_path)


def test_the_systems_trust_store_is_named_as_a_file_that_holds_certificates(tmp_path: Path) -> None:
    target = parse("postgres://app:x@h/db", origin="DATABASE_URL")

    found = with_tls(target, ca_certificate=None, mode="verify", production=True, private_folder=tmp_path)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=found.parameters["sslrootcert"])
    assert context.get_ca_certs()


@pytest.mark.parametrize(
    ("url", "mode", "becomes"),
    [
        ("postgres://admin:x@scratch.example.com/db", None, "verify-full"),
        ("postgres://admin:x@scratch.example.com/db?sslmode=prefer", None, "require"),
        ("postgres://admin:x@scratch.example.com/db?sslmode=require", None, "require"),
        ("postgres://admin:x@scratch.example.com/db?sslmode=require", "verify", "verify-full"),
        ("postgres://admin:x@scratch.example.com/db", "no-verify", "require"),
        ("postgres://admin:x@10.0.0.5/db", None, None),
        ("postgres://admin:x@10.0.0.5/db", "verify", "verify-full"),
    ],
)
def test_a_scratch_server_follows_the_table_of_the_source(
    url: str, mode: str | None, becomes: str | None, tmp_path: Path
) -> None:
    found = of_a_copy(
        parse(url, origin="SCRATCH_ADMIN_URL"),
        mode=mode,
        private_folder=tmp_path,
        named="SCRATCH_SSL_MODE",
        section="scratch.server",
    )
    assert found.parameters.get("sslmode") == becomes


def test_an_unencrypted_scratch_server_elsewhere_is_refused_unless_the_configuration_allows_it(
    tmp_path: Path,
) -> None:
    def found(*, mode: str | None, accept_off: bool) -> ConnectionTarget:
        return of_a_copy(
            parse("postgres://admin:x@scratch.example.com/db?sslmode=disable", origin="SCRATCH_ADMIN_URL"),
            mode=mode,
            private_folder=tmp_path,
            named="SCRATCH_SSL_MODE",
            accept_off=accept_off,
            section="scratch.server",
        )

    with pytest.raises(ConfigError, match="turns TLS off") as refused:
        found(mode="disable", accept_off=False)
    assert "tls: disable into scratch.server" in refused.value.next_step
    assert found(mode="disable", accept_off=True).parameters["sslmode"] == "disable"


def test_a_providers_address_is_verified_whatever_its_url_says_and_a_local_stand_in_is_not() -> None:
    told = parse("postgres://app:x@ep-one.eu.aws.neon.tech/db?sslmode=require", origin="Neon's API")
    assert verified(told).parameters["sslmode"] == "verify-full"
    assert Path(verified(told).parameters["sslrootcert"]).is_file()
    here = parse("postgres://app:x@127.0.0.1:5000/db?sslmode=disable", origin="Neon's API")
    assert verified(here) == here


@pytest.mark.server
def test_a_providers_server_is_believed_only_under_a_trusted_certificate_and_its_own_name(
    tls_server: TlsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "is_local", lambda _: False)
    with pytest.raises(LoginRefused, match="certificate"):
        is_encrypted(verified(tls_server.target()))

    trusted = tmp_path / "ca.crt"
    trusted.write_text(tls_server.ca_certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    assert is_encrypted(verified(tls_server.target()))
    with pytest.raises(LoginRefused, match="certificate"):
        is_encrypted(verified(tls_server.target("127.0.0.1")))


@pytest.mark.server
def test_a_providers_server_without_tls_is_refused(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "is_local", lambda _: False)
    with pytest.raises(LoginRefused, match="SSL"):
        is_encrypted(verified(parse(postgres_server.url(), origin="Neon's API")))
