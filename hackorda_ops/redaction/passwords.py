"""Passwords, kept out of every message."""

import re
from collections.abc import Iterable
from typing import Final

from hackorda_ops.redaction.spellings import spellings

_HIDDEN: Final = "***"
# Up to the last @ of the word: an unencoded @ or / in the password belongs to the password.
_URL_PASSWORD: Final = re.compile(r"(\w://[^\s:/@]*:)\S*@")
_QUOTED: Final = r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*\""""
_NAMED_PASSWORD: Final = re.compile(
    rf"""(pass(?:word|wd)["']?(?:\s*[=:]\s*|\s+(?=')))(?:{_QUOTED}|\S+)""",
    re.IGNORECASE,
)


def without_passwords(text: str, passwords: Iterable[str | None]) -> str:
    """Removes every password: the known ones in any spelling, those in URLs, and what follows `password`.

    It removes too much rather than too little: everything between a URL's user and its last `@`, and the whole
    word or quoted string after `password=`, `password:` or SQL's `PASSWORD '…'`.

    Args:
        text: what is to be shown.
        passwords: the known ones; None and empty ones are ignored.
    """
    text = without_secrets(text, passwords)
    text = _URL_PASSWORD.sub(rf"\1{_HIDDEN}@", text)
    return _NAMED_PASSWORD.sub(rf"\1{_HIDDEN}", text)


def without_secrets(text: str, secrets: Iterable[str | None]) -> str:
    """Removes known secrets in any spelling; one of a few characters only where it isn't part of a longer word.

    Args:
        text: what is to be shown; where it has several lines, a secret may be folded over them.
        secrets: the known ones; None and empty ones are ignored.
    """
    for secret in secrets:
        if secret:
            text = spellings(secret, folded="\n" in text).sub(_HIDDEN, text)
    return text
