"""Keys of receipts: where the private one is read, and how a pair is made."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hackorda_ops.config.receipts import Receipts
from hackorda_ops.errors import ConfigError, UsageError
from hackorda_ops.given import given
from hackorda_ops.hooks.secret import printed_secret
from hackorda_ops.receipts.verify import PublicKey
from hackorda_ops.stores.disk_errors import disk_errors

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_WHAT: Final = "the key of the receipts"
# A PEM file of an Ed25519 key has 119 bytes.
_LIMIT_BYTES: Final = 64 * 1024
_WAIT: Final = "No receipt is signed by it; those that are due wait on this machine."


@dataclass(frozen=True)
class SigningKey:
    """A pair of keys.

    Attributes:
        public: the public one.
    """

    public: PublicKey
    _private: "Ed25519PrivateKey" = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """The signature over a message: 64 bytes."""
        return self._private.sign(message)


def signing_key(section: Receipts, environ: Mapping[str, str]) -> SigningKey | None:
    """The key that receipts are signed with; None where none is configured.

    Args:
        section: where it is.
        environ: where its variable is looked up.

    Raises:
        ConfigError: it isn't there, or isn't an Ed25519 key.
        Stalled, ToolFailed: the command that prints it failed.
    """
    if section.key_env:
        text = given(environ, section.key_env)
        if not text:
            raise ConfigError(
                f"The variable {section.key_env}, which databases.yaml names for {_WHAT}, is not set.",
                meaning=_WAIT,
                next_step=f"Set {section.key_env} where this runs.",
            )
        # Files of variables often can't hold several lines.
        return read_private(text.replace("\\n", "\n").encode(), origin=f"${section.key_env}")
    if section.key_file:
        return read_private_file(section.key_file)
    if section.key_command:
        told = printed_secret(
            section.key_command,
            environ,
            section.pass_env,
            timeout_seconds=section.timeout_seconds,
            what=_WHAT,
        )
        return read_private(told, origin=f"what {section.key_command[0]} printed")
    return None


def read_private_file(path: Path) -> SigningKey:
    """Reads a private key that not everybody can read.

    Raises:
        ConfigError: it isn't there, everybody can read it, or it isn't an Ed25519 key.
    """
    try:
        with path.open("rb") as file:
            open_to = os.fstat(file.fileno()).st_mode & 0o007
            data = file.read(_LIMIT_BYTES)
    except OSError as error:
        raise ConfigError(
            f"The file {path} with {_WHAT} can't be read: {error.strerror}.",
            meaning=_WAIT,
            next_step="Correct the path, or let the user that runs this read it.",
        ) from None
    if open_to:
        raise ConfigError(
            f"Everybody on this machine has rights to {path}, which holds {_WHAT}.",
            meaning=_WAIT,
            next_step=f"chmod 600 {path}. Where others have an account here, change the key (`receipts rotate`).",
        )
    return read_private(data, origin=str(path))


def read_private(data: bytes, *, origin: str) -> SigningKey:
    """Reads a private key.

    Args:
        data: PEM, PKCS #8, without a password.
        origin: where it was, for the message.

    Raises:
        ConfigError: it isn't an Ed25519 key.
    """
    # Takes a quarter of a second to load.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        found = load_pem_private_key(data.strip() + b"\n", password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        found = None
    if not isinstance(found, Ed25519PrivateKey):
        raise ConfigError(
            f"{origin} is not a private Ed25519 key in PEM (PKCS #8) without a password.",
            meaning=_WAIT,
            next_step="`hackorda-ops receipts key FILE` makes one; so does `openssl genpkey -algorithm ed25519`.",
        )
    return SigningKey(PublicKey.of(found.public_key().public_bytes_raw()), found)


def make_pair(path: Path) -> SigningKey:
    """Makes a pair of keys: the private one in a new file for its owner alone, the public one beside it (`.pub`).

    Raises:
        UsageError: there is such a file already.
        StoreRefused, DiskFull: it can't be written.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    private = Ed25519PrivateKey.generate()
    made = SigningKey(PublicKey.of(private.public_key().public_bytes_raw()), private)
    texts = {
        path: private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        public_file(path): made.public.pem.encode(),
    }
    for each in texts:
        if each.exists():
            raise UsageError(
                f"There is a file {each} already.",
                meaning="It was left as it is: a key that is lost can't be made again.",
                next_step="Name another file.",
            )
    for each, text in texts.items():
        with disk_errors(f"write {each}"):
            handle = os.open(each, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
    return made


def public_file(path: Path) -> Path:
    """Where `make_pair` puts the public key of a private one."""
    return path.with_name(f"{path.name}.pub")


def read_public(path: Path) -> PublicKey:
    """Reads a public key.

    Raises:
        ConfigError: it isn't there, or isn't one.
    """
    try:
        with path.open("rb") as file:
            return PublicKey.from_pem(file.read(_LIMIT_BYTES).decode("ascii").replace("\r\n", "\n"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it isn't an Ed25519 public key in PEM"
        raise ConfigError(
            f"The public key {path} can't be used: {why}.",
            meaning="The receipts were not checked.",
            next_step="Name the file that `hackorda-ops receipts key` wrote beside the private key.",
        ) from None


def trusted_ids(section: Receipts, paths: Iterable[Path] = ()) -> tuple[str, ...]:
    """The ids of the keys that are known to be the owner's: those of the configuration, and of these files.

    Raises:
        ConfigError: one can't be read.
    """
    return tuple(read_public(path).id for path in (*section.trusted_keys, *paths))


def verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature is of a public key over a message: as `verify.ed25519_verifies`, but fast.

    Args:
        public_key: 32 bytes.
        signature: 64 bytes.
        message: what was signed.
    """
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
