"""What the command line shows: progress on standard error, tables and verdicts on standard output."""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.box import HEAVY_HEAD
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.text import Text

from hackorda_ops.cli.tables import lines
from hackorda_ops.errors import OpsError
from hackorda_ops.findings import Finding
from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.progress_log import ProgressLog, amount

# Where there's no terminal to measure, tables would be squeezed into 80 columns.
_LOG_COLUMNS = 120

out = Console(highlight=False, width=None if sys.stdout.isatty() else _LOG_COLUMNS)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _LOG_COLUMNS)


@contextmanager
def progress_shown() -> Iterator[OnProgress]:
    """Shows progress: a bar per stage on a terminal, an occasional line elsewhere."""
    if not err.is_terminal:
        # Where nobody watches (cron, CI, a log), an occasional line is more useful than a bar.
        yield ProgressLog(lambda line: print(line, file=sys.stderr, flush=True))
        return
    columns = (
        TextColumn("  {task.description:<14}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[amount]}"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=err) as bars:
        tasks: dict[str, TaskID] = {}
        lock = threading.Lock()

        def show(progress: Progress) -> None:
            with lock:
                if progress.stage not in tasks:
                    tasks[progress.stage] = bars.add_task(progress.stage, total=progress.total, amount="")
                bars.update(
                    tasks[progress.stage],
                    completed=progress.done,
                    total=progress.total,
                    amount=amount(progress),
                )

        yield show
        for task in tasks.values():
            # A stage whose total was unknown is over as well.
            bars.update(task, total=bars.tasks[bars.task_ids.index(task)].completed or 1)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output (`tables.lines`).

    Args:
        title: the table's heading.
        columns: the columns' names: those with "#" at the end hold numbers, those with "!" what is copied from there.
        rows: one cell for each column.
    """
    box = HEAVY_HEAD.substitute(out.options)
    out.print(Text(title, style="bold"), soft_wrap=True)
    top, *others = lines(columns, rows, width=out.width, box=box)
    out.print(Text(top))
    # Rich looks at each of them again: that takes longer than everything else.
    out.file.write("\n".join(others) + "\n")


def verdict(word: str, sentence: str, *, about: str = "", ground: str = "") -> None:
    """A verdict on standard output, coloured by its word: PASS, FAIL or ERROR.

    Args:
        word: the verdict.
        sentence: what it says.
        about: what a FAIL is about, as a clause.
        ground: the colour of that, as "#rrggbb": a ground of its own can be read on any terminal's.
    """
    colour = {"PASS": "green", "FAIL": "red", "ERROR": "yellow"}[word]
    shown = (word, f"bold {colour}")
    if about:
        shown = (f"{word}: {about}", f"bold #ffffff on {ground}")
    out.print(Text.assemble(shown, "  ", sentence), soft_wrap=True)


def findings(found: Sequence[Finding]) -> None:
    """Findings on standard output, each with what to do."""
    for each in found:
        colour = "red" if each.severity == "fatal" else "yellow"
        observed = each.observed.replace("\n", "\n              ")  # a diff stays below its first line
        out.print(
            Text.assemble((f"  {each.severity}: {each.code}: {each.subject}", f"bold {colour}")),
            soft_wrap=True,
        )
        out.print(
            Text(
                f"    expected  {each.expected}\n    observed  {observed}\n"
                f"    meaning   {each.meaning}\n    next step {each.next_step}"
            ),
            soft_wrap=True,
        )


def problem(error: OpsError) -> None:
    """An error on standard error: what happened, what it means, what to do next; then what else went wrong."""
    err.print(Text.assemble(("ERROR  ", "bold yellow"), error.what), soft_wrap=True)
    err.print(Text(f"  What it means: {error.meaning}\n  Next step: {error.next_step}"), soft_wrap=True)
    for also in getattr(error, "__notes__", ()):
        err.print(Text(f"  note: {also}"), soft_wrap=True)
