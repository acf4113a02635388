"""What recipients look like, without loading what can use them. Pure."""

import re
from typing import Final

# The length of an X25519 recipient is fixed; those of plugins are not supported.
_RECIPIENT: Final = re.compile(
    r"age1[02-9ac-hj-np-z]{58}|ssh-(?:ed25519|rsa) [A-Za-z0-9+/]{32,}={0,3}(?: .*)?"
)


def is_recipient(text: str) -> bool:
    """Whether a text has the form of a recipient: "age1…", "ssh-ed25519 …" or "ssh-rsa …"."""
    return _RECIPIENT.fullmatch(text) is not None
