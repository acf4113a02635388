"""Markdown that shows text literally, whatever it contains."""

import re
from collections.abc import Iterable, Sequence

from hackorda_ops.words import visible

_SPECIAL = re.compile(r"([\\`*_\[\]#|~&<>])")


def escaped(text: str) -> str:
    """Text that Markdown shows literally, on one line, even inside a table."""
    return _SPECIAL.sub(r"\\\1", " ".join(visible(text).split()))


def fenced(text: str) -> str:
    """A block that is shown literally; empty for no text."""
    if not text.strip():
        return ""
    # A fence ends at the first line of as many backticks, so ours has one more than any inside.
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{visible(text).rstrip()}\n{fence}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; columns whose name ends in "#" hold numbers."""
    head = f"| {' | '.join(column.removesuffix('#') for column in columns)} |"
    rule = f"|{'|'.join('--:' if column.endswith('#') else ':--' for column in columns)}|"
    return "\n".join((head, rule, *(f"| {' | '.join(escaped(cell) for cell in row)} |" for row in rows)))
