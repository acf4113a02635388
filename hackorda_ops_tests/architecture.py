"""Draws the rooms of the package from its own imports: python -m hackorda_ops_tests.architecture

Writes docs/architecture.svg, and the table of rooms in docs/architecture.md.
"""

import ast
import textwrap
import tomllib
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

import hackorda_ops

PACKAGE = Path(hackorda_ops.__file__).parent
ROOT = PACKAGE.parent
PICTURE = ROOT / "docs" / "architecture.svg"
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms: begin -->", "<!-- rooms: end -->"

_GAP = 12
_WIDTH = 1120
_LINE_HEIGHT = 15
_CHARACTER_WIDTH = 6.3


@dataclass(frozen=True)
class Room:
    """A folder of the package, or a module at its top.

    Attributes:
        name: as it is imported, below the package.
        holds: the first sentence of its docstring.
        uses: the other rooms that it imports directly.
    """

    name: str
    holds: str
    uses: tuple[str, ...]


def layers() -> tuple[tuple[str, ...], ...]:
    """The layers that import-linter holds the package to, from the top to the ground."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = configuration["tool"]["importlinter"]["contracts"]
    [contract] = [each for each in contracts if each.get("containers") == ["hackorda_ops"]]
    return tuple(
        tuple(name.strip() for name in line.replace(":", "|").split("|")) for line in contract["layers"]
    )


@cache
def rooms() -> dict[str, Room]:
    """Every room, by its name."""
    tops = [path for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    return {
        room.name: room
        for room in map(_read, sorted(tops))
        if room.name != "__init__"  # the package's own docstring
    }


def _read(top: Path) -> Room:
    files = sorted(top.rglob("*.py")) if top.is_dir() else [top]
    face = top / "__init__.py" if top.is_dir() else top
    holds = (ast.get_docstring(ast.parse(face.read_text())) or "").split("\n\n")[0].replace("\n", " ")
    used = {name for file in files for name in _imported(ast.parse(file.read_text()))}
    return Room(top.stem, holds, tuple(sorted(used - {top.stem})))


def _imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "hackorda_ops":
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hackorda_ops."):
            found.add(str(node.module).split(".")[1])
    return found


def picture() -> str:
    """The layers as an SVG: a row each, the top one first."""
    drawn, y = [], _GAP
    for layer in layers():
        width = (_WIDTH - _GAP * (len(layer) + 1)) / len(layer)
        texts = [textwrap.wrap(rooms()[name].holds, int((width - 16) / _CHARACTER_WIDTH)) for name in layer]
        height = 30 + _LINE_HEIGHT * max(map(len, texts))
        for column, (name, text) in enumerate(zip(layer, texts, strict=True)):
            x = _GAP + column * (width + _GAP)
            drawn.append(
                f'<rect x="{x:.0f}" y="{y}" width="{width:.0f}" height="{height}" rx="6" class="room"/>'
                f'<text x="{x + 8:.0f}" y="{y + 18}" class="name">{escape(name)}</text>'
            )
            drawn += [
                f'<text x="{x + 8:.0f}" y="{y + 34 + line * _LINE_HEIGHT}">{escape(words)}</text>'
                for line, words in enumerate(text)
            ]
        y += height + _GAP
    style = (
        "text{font:12px sans-serif;fill:#24292f}.name{font-weight:bold;font-size:13px}"
        ".room{fill:#f6f8fa;stroke:#8c959f}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" role="img" '
        'aria-label="The rooms of the package, each above those that it may import">\n'
        f'<style>{style}</style>\n<rect width="{_WIDTH}" height="{y}" fill="#ffffff"/>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def table() -> str:
    """The rooms as a table, the top layer first, each with those that it imports."""
    lines = ["| room | what it holds | imports |", "|---|---|---|"]
    for name in (name for layer in layers() for name in layer):
        room = rooms()[name]
        lines.append(f"| `{name}` | {room.holds} | {', '.join(room.uses) or 'nothing of the package'} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with its table of rooms written anew."""
    head, _, rest = text.partition(BEGIN)
    return f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PICTURE.write_text(picture())
    PAGE.write_text(page(PAGE.read_text()))
