"""How a connection is encrypted, and whether the server must prove who it is."""

import hashlib
import os
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Final

from hackorda_ops.errors import ConfigError
from hackorda_ops.hosts import is_local_host
from hackorda_ops.postgres.sessions.connection import SSL_MODES, ConnectionTarget

# DB_SSL_MODE's values, which are those of the applications' own drivers, as libpq's; then libpq's own other ones.
_SSL_MODE_OF: Final = {
    "verify": "verify-full",
    "require": "verify-full",
    "no-verify": "require",
    "allow": "require",
    "disable": "disable",
    "prefer": "prefer",
    "verify-ca": "verify-ca",
    "verify-full": "verify-full",
}
_MAY_BE_OFF: Final = ("disable", "allow", "prefer")
_TRUST_STORES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat, Fedora, Amazon Linux
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)


def with_tls(
    target: ConnectionTarget,
    *,
    ca_certificate: str | None,
    mode: str | None,
    production: bool,
    private_folder: Path,
    named: str = "DB_SSL_MODE",
    accept_off: bool = False,
    section: str = "the source's section",
) -> ConnectionTarget:
    r"""The same database, reached under the TLS rules that the applications follow.

    ===================================  ==================================================
    condition (the first that holds)     what libpq gets
    ===================================  ==================================================
    DB_CA_CERT set                       verify-full against these certificates
    DB_SSL_MODE=verify or require        verify-full against the system's trust store
    DB_SSL_MODE=no-verify or allow       require: encrypted, the server is not verified
    DB_SSL_MODE=disable                  disable
    nothing set, production              verify-full against the system's trust store
    nothing set, elsewhere               disable with a local host, else as in production
    ===================================  ==================================================

    With a host that isn't local the connection is never silently unencrypted: libpq's "allow" and "prefer", which
    do without encryption where the server has none, become "require", and "disable" is refused. A host is local if it's
    a socket, an address of this machine or of a private network, or a name without a dot or in a domain that only
    private networks have (.internal, .local, .lan).

    An sslmode in the connection string wins if it is stricter (disable, allow, prefer, require,
    verify-ca, verify-full), and so does its sslrootcert unless DB_CA_CERT is set. The trust
    store is given as a file, because `sslrootcert=system` is unknown to client tools before 16 and looks
    in the wrong place in builds that bring their own OpenSSL.

    Args:
        target: as the connection string has it.
        ca_certificate: PEM text, one certificate or several (DB_CA_CERT). Line breaks may be
            written as `\n`. None or empty: not set.
        mode: one of the values above (DB_SSL_MODE). None or empty: not set.
        production: whether an unset configuration means verified or unencrypted.
        private_folder: created if missing; the certificates are written here, since libpq reads files
            only (mode 0600).
        named: the variable that `mode` comes from, for messages.
        accept_off: whether an unencrypted connection with any host is what somebody decided.
        section: of databases.yaml, where somebody may decide that.

    Raises:
        ConfigError: an unknown mode, certificates that cannot be read, no trust store, or an unencrypted
            connection with a host that isn't local.
    """
    remote = not accept_off and not is_local(target)
    if ca_certificate:
        wanted = "verify-full"
    elif mode:
        wanted = _ssl_mode(mode, named)
    else:
        wanted = "verify-full" if production or (remote and "sslmode" not in target.parameters) else "disable"
    strictest = max(wanted, _ssl_mode_in_force(target), key=SSL_MODES.index)
    if remote and strictest in _MAY_BE_OFF:
        if strictest == "disable":
            raise _unencrypted(target, named if mode else "the connection string's sslmode", section)
        strictest = "require"
    parameters = {**target.parameters, "sslmode": strictest}
    own_certificates = parameters.pop("sslrootcert", "system")
    if strictest.startswith("verify"):
        if ca_certificate:
            parameters["sslrootcert"] = str(_written(ca_certificate, private_folder))
        elif own_certificates != "system":
            parameters["sslrootcert"] = own_certificates
        else:
            parameters["sslrootcert"] = _trust_store()
    return replace(target, parameters=parameters)


def encrypted_elsewhere(target: ConnectionTarget) -> ConnectionTarget:
    """The same database by a connection that is never silently unencrypted, for targets without a policy of their own.

    With a host that isn't local, libpq's default ("prefer") and "allow" become "require"; "disable" is somebody's
    decision, and stays.
    """
    if is_local(target) or target.parameters.get("sslmode", "prefer") not in {"allow", "prefer"}:
        return target
    return replace(target, parameters={**target.parameters, "sslmode": "require"})


