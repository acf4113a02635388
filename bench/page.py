"""docs/performance.md: what was measured, on which machine, with a picture."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

from bench.rows import Row

DOCS = Path(__file__).parent.parent / "docs"
_MARK = "<!-- measured: {} -->"
_BAR = 26


def write(rows: Sequence[Row], machine: str, rounds: int) -> None:
    """Puts the measured table into the page, and draws the picture; everything else on the page stays."""
    page = DOCS / "performance.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(_MARK.format("begin"))
    after = rest.partition(_MARK.format("end"))[2]
    measured = "\n".join(
        (
            _MARK.format("begin"),
            f"Measured on {datetime.now(UTC):%-d %B %Y}: {machine}; the middle one of {rounds} rounds, "
            "in which all variants take turns.",
            "",
            *table(rows),
            "",
            "![Each figure beside its goal](performance.svg)",
            _MARK.format("end"),
        )
    )
    page.write_text(f"{before}{measured}{after}", encoding="utf-8")
    (DOCS / "performance.svg").write_text(picture(rows), encoding="utf-8")


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as Markdown."""
    lines = [
        "| What | Figure | Goal | Met | Seconds | Bare tools | Processor | Memory |",
        "|---|--:|--:|---|--:|--:|--:|--:|",
    ]
    for row in rows:
        met = "" if row.goal is None else "yes" if row.met else "**no**"
        lines.append(
            f"| {row.what} | {row.shown} | {row.shown_goal} | {met} | {_seconds(row.seconds)} "
            f"| {_seconds(row.beside_seconds)} | {_seconds(row.cpu_seconds)} | {_megabytes(row.peak_bytes)} |"
        )
    return lines


def picture(rows: Sequence[Row]) -> str:
    """A bar for each row with a goal: how much of its goal it takes; the line is the goal."""
    shares = [(row, row.value / row.goal) for row in rows if row.goal]
    height, width, left = 20 + _BAR * len(shares), 980, 600
    scale = (width - left - 60) / max(2.0, *(share for _, share in shares))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">',
        "<title>Each figure as a share of its goal</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for number, (row, share) in enumerate(shares):
        y = 10 + _BAR * number
        parts += [
            f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{escape(row.what)}</text>',
            f'<rect x="{left}" y="{y + 3}" width="{share * scale:.1f}" height="16" '
            f'fill="{"#2e7d32" if row.met else "#b26a00"}"/>',
            f'<text x="{left + share * scale + 5:.1f}" y="{y + 15}">{escape(row.shown)}</text>',
        ]
    parts += [
        f'<path d="M {left + scale:.1f} 4 V {height - 4}" stroke="#222" stroke-dasharray="4 3"/>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def _megabytes(value: int | None) -> str:
    return "" if value is None else f"{value / 1e6:.0f} MB"
