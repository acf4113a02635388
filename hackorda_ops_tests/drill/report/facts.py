"""What is true of a drill, from the values of its result alone: what its report is held against."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hackorda_ops.drill.checks.registry import all_checks
from hackorda_ops.drilling.result import DrillResult, TableResult
from hackorda_ops.finding_kinds import KINDS

TITLES = {each.name: each.title for each in all_checks()}


def at(when: datetime) -> str:
    """A moment as reports write it."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


@dataclass(frozen=True)
class Facts:
    """What is true of a drill.

    Attributes:
        result: the drill.
        past: the drills before it, oldest first.
    """

    result: DrillResult
    past: Sequence[DrillResult]

    # What happened, from the values alone.

    def outcome(self, name: str) -> str:
        """What came of a check; "" where there is none of that name."""
        return next((each.outcome for each in self.result.checks if each.name == name), "")

    @property
    def restored(self) -> str:
        """What came of the comparison with the manifest."""
        return self.outcome("restored_equals_manifest")

    @property
    def codes(self) -> set[str]:
        """Of what decides the verdict."""
        return {each.code for each in self.result.findings if KINDS[each.code].severity == "fatal"}

    @property
    def early(self) -> bool:
        """Whether something was not reached."""
        return any(each.outcome == "not reached" for each in self.result.checks)

    @property
    def own(self) -> list[tuple[str, str]]:
        """What speaks against this artifact: code and next step of each finding, newer artifacts' left out."""
        artifact = self.result.artifact.artifact_id if self.result.artifact else ""
        newer = re.compile(rf"shop/(?!{artifact or 'none'})\d{{8}}T\d{{6}}Z-[0-9a-f]{{6}}")
        return [
            (each.code, each.next_step)
            for each in self.result.findings
            if KINDS[each.code].severity == "fatal"
            and (each.code != "artifact damaged" or not newer.fullmatch(each.subject))
        ]

    @property
    def bad(self) -> bool:
        """Whether a restore of this artifact brings back something else than was backed up, or nothing."""
        harmless = {"production", "migrations", "time"}
        return self.result.verdict == "FAIL" and any(
            KINDS[code].about not in harmless for code, _ in self.own
        )

    @property
    def needs_another(self) -> bool:
        """Whether something else has to be restored."""
        return self.bad or (self.result.verdict == "FAIL" and self.result.artifact is None)

    @property
    def read(self) -> list[TableResult]:
        """The tables that were read on the restored copy."""
        return [each for each in self.result.tables if each.restored_rows is not None]

    @property
    def newer_only(self) -> bool:
        """Whether nothing speaks against the artifact, but against newer ones."""
        return self.result.verdict == "FAIL" and bool(self.codes) and not self.own

    def about(self, *causes: str) -> bool:
        """Whether a fatal finding of its own is about one of these."""
        return any(KINDS[code].about in causes for code, _ in self.own)

    def came_back(self, table: TableResult) -> str:
        """What became of a table."""
        if (table.restored_rows, table.restored_digest) == (table.expected_rows, table.expected_digest):
            return "equal"
        codes = {each.code for each in self.result.findings if each.subject == table.table}
        if table.restored_rows is not None:
            return "differs" if codes & {"rows differ", "keys differ"} else "differs, no finding"
        if codes & {"table missing", "keys missing"}:
            return "missing"
        return "not reached" if self.restored == "not reached" else "not read"

    def titles(self, outcome: str) -> str:
        """The titles of the checks with this outcome, as a sentence has them."""
        found = [TITLES[each.name] for each in self.result.checks if each.outcome == outcome]
        return "; ".join(title[0].lower() + title[1:] for title in found)

    def count(self, outcome: str) -> int:
        """How many checks had this outcome."""
        return sum(each.outcome == outcome for each in self.result.checks)
