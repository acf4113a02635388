"""How a secret may be spelled in what programs print: escaped, quoted, encoded, encoded twice, folded over lines."""

import base64
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from html.entities import codepoint2name
from typing import Final
from urllib.parse import quote, quote_plus

# A shorter one is part of ordinary words: removing it everywhere would leave nonsense, and would even give it away.
DISTINCT_CHARACTERS: Final = 6
# JSON in JSON in a shell's quotes has seven before a quotation mark.
_BACKSLASHES: Final = r"(?:\\|%(?:25)*5[Cc]){1,16}"
_CONTROLS: Final = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\a": "a", "\0": "0"}
# Where a program folds its lines: the end of one, and what the next begins with.
_FOLD: Final = r"(?:\\?[ \t]*\r?\n[ \t│|>]*)?"
_BASE64: Final = "A-Za-z0-9+/_-"


@lru_cache(maxsize=64)
def spellings(secret: str, *, folded: bool = False) -> re.Pattern[str]:
    """Finds a secret in text, however it is spelled there.

    Plain; percent-encoded in whole or in part, once or more often; with the escapes of JSON, Python, C and shells, at
    any depth; as HTML entities; as hex; in base64 of either alphabet, wherever it begins in what was encoded; and its
    percent-encoded, JSON and base64 forms in base64 once more. Of a secret of several lines each line counts.

    Args:
        secret: not empty.
        folded: whether lines of the text may end in the middle of it.
    """
    fold = _FOLD if folded else ""
    found = [_characters(secret, fold)]
    lines = [line for line in secret.splitlines() if len(line) >= DISTINCT_CHARACTERS]
    if len(secret.splitlines()) > 1:
        found += [_characters(line, fold) for line in lines]
    for each in dict.fromkeys((secret, *lines)):
        found += _encoded(each, fold)
    return re.compile("|".join(found))


def _characters(secret: str, fold: str) -> str:
    spelled = fold.join(map(_spelled, secret))
    if len(secret) < DISTINCT_CHARACTERS:
        # After a code too: the word before an encoded colon or equals sign is another one.
        return rf"(?:(?<!\w)|(?<=%[0-9A-Fa-f]{{2}})|(?<=\\[nrt])){spelled}(?!\w)"
    return spelled


@lru_cache(maxsize=256)
def _spelled(character: str) -> str:
    """One character, in each spelling of its own."""
    number = ord(character)
    data = character.encode(errors="surrogateescape") if 0xDC80 <= number <= 0xDCFF else _utf8(character)
    percent = "".join(f"%(?:25)*{byte:02X}" for byte in data)
    escaped = [f"U{number:08X}", rf"u\{{0*{number:X}\}}", f"0?{number:03o}"]
    if number < 0x10000:
        escaped.append(f"u{number:04X}")
    if number < 0x100:
        escaped.append(f"x{number:02X}")
    several = []
    if number >= 0x80:
        several = [
            "".join(rf"{_BACKSLASHES}x{byte:02X}" for byte in data),
            "".join(rf"{_BACKSLASHES}{byte:03o}" for byte in data),
        ]
    if number >= 0x10000:
        pair = character.encode("utf-16-be")
        several.append(
            "".join(rf"{_BACKSLASHES}u{int.from_bytes(pair[at : at + 2]):04X}" for at in range(0, 4, 2))
        )
    entities = [f"#0*{number};", f"#x0*{number:X};"]
    if (name := {"'": "apos"}.get(character) or codepoint2name.get(number)) is not None:
        entities.append(f"{name};")
    anyhow = rf"(?:{_BACKSLASHES})?"
    coded = "|".join(
        (
            rf"{anyhow}(?:{percent}|&(?:amp;)*(?:{'|'.join(entities)}))",
            rf"{_BACKSLASHES}(?:{'|'.join(escaped)})",
            *several,
        )
    )
    forms = [f"(?i:{coded})"]
    if character in _CONTROLS:
        forms.append(_BACKSLASHES + _CONTROLS[character])
    if character == " ":
        forms.append(r"\+")
    if character in "'\"":
        other = '"' if character == "'" else "'"
        # Out of a shell's quotes, and into them again.
        for quoting in (f"{character}{other}{character}{other}{character}", character * 3):
            forms.append("".join(anyhow + each for each in quoting))
        forms.append(character * 2)
    forms.append(_BACKSLASHES if character == "\\" else anyhow + re.escape(character))
    return f"(?:{'|'.join(forms)})"


def _encoded(secret: str, fold: str) -> Iterator[str]:
    """The whole of it in hex or base64, and in base64 once more."""
    plain = _utf8(secret)
    if len(secret) < DISTINCT_CHARACTERS:
        # In the middle of a longer text so few characters could be anything.
        alone = _of_both_alphabets(base64.b64encode(plain).decode().rstrip("="), fold)
        yield rf"(?<![{_BASE64}]){alone}(?![{_BASE64}])=*"
        return
    yield f"(?i:{fold.join(plain.hex())})"
    forms = [
        plain,
        quote(plain, safe="").encode(),
        quote(plain).encode(),
        quote_plus(plain).encode(),
        json.dumps(secret)[1:-1].encode(),
        base64.b64encode(plain).rstrip(b"="),
        base64.urlsafe_b64encode(plain).rstrip(b"="),
    ]
    for form in dict.fromkeys(forms):
        for before in range(3):
            text = base64.b64encode(bytes(before) + form).decode().rstrip("=")
            # The characters at its ends share their bits with what is beside it.
            first, last = (0, 2, 3)[before], (before + len(form)) * 8 // 6
            neighbours = rf"[{_BASE64}]?" if before else ""
            # Where one at the end holds the secret's last bits, a line may end before it, and before what fills up.
            before_last = fold if len(text) > last else ""
            yield (
                f"{neighbours}{_of_both_alphabets(text[first:last], fold)}"
                f"(?:{before_last}[{_BASE64}])?(?:{before_last}=){{0,2}}"
            )


def _of_both_alphabets(text: str, fold: str) -> str:
    # What holds it may escape its signs.
    signs = {"+": r"(?:[+-]|%(?:25)*2[Bb]|\\{1,16}u002[Bb])", "/": r"(?:\\{0,16}[/_]|%(?:25)*2[Ff])"}
    return fold.join(signs.get(each, each) for each in text)


def _utf8(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
