"""What programs write for a terminal, as the plain text that it would have shown."""

import re
from typing import Final

_CODES: Final = re.compile(
    r"(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)"  # OSC: titles and links, up to BEL or ST
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c|$)"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|$)"  # CSI: colours, the cursor
    r"|\x1b[ -/]*[0-~]?"  # any other escape, a lone one at the end of a line too
)
# Of the control characters only the tab is text.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def plain(line: str) -> str:
    """A line of a program's output without terminal codes.

    Of progress that rewrites its line (a carriage return) only what was shown last is left. It must be applied
    before secrets are looked for: a code may be in the middle of one.
    """
    if line.isprintable():
        return line
    shown = [
        text for part in _CODES.sub("", line).split("\r") if (text := _CONTROLS.sub("", _typed(part))).strip()
    ]
    return shown[-1] if shown else ""


def _typed(text: str) -> str:
    """The text after its backspaces."""
    if "\b" not in text:
        return text
    kept: list[str] = []
    for character in text:
        if character != "\b":
            kept.append(character)
        elif kept:
            kept.pop()
    return "".join(kept)
