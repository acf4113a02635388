"""Tables as text: the look of Rich's, at a hundredth of its time, which a list of thousands of artifacts takes."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from rich.box import Box
from rich.cells import cell_len, chop_cells

_PADDING = 2
_LEAST = 3


def lines(columns: Sequence[str], rows: Sequence[Sequence[str]], *, width: int, box: Box) -> Iterator[str]:
    """The lines of a table, the header's first.

    A column whose name ends in "#" holds numbers; one that ends in "!" what is copied from there, and is never folded.

    Args:
        columns: the columns' names.
        rows: one cell for each column; a cell may have several lines.
        width: how many characters a line may have. Wider cells are folded, those of the widest columns first.
        box: what its frame is drawn with.
    """
    names = [name.rstrip("#!") for name in columns]
    right = [name.endswith("#") for name in columns]
    widths = _fitted(
        [max(map(_width, cells)) for cells in zip(names, *rows, strict=True)],
        [name.endswith("!") for name in columns],
        width - (_PADDING + 1) * len(columns) - 1,
    )
    framed = [each + _PADDING for each in widths]

    def drawn(cells: Sequence[str], left: str, between: str, end: str) -> Iterator[str]:
        folded = [_folded(cell, each) for cell, each in zip(cells, widths, strict=True)]
        for number in range(max(map(len, folded))):
            parts = (
                _aligned(each[number] if number < len(each) else "", wide, to_right=to_right)
                for each, wide, to_right in zip(folded, widths, right, strict=True)
            )
            yield f"{left} {f' {between} '.join(parts)} {end}"

    yield box.get_top(framed)
    yield from drawn(names, box.head_left, box.head_vertical, box.head_right)
    yield box.get_row(framed, "head")
    for row in rows:
        yield from drawn(row, box.mid_left, box.mid_vertical, box.mid_right)
    yield box.get_bottom(framed)


def _fitted(widths: Sequence[int], whole: Sequence[bool], room: int) -> list[int]:
    """The widths of columns that have to share a room: the widest give up first, and those that stay whole nothing."""
    found = dict(enumerate(widths))
    gives = [number for number, stays in enumerate(whole) if not stays]
    room -= sum(width for width, stays in zip(widths, whole, strict=True) if stays)
    while gives and sum(found[each] for each in gives) > room:
        widest = max(found[each] for each in gives)
        if widest <= _LEAST:
            break
        next_widest = max((found[each] for each in gives if found[each] < widest), default=_LEAST)
        several = [each for each in gives if found[each] == widest]
        too_much = -(-(sum(found[each] for each in gives) - room) // len(several))
        found.update(dict.fromkeys(several, max(_LEAST, next_widest, widest - too_much)))
    return [found[number] for number in range(len(widths))]


def _width(cell: str) -> int:
    return max(map(cell_len, _shown(cell)), default=0)


def _shown(cell: str) -> list[str]:
    """A cell's lines; nothing in it moves a terminal's cursor or colours its text."""
    if cell.isprintable():
        return [cell]
    return ["".join(each if each.isprintable() else " " for each in line) for line in cell.splitlines()] or [
        ""
    ]


@lru_cache(maxsize=4096)
def _folded(cell: str, width: int) -> list[str]:
    """A cell in lines of a width: broken between words, and within one only where it's longer than a line."""
    found: list[str] = []
    for line in _shown(cell):
        if cell_len(line) <= width:
            found.append(line)
            continue
        room = ""
        for word in line.split(" "):
            together = f"{room} {word}" if room else word
            if cell_len(together) <= width:
                room = together
                continue
            if room:
                found.append(room)
            *whole, room = chop_cells(word, width) or [""]
            found += whole
        found.append(room)
    return found


def _aligned(text: str, width: int, *, to_right: bool) -> str:
    blank = " " * (width - cell_len(text))
    return blank + text if to_right else text + blank
