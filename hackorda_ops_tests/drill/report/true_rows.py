"""What each table of a report has to say, cell by cell."""

import itertools
from collections.abc import Iterator

from hackorda_ops.drilling.result import DrillResult, TableResult
from hackorda_ops.words import duration, size
from hackorda_ops_tests.drill.report.facts import TITLES, Facts, at
from hackorda_ops_tests.drill.report.reading import Table, plain


class TrueRows(Facts):
    """The rows that are true of a drill."""

    def untrue_row(self, table: Table) -> str | None:
        """The first row of a table that isn't what the result says; None where all of them are."""
        expected = list(self._rows(table.head))
        for said, true in itertools.zip_longest(table.rows, expected):
            if said != true:
                return f"{table.head}: it says {said}, and true is {true}"
        return None

    def _rows(self, head: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        result = self.result
        if head[:2] == ("Outcome", "Check"):
            for check in result.checks:
                cells = (check.outcome, TITLES[check.name], plain(check.summary))
                yield cells if len(head) == 3 else (cells[0], f"{cells[1]} {cells[2]}")
        elif head[0] == "Stage":
            for stage in result.stages:
                cells = (stage.name, duration(stage.seconds), "yes" if stage.in_recovery else "no")
                yield cells if len(head) == 3 else (cells[0], "", *cells[1:])
            if len(head) == 4:
                yield "All stages", "", duration(sum(each.seconds for each in result.stages)), ""
        elif head == ("", "Measured", "Objective"):
            took, lost = result.recovery_seconds, None if self.bad else result.data_loss_seconds
            time = self.outcome("within_recovery_time_objective") if took is None else duration(took)
            loss = duration(lost) if lost is not None else "not counted" if self.bad else "not reached"
            yield "Recovery time", time, duration(result.recovery_objective_seconds)
            yield "Data loss", loss, duration(result.recovery_point_objective_seconds)
        elif head[0] == "Quarter":
            for drill in reversed((*self.past, result)):
                yield self._drill(drill, head)
        elif head[:2] == ("Table", "Came back"):
            names = sorted(result.tables, key=lambda each: (self.came_back(each) == "equal", each.table))
            for each in names:
                numbers = (each.expected_rows, each.restored_rows, each.migrated_rows, each.branch_rows)
                shown = tuple("–" if number is None else f"{number:,}" for number in numbers)  # noqa: RUF001
                digest = (self._digests(each),) if "Digest" in head else ()
                yield each.table, self.came_back(each), *shown, *digest
        elif head[0] == "Table":
            yield from self._key_tables(head)
        else:
            raise AssertionError(f"nobody knows what a table of {head} has to say")

    def _key_tables(self, head: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        html = "Restored rows" in head and "Newest row restored" in head
        for key_table in self.result.key_tables:
            drift = key_table.drift_percent
            newest = [
                at(when)
                if when is not None
                else "–"  # noqa: RUF001
                if not html
                else "no rows"
                if key_table.timestamp_column
                else "no time column"
                for when in (key_table.newest_restored, key_table.newest_production)
            ]
            yield (
                key_table.table,
                f"{key_table.restored_rows:,}",
                f"{key_table.production_rows:,}",
                f"{drift:+.1f} %" if drift is not None else "no rows" if html else "–",  # noqa: RUF001
                f"{key_table.allowed_percent:.1f} %"
                if key_table.allowed_rows is None
                else f"{key_table.allowed_rows:,} rows",
                *newest,
            )

    def _drill(self, drill: DrillResult, head: tuple[str, ...]) -> tuple[str, ...]:
        html = "Data loss" in head
        bad = Facts(drill, ()).bad
        lost = None if bad else drill.data_loss_seconds
        own, artifact, none = drill is self.result, drill.artifact, "no artifact" if html else "–"  # noqa: RUF001
        took = "not measured" if drill.recovery_seconds is None else duration(drill.recovery_seconds)
        loss = ("not measured" if lost is None else duration(lost),) if html else ()
        quarter = f"{drill.quarter.year}-Q{(drill.quarter.month + 2) // 3}"
        return (
            quarter + (" this drill" if own and html else ""),
            at(drill.started_at),
            drill.verdict,
            f"{len(drill.findings):,}",
            took,
            *loss,
            none if artifact is None else f"{artifact.rows:,}",
            none if artifact is None else size(artifact.size_bytes),
        )

    def _digests(self, table: TableResult) -> str:
        shown = [table.expected_digest[:12]]
        for where, other in (("restored", table.restored_digest), ("branch", table.branch_digest)):
            if other is not None and other != table.expected_digest:
                shown += [where, other[:12]]
        return " ".join(shown)
