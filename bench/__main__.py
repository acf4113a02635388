"""What the proof costs: nights, restores, drills, copies and commands beside the bare tools, as ratios of one run.

    python -m bench            every row, and docs/performance.md
    python -m bench --large    5 GB as well
    python -m bench --short    what CI runs: fails where a figure is more than twice its goal

Variants take turns, so that whatever else the machine does falls on all of them; the middle run counts. Each variant is
a process of its own, whose processor time and memory are measured with those of everything that it starts.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from bench import page
from bench.measuring import machine
from bench.rows import Row
from bench.scenes import Bench, commands, fixed_costs, rows_of_data, running_bench, slow_link_rows

_MB = 1_000_000


def measured(bench: Bench, *, short: bool, large: bool) -> Iterator[Row]:
    """Every row, each as it is known."""
    if short:
        yield from rows_of_data(bench, "even", 300 * _MB, whole=False)
        yield from commands(bench, 300)
        return
    for size_bytes in (100 * _MB, 1_400 * _MB, *([5_000 * _MB] if large else [])):
        yield from rows_of_data(bench, "even", size_bytes, whole=size_bytes > _MB * 1_000)
    yield from rows_of_data(bench, "uneven", 1_400 * _MB, whole=False)
    yield from fixed_costs(bench, 5_000)
    yield from commands(bench, 10_000)
    if shutil.which("aws"):
        yield from slow_link_rows(bench, 257 * _MB)


def _show(rows: Sequence[Row], console: Console) -> None:
    shown = Table(title=machine(), title_justify="left")
    for column in ("what", "figure", "goal", "processor", "memory"):
        shown.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        shown.add_row(
            row.what,
            f"[{'green' if row.met else 'red' if row.far_off else 'yellow'}]{row.shown}[/]",
            f"{row.goal:g}",
            "" if row.cpu_seconds is None else f"{row.cpu_seconds:.1f} s",
            "" if row.peak_bytes is None else f"{row.peak_bytes / 1e6:.0f} MB",
        )
    console.print(shown)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints one table and writes the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, help="runs of each variant (3; 1 with --short)")
    parser.add_argument("--large", action="store_true", help="measure 5 GB as well")
    parser.add_argument("--short", action="store_true", help="a few rows in a minute, and no page")
    chosen = parser.parse_args(arguments)
    rounds = chosen.rounds or (1 if chosen.short else 3)
    console = Console(width=None if sys.stdout.isatty() else 140)
    rows: list[Row] = []
    with console.status("Starting servers") as status, running_bench(rounds, status.update) as bench:
        for row in measured(bench, short=chosen.short, large=chosen.large):
            rows.append(row)
            console.print(f"{row.what}: {row.shown}", highlight=False)
    _show(rows, console)
    if not chosen.short:
        page.write(rows, machine(), rounds)
    if far_off := [row.what for row in rows if row.far_off]:
        sys.exit(f"More than twice what it may take: {'; '.join(far_off)}")


if __name__ == "__main__":
    main()
