"""What to write where databases.yaml isn't YAML: the parser's words, for whoever doesn't know its grammar."""

from dataclasses import dataclass
from typing import Final

import yaml


@dataclass(frozen=True)
class _Trap:
    """A mistake that people make.

    Attributes:
        context: what the parser says it was doing; part of it.
        problem: what the parser says is wrong; part of it.
        what: what that means; {opened}: the line on which it began.
        remedy: what to write instead.
        before: what stands before it on the same line; part of it.
    """

    context: str
    problem: str
    what: str
    remedy: str
    before: str = ""


_ALIAS: Final = "an asterisk at the beginning of a value refers to another place of the file (an alias)"
_QUOTE_ASTERISK: Final = 'Put the value in quotes: "* * * * *", or "*_log".'
_NO_COLON: Final = "Write `key: value`, with a space after the colon."

# The first that fits is taken.
_TRAPS: Final = (
    _Trap("an alias", "", _ALIAS, _QUOTE_ASTERISK),
    _Trap("", "undefined alias", _ALIAS, _QUOTE_ASTERISK),
    _Trap(
        "",
        "'\\t' that cannot start any token",
        "the line is indented with a tab, which YAML doesn't allow",
        "Use spaces: two for each level.",
    ),
    _Trap(
        "",
        "cannot start any token",
        "a value may not begin with this character",
        "Put the value in quotes.",
    ),
    _Trap(
        "",
        "mapping values are not allowed",
        "a value has a colon followed by a space",
        "Put the value in quotes.",
        before=": ",
    ),
    _Trap(
        "",
        "mapping values are not allowed",
        "this key can't be here: the line above it already has a value, or has no space after its colon",
        "Indent it like the keys it belongs to. " + _NO_COLON,
    ),
    _Trap(
        "",
        "expected <block end>",
        "the line is indented by {indent} spaces, and what it seems to belong to begins on line {opened} with "
        "{column}",
        "Indent the keys of one mapping by the same number of spaces.",
    ),
    _Trap("", "could not find expected ':'", "a key has no colon after it", _NO_COLON),
    _Trap(
        "",
        "escape",
        "a backslash in double quotes begins an escape that YAML doesn't know",
        "Put the value in single quotes.",
    ),
    _Trap(
        "quoted scalar",
        "",
        "the quote that opens on line {opened} isn't closed",
        "Close it on the same line.",
    ),
    _Trap(
        "flow sequence",
        "",
        "the bracket that opens on line {opened} isn't closed, or a comma is missing",
        "Close the bracket, and separate what is in it by commas.",
    ),
    _Trap(
        "flow mapping",
        "",
        "the brace that opens on line {opened} isn't closed, or a comma is missing",
        "Close the brace, and separate what is in it by commas.",
    ),
    _Trap(
        "",
        "unhashable",
        "a key is itself a mapping or a list",
        "Fill in the template's placeholder, or put it in quotes.",
    ),
    _Trap(
        "",
        "for the tag",
        "an exclamation mark at the beginning of a value is a tag of YAML's, and none is known here",
        "Put the value in quotes. Environment variables are named by the keys that end in _env.",
    ),
    _Trap(
        "single document",
        "",
        "a line --- begins a second document",
        "Keep everything in one document: remove the line.",
    ),
)


def explained(error: yaml.MarkedYAMLError, lines: list[str]) -> tuple[str, str]:
    """What is wrong, and what to write instead; no value of the file is repeated.

    Args:
        error: the parser's.
        lines: the file's.
    """
    problem, context = error.problem or "", error.context or ""
    mark, opened = error.problem_mark, error.context_mark
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    before = line[: mark.column] if mark else ""
    for each in _TRAPS:
        if each.context in context and each.problem in problem and each.before in before:
            what = each.what.format(
                opened=opened.line + 1 if opened else "",
                column=opened.column if opened else "",
                indent=len(line) - len(line.lstrip()),
            )
            return what, each.remedy
    # What isn't known is not repeated: it may quote a value.
    return "it can't be read as YAML", "Correct that place in the file."
