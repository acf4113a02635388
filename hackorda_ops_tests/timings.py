"""How long the tests take, by folder: `python -m hackorda_ops_tests.timings [BEFORE.xml] AFTER.xml` prints a table.

A file is what `pytest --junit-xml=FILE` leaves. Seconds are those of the tests with their set-up and tear-down, added
up over all workers: with three of them the whole takes about a third as long. Where a run is timed on a busy machine
its seconds are longer than on an idle one; compare two runs of the same machine only.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from xml.etree import ElementTree as ET

# Run as a program, its own name is "__main__".
PACKAGE = str(__package__)
TOP = "(top)"


@dataclass(frozen=True)
class Timings:
    """What a run took.

    Attributes:
        tests: how many, by folder.
        seconds: of theirs, by folder.
    """

    tests: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @classmethod
    def read(cls, junit: Path) -> Self:
        """Adds up what a JUnit file has."""
        timings = cls()
        for case in ET.parse(junit).iter("testcase"):
            folder = folder_of(case.get("classname", ""))
            timings.tests[folder] += 1
            timings.seconds[folder] += float(case.get("time", "0"))
        return timings


def folder_of(classname: str) -> str:
    """The folder below the package that a test's module is in."""
    _, _, module = classname.partition(f"{PACKAGE}.")
    folder, _, rest = module.partition(".")
    return folder if rest else TOP


def table(runs: Sequence[Timings]) -> Iterator[str]:
    """The lines of a Markdown table: of one run, or of one before and one after.

    Args:
        runs: the tests counted are those of the last.
    """
    headings = ["seconds"] if len(runs) == 1 else ["seconds before", "seconds after"]
    yield f"| Folder | Tests | {' | '.join(map(str.capitalize, headings))} |"
    yield "|---" + "|--:" * (len(runs) + 1) + "|"
    last = runs[-1]
    for folder in sorted(
        {folder for run in runs for folder in run.tests}, key=lambda each: -last.seconds[each]
    ):
        yield _row(f"`{folder}`", last.tests[folder], [run.seconds[folder] for run in runs])
    yield _row("**all**", last.tests.total(), [sum(run.seconds.values()) for run in runs])


def _row(name: str, tests: int, seconds: Sequence[float]) -> str:
    return f"| {name} | {tests} | {' | '.join(f'{each:,.0f}' for each in seconds)} |"


if __name__ == "__main__":
    print("\n".join(table([Timings.read(Path(name)) for name in sys.argv[1:]])))
