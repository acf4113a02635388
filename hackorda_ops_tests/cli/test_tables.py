"""Tables as text."""

from io import StringIO

import pytest
from rich.box import ASCII, HEAVY_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hackorda_ops.cli.tables import lines

ROWS = [("2026-11-19", "20261118T210000Z-0a1b2c", "1,234"), ("2026-11-20", "Über—不", "7")]
COLUMNS = ("night", "artifact", "rows#")


def by_rich(columns: tuple[str, ...], rows: list[tuple[str, ...]], width: int) -> list[str]:
    out = StringIO()
    shown = Table()
    for column in columns:
        name = column.removesuffix("#")
        shown.add_column(name, justify="right" if column != name else "left", overflow="fold")
    for row in rows:
        shown.add_row(*map(Text, row))
    Console(file=out, width=width).print(shown)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], []])
def test_a_table_that_fits_looks_as_rich_draws_it(rows: list[tuple[str, ...]]) -> None:
    assert list(lines(COLUMNS, rows, width=120, box=HEAVY_HEAD)) == by_rich(COLUMNS, rows, 120)


def test_a_cell_that_is_too_wide_is_folded_between_words_and_a_word_only_where_it_has_to_be() -> None:
    shown = list(lines(("a", "b#"), [("one two three " + "x" * 30, "12")], width=24, box=ASCII))
    assert all(len(line) <= 24 for line in shown)
    inner = [line.split("|")[1].strip() for line in shown if line.startswith("|") and "-" not in line]
    assert inner == ["a", "one two three", "x" * 15, "x" * 15]
    assert "".join(shown).count("12") == 1


def test_nothing_in_a_cell_reaches_the_terminal_but_text() -> None:
    shown = "\n".join(lines(("a",), [("\x1b[31mred\x07",), ("two\nlines",)], width=40, box=ASCII))
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "two" in shown
    assert "lines" in shown


def test_a_table_of_thousands_is_whole() -> None:
    rows = [(str(number), "why " * 30, str(number)) for number in range(5_000)]
    shown = list(lines(COLUMNS, rows, width=80, box=HEAVY_HEAD))
    assert len([line for line in shown if line.startswith("│") and line[2:6].strip().isdigit()]) == 5_000


def test_what_is_copied_from_a_table_is_never_folded_however_narrow_it_is() -> None:
    shown = list(
        lines(
            ("night", "artifact!", "why"),
            [("2026-11-27", "20261127T231449Z-bfacfb", "one two three " * 9)],
            width=50,
            box=ASCII,
        )
    )
    assert any("20261127T231449Z-bfacfb" in line for line in shown)
    assert len({len(line) for line in shown}) == 1
