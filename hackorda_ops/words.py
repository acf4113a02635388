"""Numbers, times and text as people read them, wherever the product shows them."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime

# Shown in a table where there is no number.
NOTHING = "\N{EN DASH}"

# Colours and cursor movements, which migration tools print as if to a terminal.
_TERMINAL_CODE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_LINE_CHARACTERS = "\n\t"


def counted(number: int, noun: str) -> str:
    """A number and its noun: "1 row", "12,000 rows"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def named(names: Iterable[object], shown: int = 10, between: str = ", ") -> str:
    """Names in a row, up to a number: "a, b, c and 12 more".

    Args:
        names: all of them.
        shown: how many are written out.
        between: what separates them.
    """
    every = list(map(str, names))
    more = len(every) - shown
    return between.join(every[:shown]) + (f" and {more:,} more" if more > 0 else "")


def shortened(lines: Iterable[str], shown: int, rest: str = "and {} more") -> tuple[str, ...]:
    """Lines up to a number, and then one that says how many were left out.

    Args:
        lines: all of them.
        shown: how many are kept.
        rest: the last line, with {} where the number goes.
    """
    every = tuple(lines)
    more = len(every) - shown
    return (*every[:shown], rest.format(f"{more:,}")) if more > 0 else every


def duration(seconds: float) -> str:
    """Seconds as people read them: "0.4 s", "2 min 14 s", "6 h 2 min", "3 d 4 h"."""
    # Rounded before it is split, or 59.99 minutes would read "59 min 60 s".
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for least_seconds, size_seconds, name, smaller_seconds, smaller in (
        # Objectives are set in hours, so a day is "24 h".
        (172_800, 86_400, "d", 3_600, "h"),
        (3_600, 3_600, "h", 60, "min"),
        (60, 60, "min", 1, "s"),
    ):
        if whole >= least_seconds:
            large, rest = divmod(whole, size_seconds)
            small = rest // smaller_seconds
            return f"{large:,} {name} {small} {smaller}" if small else f"{large:,} {name}"
    return f"{whole} s"


def size(size_bytes: float) -> str:
    """Bytes as people read them: "12.3 MB"."""
    if round(size_bytes) < 1000:
        return f"{size_bytes:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size_bytes /= 1000
        # Rounded before the unit is chosen, or 999,960 bytes would read "1000.0 kB".
        if round(size_bytes, 1) < 1000:
            return f"{size_bytes:.1f} {unit}"
    return f"{size_bytes / 1000:.1f} TB"


def moment(when: datetime) -> str:
    """A time in UTC, labelled as such."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def visible(text: str) -> str:
    """Text without what could hide or reorder other text: terminal codes, control characters.

    Line breaks and tabs stay. Names come from databases, and some may be crafted to deceive.
    """
    plain = _TERMINAL_CODE.sub("", text.replace("\r\n", "\n"))
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if character not in _LINE_CHARACTERS and unicodedata.category(character) in {"Cc", "Cs"}
        else f"\\u{ord(character):04x}"
        if unicodedata.bidirectional(character)
        in {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
        else character
        for character in plain
    )
