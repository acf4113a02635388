"""Passwords, kept out of every message."""

import re
from collections.abc import Iterable
from typing import Final

_HIDDEN: Final = "***"
# Up to the last @ of the word: an unencoded @ or / in the password belongs to the password.
_URL_PASSWORD: Final = re.compile(r"(\w://[^\s:/@]*:)\S*@")
# A shorter one is part of ordinary words: removing it everywhere would leave nonsense, and would even give it away.
_DISTINCT_CHARACTERS: Final = 6
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
        text: what is to be shown.
        secrets: the known ones; None and empty ones are ignored.
    """
    for secret in secrets:
        if secret:
            text = _any_spelling(secret).sub(_HIDDEN, text)
    return text


def _any_spelling(password: str) -> re.Pattern[str]:
    """Finds a password plain, percent-encoded in whole or in part, or with quotes escaped."""

    def spelled(character: str) -> str:
        encoded = "".join(f"%{byte:02X}" for byte in character.encode(errors="surrogateescape"))
        spellings = [re.escape(character), f"(?i:{encoded})"]
        if character in "'\"\\":
            spellings += [re.escape("\\" + character), re.escape(character * 2)]
        return f"(?:{'|'.join(reversed(spellings))})"

    found = "".join(map(spelled, password))
    if len(password) < _DISTINCT_CHARACTERS:
        # After a percent code too: the word before an encoded colon or equals sign is another one.
        found = rf"(?:(?<!\w)|(?<=%[0-9A-Fa-f]{{2}})){found}(?!\w)"
    return re.compile(found)
