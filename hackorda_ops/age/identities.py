"""Identities: the private keys that open what was encrypted. They are in no repr, no message and no log."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyrage

from hackorda_ops.errors import ConfigError

_SECRET: Final = "AGE-SECRET-KEY-1"  # noqa: S105  # what each begins with
_PRIVATE_KEY: Final = ("-----BEGIN OPENSSH PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----")
_REMEDY: Final = (
    "Give an identity of age-keygen (AGE-SECRET-KEY-1…), or an SSH private key without a passphrase."
)


@dataclass(frozen=True)
class Identities:
    """One identity or several, of which any may open a file.

    Attributes:
        keys: as pyrage takes them.
        origin: where they were given, for messages.
    """

    keys: Sequence[Any] = field(repr=False)
    origin: str


def parse_identities(text: str, *, origin: str) -> Identities:
    """Reads identities: a file of age-keygen's, or an SSH private key.

    Args:
        text: the file's.
        origin: where it was given, for the message.

    Raises:
        ConfigError: it has none, or one that can't be used; the text is never repeated.
    """
    stripped = text.strip()
    if stripped.startswith(_PRIVATE_KEY):
        return Identities((_ssh(stripped, origin),), origin)
    lines = (line.strip() for line in stripped.splitlines())
    found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise ConfigError(
            f"{origin} holds no identity.", meaning="Nothing encrypted can be opened.", next_step=_REMEDY
        )
    return Identities(tuple(_x25519(line, origin) for line in found), origin)


def _x25519(line: str, origin: str) -> Any:
    try:
        if line.startswith(_SECRET):
            return pyrage.x25519.Identity.from_str(line)
    except pyrage.IdentityError:
        pass
    raise ConfigError(
        f"{origin} holds something that is no identity of age.",
        meaning="Nothing encrypted can be opened with it.",
        next_step="Unlock it first, with `identity: {command: …}`: it's an age file itself."
        if line.startswith(("age-encryption.org/", "-----BEGIN AGE"))
        else _REMEDY,
    )


def _ssh(text: str, origin: str) -> Any:
    try:
        return pyrage.ssh.Identity.from_buffer(f"{text}\n".encode())
    except pyrage.IdentityError as error:
        locked = "decrypted" in str(error)
        raise ConfigError(
            f"{origin} holds an SSH private key that {'has a passphrase' if locked else 'is not supported'}.",
            meaning="Nothing encrypted can be opened with it.",
            next_step=_REMEDY,
        ) from None
