"""What several commands show: an artifact's tables, a drill."""

from typing import TYPE_CHECKING

from rich.text import Text

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.calendar.partitions import quarter_name
from hackorda_ops.cli import terminal
from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.drill.report.words import meaning, next_step

if TYPE_CHECKING:
    from hackorda_ops.drill.quarter import Quarter


def show_tables(title: str, manifest: Manifest) -> None:
    """The rows of every table of an artifact, in the snapshot and in the archive, on standard output."""
    terminal.table(
        title,
        ("table", "rows in snapshot#", "rows in archive#", "content digest"),
        [
            (
                each.name,
                f"{each.counted:,}",
                f"{each.rows:,}",
                f"{each.digest[:12]}…",
            )
            for each in manifest.parts
        ],
    )


def show_drill(held: "Quarter") -> None:
    """A drill on standard output: its checks, what it found, the verdict, where the report is."""
    result = held.result
    terminal.table(
        f"{result.database}, restore drill {quarter_name(result.quarter)}",
        ("check", "outcome", "what it saw"),
        [(check.name, check.outcome, check.summary) for check in result.checks],
    )
    terminal.findings(result.findings)
    for note in (*result.warnings, *held.not_stored):
        terminal.out.print(Text(f"  note: {note}"), soft_wrap=True)
    for page in held.pages:
        terminal.out.print(Text(f"  report: {page}"), soft_wrap=True)
    if result.error is not None:
        error = result.error
        sentence = f"{error.what}\n  What it means: {error.meaning}\n  Next step: {error.next_step}"
    elif result.verdict == "FAIL":
        sentence = f"{meaning(result)}\n  Next step: {next_step(result)}"
    elif result.artifact is not None:
        sentence = (
            f"{result.artifact.location}: {result.artifact.rows:,} rows in {result.artifact.tables} tables"
        )
        if result.recovery_seconds is not None:
            sentence += f", recovered in {result.recovery_seconds:.1f} s"
    else:
        sentence = "There's no artifact to judge."
    if result.verdict == "FAIL":
        follows = consequence_of(result)
        terminal.verdict(result.verdict, sentence, about=follows.headline, ground=follows.colour)
    else:
        terminal.verdict(result.verdict, sentence)
