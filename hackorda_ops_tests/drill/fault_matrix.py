"""What became of a drill at each fault of Neon's API, for the summary that the tests end with."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class Matrix:
    """Outcomes by fault and call."""

    cells: dict[str, dict[str, str]] = field(default_factory=dict)

    def put(self, fault: str, call: str, outcome: str) -> None:
        """Notes what became of the drill."""
        self.cells.setdefault(fault, {})[call] = outcome

    def lines(self) -> Iterator[str]:
        """A Markdown table: a fault a row, a call of the drill a column."""
        calls = list(dict.fromkeys(call for row in self.cells.values() for call in row))
        rows = [["fault", *calls], ["---"] * (len(calls) + 1)]
        rows += [[fault, *(row.get(call, "") for call in calls)] for fault, row in self.cells.items()]
        for each in rows:
            yield f"| {' | '.join(each)} |"


MATRIX = pytest.StashKey[Matrix]()
