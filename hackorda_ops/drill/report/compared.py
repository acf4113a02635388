"""What a drill did compare: a sentence for each thing, and what came of it. Pure."""

from dataclasses import dataclass
from typing import Final

from hackorda_ops.drill.report.words import outcome_of, table_outcome, title_of
from hackorda_ops.drilling.declaration import BRANCH, FILES, KEY_TABLES, SELF_TEST
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.proof.check import Outcome
from hackorda_ops.words import counted

_TOLD_BY_THEIR_CHECK: Final = (FILES, SELF_TEST)


@dataclass(frozen=True)
class Compared:
    """Something that was compared.

    Attributes:
        sentence: what, and by what.
        outcome: what came of it; None where it was only counted.
    """

    sentence: str
    outcome: Outcome | None


def compared(result: DrillResult) -> tuple[Compared, ...]:
    """What a drill did compare, in the order in which people ask.

    Args:
        result: the drill.
    """
    restored = [table for table in result.tables if table.restored_rows is not None]
    branch = [table for table in result.tables if table.branch_rows is not None]
    migrated = [table for table in result.tables if table.migrated_rows is not None]
    found = []
    if restored:
        rows = sum(table.expected_rows for table in restored)
        differs = any(table_outcome(result, each) in ("differs", "missing") for each in result.tables)
        found.append(
            Compared(
                f"Restored tables against the manifest: {len(restored):,} of {len(result.tables):,} "
                f"({counted(rows, 'row')}), by number of rows and by a digest of every row's content.",
                "failed" if differs else "passed",
            )
        )
    if result.sequences_compared:
        differs = any(each.code == "sequence differs" for each in result.findings)
        sequences = counted(result.sequences_compared, "sequence")
        found.append(
            Compared(
                f"{sequences} against the manifest: the value, and whether it was used.",
                "failed" if differs else "passed",
            )
        )
    if branch:
        found.append(
            Compared(
                f"{counted(len(branch), 'table')} of the provider's branch at the artifact's WAL position, "
                "by the same rows and digests.",
                outcome_of(result, BRANCH),
            )
        )
    if result.key_tables:
        key_tables = counted(len(result.key_tables), "key table")
        found.append(Compared(f"{key_tables} against production, read-only.", outcome_of(result, KEY_TABLES)))
    if migrated:
        found.append(
            Compared(f"Rows counted again after the migrations: {counted(len(migrated), 'table')}.", None)
        )
    found.extend(
        # The title says what holds where the check passed.
        Compared(
            f"{title_of(each)}: {each.summary}" if each.outcome == "passed" else each.summary, each.outcome
        )
        for each in result.checks
        if each.name in _TOLD_BY_THEIR_CHECK and each.made
    )
    return tuple(found)
