"""Output meant for a terminal, as plain text."""

import sys

import pytest

from hackorda_ops.processes import child
from hackorda_ops.redaction.plain_text import plain


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("applying 0005_labels", "applying 0005_labels"),
        ("a\tb", "a\tb"),
        ("\x1b[31mERROR\x1b[0m relation missing", "ERROR relation missing"),
        ("\x1b[38;2;255;0;0mred\x1b[m", "red"),
        ("\x9b1mbold\x9b0m", "bold"),
        ("\x1b]0;npm run migrate\x07done", "done"),
        ("\x1b]8;;https://example.com\x1b\\a link\x1b]8;;\x1b\\", "a link"),
        ("\x1b[2K\x1b[1Gapplied", "applied"),
        ("\x1b[?25l⠋ migrating\x1b[?25h", "⠋ migrating"),
        ("10 %\r50 %\r100 %", "100 %"),
        ("done\r", "done"),
        ("10 %\r\x1b[K", "10 %"),
        ("ab\b\bcd", "cd"),
        ("\x1bPq#0\x1b\\after", "after"),
        ("\x1b(Btext\x1b7", "text"),
        ("cut\x1b[", "cut"),
        ("bell\x07", "bell"),
        ("ошибка: übel", "ошибка: übel"),
    ],
)
def test_a_line_is_what_a_terminal_would_have_shown(line: str, shown: str) -> None:
    assert plain(line) == shown


def test_a_childs_lines_are_plain_before_secrets_are_looked_for_in_them() -> None:
    said: list[str] = []
    program = r"print('\x1b[32mpass\x1b[0mword\x1b]0;title\x07 10 %\r20 % pass\x1b[1mword')"
    child.run(
        [sys.executable, "-c", program],
        environment={},
        on_stdout_line=said.append,
        redact=lambda text: text.replace("password", "***"),
        deadline_seconds=60,
    )
    assert said == ["20 % ***"]
