"""Holds every sentence of a report against its result, without asking the code that wrote it.

A report is read into its tables and its texts. A table has to say what the result says, cell by cell. A text has to be
explained whole: by sentences whose claim is true of the result, and by what the result has in words (a finding's next
step, the summary of a check). Whatever is left over, or isn't true, is an error.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from hackorda_ops.drill.checks.registry import all_checks
from hackorda_ops.drill.consequences import CONSEQUENCES
from hackorda_ops.drilling.for_the_source import FOR_THE_SOURCE
from hackorda_ops.drilling.result import DrillResult, TableResult
from hackorda_ops.finding_kinds import KINDS
from hackorda_ops.words import duration, size
from hackorda_ops_tests.drill.report.reading import Table, plain

Claim = tuple[str, Callable[[re.Match[str]], bool]]
TITLES = {each.name: each.title for each in all_checks()}
ABOUT_ITSELF = {"comparison_self_test", "scratch_gone"}
OF_THE_FILES = {"file changed", "file missing", "table changed", "artifact damaged"}


def at(when: datetime) -> str:
    """A moment as reports write it."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


@dataclass(frozen=True)
class Oracle:
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

    # Sentences, and when they are true.

    def claims(self) -> Iterator[Claim]:
        """Every sentence that a report may have, as a pattern, with the question whether it's true."""
        yield from self._verdict()
        yield from self._after_a_fail()
        yield from self._what_to_do()
        yield from self._which_drill()
        yield from self._figures()
        yield from self._empty_parts()
        yield from self._compared()
        yield from self._commands()

    def _verdict(self) -> Iterator[Claim]:
        result, artifact, verdict = self.result, self.result.artifact, self.result.verdict
        yield r"(PASS|FAIL|ERROR)", lambda m: m[1] == verdict
        yield r"(PASS|FAIL|ERROR): restore drill 2026-Q4 of shop", lambda m: m[1] == verdict
        yield r"Restore drill 2026-Q4 shop", lambda m: True
        yield (
            r"This backup works: it was restored from the off-site copy of ([-\d: ]+UTC)\.",
            lambda m: verdict == "PASS" and self.restored == "passed" and m[1] == at(artifact.captured_at),  # type: ignore[union-attr]
        )
        for said, outcome in (("met", "failed"), ("reached", "not reached"), ("measured", "not measured")):
            yield (
                rf"Not {said}: ([^.]+)\.",
                lambda m, o=outcome: (
                    (verdict == "PASS" or (not self.codes and o == "failed"))  # type: ignore[misc]
                    and m[1] == self.titles(o)
                ),
            )
        yield r"With (\d+) warnings?, below\.", lambda m: int(m[1]) == len(result.findings)
        yield (
            r"The drill could not judge this backup: (\d+) of (\d+) checks passed, and nothing was found against it\.",
            lambda m: (
                verdict == "ERROR"
                and artifact is not None
                and (int(m[1]), int(m[2])) == (self.count("passed"), len(result.checks))
                and not self.codes
                and all(each.name in ABOUT_ITSELF for each in result.checks if each.outcome == "failed")
            ),
        )
        yield r"The drill could not judge any backup\.", lambda m: verdict == "ERROR" and artifact is None

    def _after_a_fail(self) -> Iterator[Claim]:
        result, artifact, verdict, read, newer_only = (
            self.result,
            self.result.artifact,
            self.result.verdict,
            self.read,
            self.newer_only,
        )
        yield r"Do not rely on this backup\.", lambda m: self.bad or (verdict == "FAIL" and not self.codes)
        yield (
            r"Do not rely on this backup: the copy is damaged, so nothing was restored from it\.",
            lambda m: (
                bool({code for code, _ in self.own} & OF_THE_FILES)
                and self.outcome("offsite_equals_manifest") == "failed"
                and not read
                and result.scratch is None
            ),
        )
        yield (
            r"Do not rely on this backup until it is known which of the two is wrong\.",
            lambda m: self.about("disagreement"),
        )
        yield (
            r"Every row came back, but something else did not: see the next steps before you rely on this backup\.",
            lambda m: (
                bool(read)
                and self.about("definitions")
                and not any(self.came_back(each) in ("differs", "missing") for each in result.tables)
            ),
        )
        yield (
            r"The source breaks its own rules, so no other backup of it would come back whole either\.",
            lambda m: verdict == "FAIL" and any(step in FOR_THE_SOURCE for _, step in self.own),
        )
        yield r"(The backup|It) came back whole\.", lambda m: self.restored == "passed"
        yield (
            r"Whether (the backup|it) comes back whole is not known: the drill ended before that\.",
            lambda m: self.restored == "not reached",
        )
        yield (
            r"Production has changed more since than the backup's age explains\.",
            lambda m: self.about("production"),
        )
        yield r"It is the team's migrations that do not apply\.", lambda m: self.about("migrations")
        yield (
            r"The recovery took longer than its objective\.",
            lambda m: (result.recovery_seconds or 0) > result.recovery_objective_seconds,
        )
        yield (
            r"Do not rely on what is off-site: it is damaged, so nothing was restored from it\.",
            lambda m: newer_only and artifact is None,
        )
        yield (
            r"Newer copies are damaged, so an older backup was taken\.",
            lambda m: newer_only and artifact is not None,
        )
        fatal = [each for each in result.findings if KINDS[each.code].severity == "fatal"]
        yield (
            r"Found: (.+?) \(([^)]+)\)(?:, and (\d+) more findings?)?\.",
            lambda m: (
                verdict == "FAIL"
                and (m[1], m[2]) == (fatal[0].code, fatal[0].subject)
                and int(m[3] or 0) == len(fatal) - 1
            ),
        )

    def _what_to_do(self) -> Iterator[Claim]:
        result, artifact, verdict, newer_only = (
            self.result,
            self.result.artifact,
            self.result.verdict,
            self.newer_only,
        )
        for cause, consequence in CONSEQUENCES.items():
            yield (
                rf"({consequence.mark} FAIL: )?{re.escape(consequence.headline)}",
                lambda m, c=cause: verdict == "FAIL" and not newer_only and self._is(c),  # type: ignore[misc]
            )
        yield r"(🟥 FAIL: )?newer copies are damaged", lambda m: newer_only and artifact is not None
        yield r"(🟥 FAIL: )?what is off-site is damaged", lambda m: newer_only and artifact is None
        yield r"Next step:?", lambda m: verdict != "PASS" or bool(result.findings)
        for cause, consequence in CONSEQUENCES.items():
            own = "ID" if artifact is None else artifact.artifact_id
            step = re.escape(consequence.next_step.replace("--artifact ID", f"--artifact {own}"))
            yield step, lambda m, c=cause: verdict == "FAIL" and self._is(c)  # type: ignore[misc]
        yield (
            r"Copy the newest artifact off-site again, and find out who can write to the bucket\. Then drill again\.",
            lambda m: newer_only and artifact is not None,
        )
        yield (
            r"What to restore until then: see `hackorda-ops backups`\.",
            lambda m: self.needs_another and result.instead is None,
        )
        yield (
            r"To restore until then: (\S+) from (\S+) \((.+?)\)\.",
            lambda m: (
                self.needs_another
                and result.instead is not None
                and (m[1], m[2], m[3])
                == (result.instead.artifact_id, result.instead.location, result.instead.known)
            ),
        )

    def _which_drill(self) -> Iterator[Claim]:
        result, artifact = self.result, self.result.artifact
        yield r"([-\d: ]+UTC)", lambda m: m[1] == at(result.started_at)
        yield r"drill (\S+)", lambda m: m[1] == result.drill_id
        yield r"artifact (\S+)", lambda m: artifact is not None and m[1] == artifact.artifact_id
        yield r"its run in Dagster", lambda m: (result.run or "").startswith("https://")
        yield r"run (\S+)", lambda m: m[1] == result.run
        yield (
            r"Drill (\S+?)(?: of shop)?, ([-\d: ]+UTC) to ([-\d: ]+UTC)",
            lambda m: (m[1], m[2], m[3]) == (result.drill_id, at(result.started_at), at(result.finished_at)),
        )
        yield (
            r"\(([^)]+)\)\. All times are UTC\.",
            lambda m: m[1] == duration((result.finished_at - result.started_at).total_seconds()),
        )
        yield r"(?:Written )?by hackorda_ops (\S+?)\.(?= |$)", lambda m: m[1] == result.product_version
        yield r", by hackorda_ops ([\d.]+?)(?=[,.]( |$))", lambda m: m[1] == result.product_version
        yield r", \[in this run\]\(<(\S+)>\)\.", lambda m: m[1] == result.run
        yield r", in the run (\S+)\.", lambda m: m[1] == result.run
        yield r"\.", lambda m: True
        yield (
            r"PASS: the backup was restored and everything compared was there\. FAIL: the backup, or what depends on "
            r"it, is not what it must be\. ERROR: the drill could not judge\. The same result as data: report\.json "
            r"next to this page\.",
            lambda m: True,
        )

    def _figures(self) -> Iterator[Claim]:
        result, read = self.result, self.read
        yield (
            r"Checks passed (\d+) of (\d+)",
            lambda m: (int(m[1]), int(m[2])) == (self.count("passed"), len(result.checks)),
        )
        yield (
            r"(\d+) failed, (\d+) not reached, (\d+) not measured",
            lambda m: (
                [int(m[n]) for n in (1, 2, 3)]
                == [self.count(each) for each in ("failed", "not reached", "not measured")]
            ),
        )
        equal = [each for each in result.tables if self.came_back(each) == "equal"]
        yield (
            r"Tables equal (\d+) of (\d+)",
            lambda m: bool(read) and (int(m[1]), int(m[2])) == (len(equal), len(result.tables)),
        )
        yield (
            r"([\d,]+) rows?, by content",
            lambda m: bool(read) and int(m[1].replace(",", "")) == sum(each.expected_rows for each in equal),
        )
        yield (
            r"Tables equal (not reached|none read)",
            lambda m: not read and (m[1] == "not reached") == (self.restored == "not reached"),
        )
        took = result.recovery_seconds
        yield (
            r"Recovery time (.+?)(?= objective| fetch,|$)",
            lambda m: (
                m[1]
                == (duration(took) if took is not None else self.outcome("within_recovery_time_objective"))
            ),
        )
        lost = None if self.bad else result.data_loss_seconds
        yield (
            r"Data loss (.+?)(?= objective| had the|$)",
            lambda m: (
                m[1] == (duration(lost) if lost is not None else "not counted" if self.bad else "not reached")
            ),
        )
        yield r"fetch, check, scratch and restore", lambda m: True
        yield r"had the source died when the drill began", lambda m: True
        yield (
            r"[Oo]bjective ([^:]+?)(: within it|: beyond it|: nothing proven yet)?$",
            lambda m: self._objective(m[1], (m[2] or "")[2:]),
        )

        stages = r"Stages of the drill, on its time line\. Solid bars "
        yield stages + r"add up to the recovery time; hollow ones only prove it\.", lambda m: took is not None
        yield (
            stages + r"count into the recovery time, which was not reached; hollow ones only prove it\.",
            lambda m: took is None,
        )
        yield from self._trend_claims()

    def _empty_parts(self) -> Iterator[Claim]:
        result, artifact, read = self.result, self.result.artifact, self.read
        yield r"None\.", lambda m: not result.findings and not self.early and result.error is None
        yield (
            r"None, as far as the drill got\.",
            lambda m: not result.findings and (self.early or result.error is not None),
        )
        yield r"No artifact was chosen, so nothing was restored\.", lambda m: artifact is None
        yield (
            r"Nothing\.|Nothing: the drill ended before it could compare anything\.",
            lambda m: not read and not any(each.branch_rows is not None for each in result.tables),
        )
        yield (
            r"The drill names nothing that it left out\.",
            lambda m: not result.not_compared and not self.early,
        )
        yield (
            r"And the checks that section 2 calls “not reached” or “not measured”\.",
            lambda m: bool(self.count("not reached") + self.count("not measured")),
        )
        yield r"No stage was finished\.", lambda m: not result.stages
        yield r"This is no part of a drill of this kind of database\.", lambda m: result.engine != "postgres"
        yield (
            r"No earlier drill of this database was read, so there is no trend yet\.",
            lambda m: not self.past,
        )
        yield r"The newest (\d+) drills?, this one included", lambda m: int(m[1]) == len(self.past) + 1
        yield (
            r"There was no artifact to repeat it with\.",
            lambda m: artifact is None and not self.needs_another,
        )
        yield r"The backup has no tables\.", lambda m: artifact is not None and artifact.tables == 0
        yield r"No table was compared\.", lambda m: not read

    def _compared(self) -> Iterator[Claim]:
        result, read = self.result, self.read
        came_back = {self.came_back(each) for each in result.tables}
        sequences = "failed" if "sequence differs" in self.codes else "passed"
        yield (
            r"(passed|failed):? Restored tables against the manifest: (\d+) of (\d+) \(([\d,]+) rows?\), by number of "
            r"rows and by a digest of every row's content\.",
            lambda m: (
                m[1] == ("failed" if came_back & {"differs", "missing"} else "passed")
                and (int(m[2]), int(m[3])) == (len(read), len(result.tables))
                and int(m[4].replace(",", "")) == sum(each.expected_rows for each in read)
            ),
        )
        yield (
            r"(passed|failed):? (\d+) sequences? against the manifest: the value, and whether it was used\.",
            lambda m: (m[1], int(m[2])) == (sequences, result.sequences_compared),
        )
        yield (
            r"(passed|failed):? (\d+) tables? of the provider's branch at the artifact's WAL position, by the same "
            r"rows and digests\.",
            lambda m: (
                m[1] == self.outcome("branch_equals_manifest")
                and int(m[2]) == sum(each.branch_rows is not None for each in result.tables)
            ),
        )
        yield (
            r"(passed|failed):? (\d+) key tables? against production, read-only\.",
            lambda m: (
                m[1] == self.outcome("key_tables_near_production") and int(m[2]) == len(result.key_tables)
            ),
        )
        yield (
            r"(?:counted )?Rows counted again after the migrations: (\d+) tables?\.",
            lambda m: int(m[1]) == sum(each.migrated_rows is not None for each in result.tables),
        )
        for check in result.checks:
            if check.name not in ("offsite_equals_manifest", "comparison_self_test"):
                continue
            title = rf"{re.escape(TITLES[check.name])}: " if check.outcome == "passed" else ""
            yield (
                rf"(passed|failed):? {title}{re.escape(plain(check.summary))}",
                lambda m, c=check: m[1] == c.outcome,  # type: ignore[misc]
            )

    def _commands(self) -> Iterator[Claim]:
        result, artifact = self.result, self.result.artifact
        yield (
            r"These commands bring a backup back into a new, empty database\. Never restore over one that is in use\.",
            lambda m: bool(result.how_to_repeat),
        )
        yield r"(?:9\. )?To restore another backup by hand", lambda m: self.needs_another
        yield r"(?:9\. )?To repeat the restore by hand", lambda m: not self.needs_another
        yield (
            r"What a real recovery would still need by hand",
            lambda m: result.instead is not None or (artifact is not None and not self.needs_another),
        )

    def _trend_claims(self) -> Iterator[Claim]:
        drills = (*self.past, self.result)
        for title, numbers, words in (
            ("Recovery time", [each.recovery_seconds for each in drills], duration),
            ("Rows in the backup", [each.artifact and each.artifact.rows for each in drills], "{:,}".format),
            ("Size of the backup", [each.artifact and each.artifact.size_bytes for each in drills], size),
        ):
            newest = "not measured" if numbers[-1] is None else words(numbers[-1])
            before = [number for number in numbers[:-1] if number is not None][-1:]
            change = "nothing to compare with"
            if before and before[0] and numbers[-1] is not None:
                percent = 100 * (numbers[-1] / before[0] - 1)
                digits = 0 if abs(percent) >= 100 else 1
                change = f"{percent:+,.{digits}f} % since the drill before"
            yield re.escape(f"{title} {newest} {change}"), lambda m: bool(self.past)
        longest = max((each.recovery_seconds or 0 for each in drills), default=0)
        yield (
            r"The objective, (.+?), is far above this scale\.",
            lambda m: (
                m[1] == duration(self.result.recovery_objective_seconds)
                and self.result.recovery_objective_seconds > longest
            ),
        )

    def _is(self, cause: str) -> bool:
        if cause == "copy" and self.result.artifact is None:
            return self.needs_another
        if cause == "rows" and not self.codes:
            return True
        if cause == "source":
            return any(step in FOR_THE_SOURCE for _, step in self.own)
        if cause == "rows" and self.restored == "failed" and self.about("copy"):
            return True
        return self.about(cause)

    def _objective(self, objective: str, how: str) -> bool:
        lost = None if self.bad else self.result.data_loss_seconds
        proven = self.restored == "passed" and not self.bad
        for seconds, limit, holds in (
            (self.result.recovery_seconds, self.result.recovery_objective_seconds, True),
            (lost, self.result.recovery_point_objective_seconds, proven),
        ):
            said = (
                ""
                if seconds is None
                else "nothing proven yet"
                if not holds
                else "within it"
                if seconds <= limit
                else "beyond it"
            )
            if (objective, how) == (duration(limit), said):
                return True
        return False

    # Texts.

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

    # Tables.

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
        bad = Oracle(drill, ()).bad
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
