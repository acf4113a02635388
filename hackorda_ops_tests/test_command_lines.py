"""Every `hackorda-ops …` that a page or a message of the product prints is one that the command line takes."""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.exceptions import Exit, TyperException

import hackorda_ops
from hackorda_ops.cli.commands import LISTED, loaded

REPOSITORY = Path(__file__).parents[1]
PACKAGE = Path(hackorda_ops.__file__).parent
PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md")))
_FENCED = re.compile(r"^ *```[a-z]*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
# What stands for a value, where the command looks at the value.
_PLACEHOLDERS = {"TIME": "2026-11-27T03:15:00+05:00", "DATE": "2026-11-27", "X": "2026-11-27"}


def printed(text: str) -> Iterator[str]:
    """The lines and the spans of a page that are code."""
    for block in _FENCED.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    prose = _FENCED.sub("", text)
    yield from (line for line in prose.splitlines() if line.startswith("    "))
    yield from re.findall(r"`([^`\n]+)`", prose)


def command_lines(code: str) -> Iterator[list[str]]:
    """The words after `hackorda-ops` of each command in a line."""
    try:
        words = shlex.split(code, comments=True)
    except ValueError:  # an apostrophe in a sentence
        return
    current: list[str] | None = None
    for word in [*words, ";"]:
        if word in {"&&", "||", "|", ";", ">", ">>"}:
            if current is not None:
                yield current
            current = None
        elif current is not None:
            current.append(_PLACEHOLDERS.get(word, word))
        elif Path(word).name == "hackorda-ops":
            current = []


@cache
def commands() -> dict[str, Any]:
    return {listed.name: loaded(listed) for listed in LISTED}


def complaint(words: list[str]) -> str | None:
    """Why the command line would not take these words; None if it would."""
    command: Any = None
    parts, rest = commands(), list(words)
    while rest and parts and not rest[0].startswith("-"):
        if rest[0] not in parts:
            return f"there is no command {rest[0]!r}"
        command = parts[rest.pop(0)]
        parts = getattr(command, "commands", {})
    if not rest or command is None:
        return None  # a command that is only named
    try:
        command.make_context(command.name, rest)
    except Exit:
        return None
    except TyperException as error:
        return str(error)
    return None


def wrong_in(lines: Iterator[str]) -> list[tuple[str, str]]:
    return [
        (shlex.join(words), why)
        for line in lines
        if "hackorda-ops " in line and "…" not in line
        for words in command_lines(line)
        if (why := complaint(words)) is not None
    ]


def texts(path: Path) -> Iterator[str]:
    """The strings of a module, as they read with an X for each value that is filled in."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_a_page_prints_only_commands_that_there_are(page: Path) -> None:
    assert wrong_in(printed(page.read_text(encoding="utf-8"))) == []


def test_messages_of_the_product_name_only_commands_that_there_are() -> None:
    wrong = {
        path.relative_to(PACKAGE).as_posix(): found
        for path in sorted(PACKAGE.rglob("*.py"))
        if (found := wrong_in(span for text in texts(path) for span in re.findall(r"`([^`\n]+)`", text)))
    }
    assert wrong == {}


def test_many_command_lines_are_found() -> None:
    in_pages = [line for page in PAGES for line in printed(page.read_text(encoding="utf-8"))]

    assert sum(1 for line in in_pages for _ in command_lines(line)) > 100


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("hackorda-ops dump NAME --new-source && hackorda-ops dumb", "no command 'dumb'"),
        ("hackorda-ops cutover rehearsed", "no command 'rehearsed'"),
        ("/usr/bin/hackorda-ops dump NAME --no-such-option", "No such option"),
        ("hackorda-ops status --html", "requires an argument"),
        ("hackorda-ops dump NAME ANOTHER", "unexpected extra argument"),
    ],
)
def test_a_command_line_that_is_wrong_is_noticed(line: str, why: str) -> None:
    [(_, said)] = wrong_in(iter([line]))

    assert why in said


def every(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    yield " ".join(path), command
    for name, part in getattr(command, "commands", {}).items():
        yield from every(part, (*path, name))


def test_each_command_has_help_that_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    found = [each for name, command in commands().items() for each in every(command, ("hackorda-ops", name))]

    assert len(found) > 30
    for path, command in found:
        with pytest.raises(Exit):
            command.make_context(path, ["--help"])

        shown = " ".join(re.sub(r"[^\w\s.,:;'-]", " ", capsys.readouterr().out).split())
        [first, *_] = re.sub(r"[^\w\s.,:;'-]", " ", command.help).split(".")
        assert f"Usage: {path}" in shown
        assert " ".join(first.split()) in shown, path
