"""What a report tabulates, in pandas: the comparison of every table, and the trend over past drills.

pandas stays in here. The page and the Markdown get plain records.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from hackorda_ops.calendar.partitions import quarter_name
from hackorda_ops.drill.report.words import data_loss_seconds, table_outcome
from hackorda_ops.drilling.result import DrillResult

# Three years of quarters: as many as a chart can show and a reader can take in.
DRILLS_SHOWN = 12

_COMPARISON = {
    "table": "str",
    "outcome": "str",
    "expected_rows": "Int64",
    "restored_rows": "Int64",
    "migrated_rows": "Int64",
    "branch_rows": "Int64",
    "expected_digest": "str",
    "restored_digest": "str",
    "branch_digest": "str",
}
_TREND = {
    "quarter": "str",
    "drill_id": "str",
    "started_at": "datetime64[us, UTC]",
    "verdict": "str",
    "recovery_seconds": "Float64",
    "recovery_objective_seconds": "Float64",
    "data_loss_seconds": "Float64",
    "rows": "Int64",
    "size_bytes": "Int64",
    "findings": "Int64",
}

Record = dict[str, Any]


def comparison(result: DrillResult) -> pd.DataFrame:
    """One line per table of the manifest; those that aren't equal come first, then by name."""
    rows = [
        (
            table.table,
            table_outcome(result, table),
            table.expected_rows,
            table.restored_rows,
            table.migrated_rows,
            table.branch_rows,
            table.expected_digest,
            table.restored_digest,
            table.branch_digest,
        )
        for table in sorted(result.tables, key=lambda table: (table.equal, table.table))
    ]
    return pd.DataFrame(rows, columns=list(_COMPARISON)).astype(_COMPARISON)


def comparison_csv(result: DrillResult) -> bytes:
    """The comparison as CSV, UTF-8, for spreadsheets."""
    frame = comparison(result)
    frame["table"] = frame["table"].map(_not_a_formula)
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _not_a_formula(text: str) -> str:
    # A spreadsheet runs a cell that begins like this; a schema may be called "=HYPERLINK(...)".
    return f"'{text}" if text[:1] in set("=+-@\t\r") else text


def trend(result: DrillResult, past: Sequence[DrillResult]) -> pd.DataFrame:
    """One line per drill up to this one, oldest first, `DRILLS_SHOWN` at most.

    Args:
        result: the drill that is reported.
        past: other drills of the database, in any order; itself and later ones are left out.
    """
    before = [
        drill for drill in past if drill.started_at < result.started_at and drill.drill_id != result.drill_id
    ]
    drills = [*sorted(before, key=lambda drill: (drill.started_at, drill.drill_id)), result]
    rows = [
        (
            quarter_name(drill.quarter),
            drill.drill_id,
            drill.started_at,
            drill.verdict,
            drill.recovery_seconds,
            drill.recovery_objective_seconds,
            data_loss_seconds(drill),
            drill.artifact.rows if drill.artifact else None,
            drill.artifact.size_bytes if drill.artifact else None,
            len(drill.findings),
        )
        for drill in drills[-DRILLS_SHOWN:]
    ]
    return pd.DataFrame(rows, columns=list(_TREND)).astype(_TREND)


def change_percent(frame: pd.DataFrame, column: str) -> float | None:
    """How far the newest drill's number is from the one measured before it; None without both."""
    newest = frame[column].iloc[-1]
    before = frame[column].iloc[:-1].dropna()
    if pd.isna(newest) or before.empty or before.iloc[-1] == 0:
        return None
    return float((newest / before.iloc[-1] - 1) * 100)


def records(frame: pd.DataFrame) -> list[Record]:
    """A frame as plain dictionaries, in which what is missing is None."""
    plain = frame.astype(object)
    return [
        {str(name): value for name, value in record.items()}
        for record in plain.where(frame.notna(), None).to_dict("records")
    ]
