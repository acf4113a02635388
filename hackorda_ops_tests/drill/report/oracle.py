"""Holds every sentence of a report against its result, without asking the code that wrote it.

A report is read into its tables and its texts. A table has to say what the result says, cell by cell. A text has to be
explained whole: by sentences whose claim is true of the result, and by what the result has in words (a finding's next
step, the summary of a check). Whatever is left over, or isn't true, is an error.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from hackorda_ops.words import duration, size
from hackorda_ops_tests.drill.report.facts import at
from hackorda_ops_tests.drill.report.reading import plain
from hackorda_ops_tests.drill.report.sentences import Sentences
from hackorda_ops_tests.drill.report.true_rows import TrueRows


class Oracle(Sentences, TrueRows):
    """What is true of a drill, and what a report of it may say."""

    def literals(self) -> set[str]:
        """What the result has in words, and the labels of its fields."""
        result = self.result
        found = {plain(each) for each in _LABELS}
        for finding in result.findings:
            found |= {f"{finding.code}: {finding.subject} ({finding.severity})"}
            found |= {finding.code, finding.subject, finding.expected, finding.observed, finding.severity}
            found |= {finding.meaning, finding.next_step}
        for check in result.checks:
            found.add(check.summary)
        for each in result.not_compared:
            found |= {each.what, each.why, f"{each.what}: {each.why}"}
        for to_do in result.by_hand:
            found |= {to_do.what, *to_do.commands}
        found |= {*result.warnings, result.scratch or "none", *result.how_to_repeat.splitlines()}
        if result.error is not None:
            found |= {result.error.what, result.error.meaning, result.error.next_step}
        if result.artifact is not None:
            artifact = result.artifact
            kind = {"postgres": "Postgres", "redis": "Redis"}[result.engine]
            rows = f"{artifact.rows:,} {'row' if artifact.rows == 1 else 'rows'}"
            tables = f"{artifact.tables:,} {'table' if artifact.tables == 1 else 'tables'}"
            found |= {
                artifact.artifact_id,
                artifact.location,
                artifact.lsn,
                f"{artifact.artifact_id} from {artifact.location}",
                f"{at(artifact.captured_at)}, for the night of {artifact.night}",
                f"taken {at(artifact.captured_at)} at {artifact.lsn}, for the night of {artifact.night}",
                f"{rows} in {tables}, {size(artifact.size_bytes)} as stored",
                f"{artifact.rows:,} rows in {artifact.tables:,} tables, {size(artifact.size_bytes)}, "
                f"{kind} {artifact.server_version}",
                f"{kind} {artifact.server_version}",
                f"scratch: {result.scratch or 'none'}",
            }
        if result.migration is not None:
            found |= set(self._migrations())
        return {plain(each) for each in found if each.strip()}

    def _migrations(self) -> Iterator[str]:
        ran = self.result.migration
        assert ran is not None
        ended = "succeeded" if ran.returncode == 0 else f"failed with exit code {ran.returncode}"
        unknown = "not measured, because no matching folder of migrations was found"
        before, after = (
            unknown if names is None else ", ".join(names) or "none"
            for names in (ran.pending_before, ran.pending_after)
        )
        schema = {None: "not compared", True: "changed", False: "the same as before"}[ran.schema_changed]
        applied = f"{ran.applied} migration{'' if ran.applied == 1 else 's'}"
        yield from (ran.command, str(ran.before), str(ran.after), applied, before, after, schema)
        yield f"{ended} after {duration(ran.seconds)}"
        yield f"{ran.command}: exit code {ran.returncode} after {duration(ran.seconds)}"
        yield from (f"before: {ran.before}", f"after: {ran.after}", f"applied: {ran.applied}")
        yield from (f"pending before: {before}", f"pending after: {after}", f"schema: {schema}")
        yield ran.output_tail

    @cached_property
    def _known(self) -> tuple[list[str], list[tuple[re.Pattern[str], Callable[[re.Match[str]], bool]]]]:
        literals = sorted(self.literals(), key=len, reverse=True)
        return literals, [(re.compile(pattern), true) for pattern, true in self.claims()]

    def unexplained(self, text: str) -> str | None:
        """What of a text no true sentence and no words of the result explain; None where all of it is."""
        literals, claims = self._known

        def rest(left: str, seen: set[str]) -> str | None:
            left = left.lstrip(" ·")
            if not left:
                return None
            if left in seen:
                return left
            ends = [len(each) for each in literals if left.startswith(each)]
            ends += [
                m.end() for pattern, true in claims if (m := pattern.match(left)) and m.end() and true(m)
            ]
            shortest = left
            for end in sorted(set(ends), reverse=True):
                found = rest(left[end:], seen)
                if found is None:
                    return None
                shortest = min(shortest, found, key=len)
            seen.add(left)
            return shortest

        return rest(plain(text), set())


# Headings and labels, which claim nothing.


_LABELS: Sequence[str] = (
    *(
        "1. Findings",
        "2. What was checked",
        "3. The backup that was drilled",
        "Why the drill could not judge",
    ),
    *("4. What was compared, and what was not", "5. Times against the recovery objectives", "Compared"),
    *("6. Key tables against production", "7. Migrations on the restored database", "8. Past drills"),
    *("10. Every table", "Not compared", "Noticed along the way", "The end of its output", "Artifact"),
    *(
        "Fetched from",
        "Taken",
        "WAL position",
        "Contents",
        "Source server",
        "Scratch",
        "Expected",
        "Observed",
    ),
    *("What it means", "What happened", "Command", "Outcome", "Before", "After", "Applied", "Pending before"),
    *(
        "Pending after",
        "Schema",
        "Findings",
        "Checks",
        "The backup",
        "Times",
        "Key tables against production",
    ),
    *("Migrations", "Drills", "Tables", "Warnings", "What it means:", "expected:", "observed:"),
    *("what it means:", "next step:", "not known"),
    "The checks of a drill, and what each one saw",
    "Each table of the manifest and how it came back. The digest is over the content of all its rows; comparison.csv "
    "next to this page has it in full.",
    "Production moves on after a backup, so some drift is expected; how much is allowed follows from the backup's age "
    "and from how fast the table grew over past nights",
    "“Differs, no finding”: rows that come back in another partition of their table are no fault where all its "
    "partitions together are equal.",
)
