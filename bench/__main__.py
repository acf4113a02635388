"""What the proof costs: nights, restores, drills, copies and commands beside the bare tools, as ratios of one run.

    python -m bench            every row, and docs/performance.md
    python -m bench --large    5 GB as well
    python -m bench --short    what CI runs: fails where a ratio is more than twice its goal

Variants take turns, so that whatever else the machine does falls on all of them; the middle run counts. Each variant is
a process of its own, whose processor time and memory are measured with those of everything that it starts.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from bench import page
from bench.commands import commands
from bench.data import EVERYTHING, NIGHT, WITH_RESTORES, fixed_costs, rows_of_data
from bench.measuring import machine
from bench.rows import Row
from bench.running import Bench, running_bench
from bench.transfers import slow_link_rows

_MB = 1_000_000


def measured(bench: Bench, *, short: bool, large: bool) -> Iterator[Row]:
    """Every row, each as it is known."""
    if short:
        yield from rows_of_data(bench, "even", 1_400 * _MB, WITH_RESTORES)
        yield from commands(bench, 300)
        return
    yield from rows_of_data(bench, "even", 100 * _MB, NIGHT)
    yield from rows_of_data(bench, "even", 1_400 * _MB, EVERYTHING)
    yield from rows_of_data(bench, "uneven", 1_400 * _MB, NIGHT)
    if large:
        yield from rows_of_data(replace(bench, rounds=1), "even", 5_000 * _MB, EVERYTHING)
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
            row.shown_goal,
            "" if row.cpu_seconds is None else f"{row.cpu_seconds:.1f} s",
            "" if row.peak_bytes is None else f"{row.peak_bytes / 1e6:.0f} MB",
        )
    console.print(shown)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints one table and writes the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, help="runs of each variant (3)")
    parser.add_argument("--large", action="store_true", help="measure 5 GB as well")
    parser.add_argument("--short", action="store_true", help="a few rows in four minutes, and no page")
    chosen = parser.parse_args(arguments)
    rounds = chosen.rounds or 3
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
