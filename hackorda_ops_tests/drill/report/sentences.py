"""Every sentence that a report may have, and when it is true."""

import re
from collections.abc import Callable, Iterator

from hackorda_ops.drill.consequences import CONSEQUENCES
from hackorda_ops.drilling.for_the_source import FOR_THE_SOURCE
from hackorda_ops.finding_kinds import KINDS
from hackorda_ops.words import duration, size
from hackorda_ops_tests.drill.report.facts import TITLES, Facts, at
from hackorda_ops_tests.drill.report.reading import plain

Claim = tuple[str, Callable[[re.Match[str]], bool]]
ABOUT_ITSELF = {"comparison_self_test", "scratch_gone"}
OF_THE_FILES = {"file changed", "file missing", "table changed", "artifact damaged"}


class Sentences(Facts):
    """The sentences that are true of a drill."""

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
