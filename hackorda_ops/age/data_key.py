"""An artifact's own key: its files are encrypted to that, and that alone is encrypted to the recipients.

Other recipients need another wrapping of the key, a file of some hundred bytes, and no other data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyrage

from hackorda_ops.age.identities import Identities
from hackorda_ops.age.recipients import parse_recipient
from hackorda_ops.age.streams import NotOpened, decrypt_small


@dataclass(frozen=True)
class DataKey:
    """The key of one artifact.

    Attributes:
        recipient: its public half ("age1…").
        identity: its private half, as pyrage takes it; in no repr.
    """

    recipient: str
    identity: Any = field(repr=False)

    def wrapped(self, recipients: Sequence[str]) -> bytes:
        """Its private half, encrypted to each of the recipients: an age file with an identity in it.

        Raises:
            ConfigError: one of them is no recipient.
        """
        text = f"# public key: {self.recipient}\n{self.identity}\n"
        data: bytes = pyrage.encrypt(text.encode(), [parse_recipient(each) for each in recipients])
        return data


def new_data_key() -> DataKey:
    """A key that nothing was encrypted to yet."""
    identity = pyrage.x25519.Identity.generate()
    return DataKey(str(identity.to_public()), identity)


def unwrapped(data: bytes, identities: Identities) -> DataKey:
    """A wrapped key.

    Raises:
        NotOpened: no identity opens it; or what is in it is no key.
    """
    lines = decrypt_small(data, identities.keys).decode("ascii", "replace").splitlines()
    try:
        [secret] = [line for line in lines if line and not line.startswith("#")]
        identity = pyrage.x25519.Identity.from_str(secret)
    except (ValueError, pyrage.IdentityError):
        raise NotOpened(no_key=False) from None
    return DataKey(str(identity.to_public()), identity)