def of_a_copy(
    target: ConnectionTarget,
    *,
    ca_certificate: str | None = None,
    mode: str | None = None,
    private_folder: Path,
    named: str,
    accept_off: bool = False,
    section: str,
) -> ConnectionTarget:
    """A server that only copies lie on, by the source's table (`with_tls`); a local one as its connection string says.

    Args:
        target: see `with_tls`.
        ca_certificate: see `with_tls`.
        mode: see `with_tls`.
        private_folder: see `with_tls`.
        named: see `with_tls`.
        accept_off: see `with_tls`.
        section: of databases.yaml, where an unencrypted connection may be allowed.

    Raises:
        ConfigError: see `with_tls`.
    """
    if is_local(target) and not ca_certificate and not mode:
        return target
    return with_tls(
        target,
        ca_certificate=ca_certificate,
        mode=mode,
        production=False,
        private_folder=private_folder,
        named=named,
        accept_off=accept_off,
        section=section,
    )


def verified(target: ConnectionTarget) -> ConnectionTarget:
    """A provider's server, which must prove who it is by the system's trust store, unless it's a local stand-in.

    Raises:
        ConfigError: the system has no trust store.
    """
    if is_local(target):
        return target
    parameters = {**target.parameters, "sslmode": "verify-full", "sslrootcert": _trust_store()}
    return replace(target, parameters=parameters)


def is_plain_elsewhere(target: ConnectionTarget) -> bool:
    """Whether rows travel unencrypted to or from a host that isn't local, as somebody allowed. Pure."""
    return not is_local(target) and target.parameters.get("sslmode", "prefer") in _MAY_BE_OFF


def is_local(target: ConnectionTarget) -> bool:
    """Whether a connection stays on this machine or in a private network, as far as its hosts' names say. Pure."""
    hosts = target.parameters.get("hostaddr") or target.parameters["host"]
    return all(is_local_host(host) for host in hosts.split(","))


def _unencrypted(target: ConnectionTarget, said_by: str, section: str) -> ConfigError:
    return ConfigError(
        f"{said_by} turns TLS off, and {target.host} is not a local host.",
        meaning="Anyone on the network path could read the password and every row, so nothing was attempted.",
        next_step=f"Set {said_by} to verify (or require). If the network in between is really your own, write "
        f"tls: disable into {section} of databases.yaml.",
    )


def _ssl_mode(mode: str, named: str) -> str:
    try:
        return _SSL_MODE_OF[mode.strip().lower()]
    except KeyError:
        raise ConfigError(
            f"{named} is {mode!r}, which is not one of {', '.join(_SSL_MODE_OF)}.",
            meaning="It's unclear whether the server must be verified, so nothing was attempted.",
            next_step=f"Set {named} to verify, or give the provider's certificates in DB_CA_CERT.",
        ) from None


def _ssl_mode_in_force(target: ConnectionTarget) -> str:
    """The sslmode by the connection string alone."""
    mode = target.parameters.get("sslmode", "disable")
    # libpq verifies the chain under `require` too, as soon as a root certificate is named.
    return "verify-ca" if mode == "require" and "sslrootcert" in target.parameters else mode


def _written(ca_certificate: str, private_folder: Path) -> Path:
    pem = ca_certificate.replace("\\n", "\n").strip() + "\n"
    try:
        ssl.create_default_context(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise ConfigError(
            "DB_CA_CERT is not a list of PEM certificates.",
            meaning="The server could not be verified, so nothing was attempted.",
            next_step="Set it to the text of the provider's CA bundle, from -----BEGIN CERTIFICATE----- to "
            "-----END CERTIFICATE-----, not to a file's name.",
        ) from None
    private_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Named by content: processes that share the folder never overwrite each other's certificates.
    path = private_folder / f"ca-{hashlib.sha256(pem.encode()).hexdigest()[:16]}.pem"
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text(pem)
    unfinished.replace(path)
    return path


def _trust_store() -> str:
    # Python's own answer comes first, because it respects SSL_CERT_FILE.
    candidates = (ssl.get_default_verify_paths().cafile, *_TRUST_STORES)
    for candidate in candidates:
        if candidate is not None and Path(candidate).is_file():
            return candidate
    raise ConfigError(
        "The system has no list of trusted certificates.",
        meaning="The server could not be verified, so nothing was attempted.",
        next_step="Install it (apt install ca-certificates), point SSL_CERT_FILE at one, or give the provider's "
        "certificates in DB_CA_CERT.",
    )
