"""Whether whoever owns this machine could read encrypted artifacts: the identities that lie here, tried on a probe."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from hackorda_ops.age.data_key import new_data_key, unwrapped
from hackorda_ops.age.identities import Identities, parse_identities
from hackorda_ops.age.recipients import read_recipients
from hackorda_ops.age.streams import NotOpened
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.sealing.identity import identity_of
from hackorda_ops.words import named

Reads = Literal["everything", "nothing", "unknown"]

# Where age, sops and ssh keep them by default, below the home folder of the user that runs this.
_WELL_KNOWN: Final = (
    ".config/age/identity.txt",
    ".config/age/keys.txt",
    ".config/sops/age/keys.txt",
    ".ssh/id_ed25519",
    ".ssh/id_rsa",
)
_MARKS: Final = ("AGE-SECRET-KEY-1", "-----BEGIN OPENSSH PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----")
_LIMIT_BYTES: Final = 256 * 1024


@dataclass(frozen=True)
class Secrecy:
    """What could be read of the artifacts with what is here.

    Attributes:
        reads: how much of them, whoever may read the live database.
        why: in a sentence, without a full stop.
        remedies: what to change, a sentence each.
    """

    reads: Reads
    why: str
    remedies: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """As people read it."""
        return {
            "everything": f"Whoever owns this machine could read every artifact, also of the past: {self.why}.",
            "nothing": f"Whoever owns this machine could read no encrypted artifact: {self.why}.",
            "unknown": f"Whether whoever owns this machine could read encrypted artifacts is not known: {self.why}.",
        }[self.reads]


def secrecy_of(protected: Protected) -> Secrecy:
    """Looks for identities where databases.yaml names one, in the environment, and where tools keep theirs.

    Each is tried on a probe that is encrypted to the recipients of tonight. No artifact is read, nothing that an
    identity consists of is repeated, and a command that prints one isn't run.

    Args:
        protected: the database.
    """
    policy = protected.policy
    if not policy.encrypt_to:
        return Secrecy(
            "everything",
            "they aren't encrypted",
            ("Encrypt them: name recipients in encrypt_to, and keep their identities on another machine.",),
        )
    try:
        probe = new_data_key().wrapped(read_recipients(policy.encrypt_to))
    except OpsError as error:
        return Secrecy("unknown", error.what.rstrip("."))
    opening = [each.origin for each in _identities(protected) if _opens(each, probe)]
    if opening:
        return Secrecy(
            "everything",
            f"{named(opening)} opens what is encrypted to the recipients of encrypt_to",
            (
                "Take the identity away from this machine: drill and restore on another, or keep it in a password "
                "manager that asks. Then encrypt to a new one (encrypt_to), and `hackorda-ops rewrap`.",
            ),
        )
    if policy.identity is not None and policy.identity.command:
        return Secrecy(
            "unknown",
            "identity.command prints one, to whoever it answers here",
            ("See to it that the command asks somebody each time; it wasn't run for this.",),
        )
    return Secrecy("nothing", "no identity that opens them was found here")


def _opens(identities: Identities, probe: bytes) -> bool:
    try:
        unwrapped(probe, identities)
    except NotOpened:
        return False
    return True


def _identities(protected: Protected) -> Iterator[Identities]:
    """Whatever can be used as one; what can't, such as a key with a passphrase, is left out."""
    named_here = protected.policy.identity
    if named_here is not None and not named_here.command:
        with suppress(OpsError):
            yield identity_of(protected)
    given_there = named_here.env if named_here is not None else None
    for origin, text in (*_in_variables(protected.environ, given_there), *_in_files(protected.environ)):
        try:
            yield parse_identities(text, origin=origin)
        except OpsError:
            continue


def _in_variables(environ: Mapping[str, str], known: str | None) -> Iterator[tuple[str, str]]:
    for variable, value in environ.items():
        if variable != known and any(mark in value for mark in _MARKS):
            yield f"${variable}", value.replace("\\n", "\n")


def _in_files(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    home = environ.get("HOME")
    paths = [Path(home) / each for each in _WELL_KNOWN] if home else []
    if elsewhere := environ.get("SOPS_AGE_KEY_FILE"):
        paths.append(Path(elsewhere))
    for path in paths:
        try:
            with path.open("rb") as file:
                yield str(path), file.read(_LIMIT_BYTES).decode("utf-8", "replace")
        except OSError:
            continue
