"""What a report says in words."""

from dataclasses import replace
from typing import Any

from hackorda_ops.drill.checks.registry import checks_of
from hackorda_ops.drill.report.compared import compared
from hackorda_ops.drill.report.words import (
    all_checks,
    in_the_log,
    meaning,
    next_step,
    table_outcome,
    title_of,
)
from hackorda_ops.drilling.for_the_source import FOR_THE_SOURCE
from hackorda_ops.drilling.result import DrillResult, Instead
from hackorda_ops.findings import Finding
from hackorda_ops_tests.drill import results


def test_a_pass_says_what_came_back_and_as_of_when() -> None:
    sentence = meaning(results.sound())

    assert "101,033 rows in 6 tables, 31 sequences" in sentence
    assert "2026-11-21 21:00:03 UTC" in sentence
    assert "Not" not in sentence


def test_a_pass_does_not_hide_what_failed_or_was_not_measured() -> None:
    checks = (
        results.check("within_recovery_time_objective", "failed"),
        *(
            results.check(each.name)
            for each in checks_of("postgres")
            if not each.name.startswith(("within", "branch"))
        ),
    )

    sentence = meaning(results.sound(checks=checks))

    assert "Not met: recovery takes no longer than its objective." in sentence
    assert "Not reached: the provider's own history agrees with the backup." in sentence


def test_a_pass_mentions_its_warnings_and_a_fail_names_what_decided_it() -> None:
    warning = Finding("rows lost in migration", "public.users", "", "", "")
    assert meaning(results.sound(findings=(warning,))).endswith("With 1 warning, below.")
    assert "With" not in meaning(results.sound())
    decided = Finding("rows differ", "public.issues", "", "", "")
    assert meaning(results.bad(findings=(warning, decided))) == (
        "Do not rely on this backup. Found: rows differ (public.issues)."
    )


def test_a_fail_names_its_first_finding() -> None:
    assert meaning(results.bad()) == (
        "Do not rely on this backup. Found: content differs (public.issues), and 1 more finding."
    )


def test_a_fail_without_findings_names_the_failed_checks() -> None:
    drill = results.sound(verdict="FAIL", checks=(results.check("newest_row_recent", "failed"),))

    assert meaning(drill) == ("Do not rely on this backup. Not met: the newest rows are recent enough.")


def test_an_error_says_that_nothing_is_proven_and_why() -> None:
    sentence = meaning(results.unjudged())

    assert "could not judge this backup: 1 of 9 checks passed, and nothing was found against it." in sentence
    assert "the limit of 10 branches is reached" in sentence
    assert "any backup" in meaning(results.unjudged(artifact=None))


def test_every_check_has_a_title_and_a_place_even_where_the_drill_ended_early() -> None:
    assert all(title_of(results.check(each.name)) == each.title for each in checks_of("postgres"))
    assert [check.outcome for check in all_checks(results.unjudged())] == ["passed", *["not reached"] * 8]


def test_a_check_of_a_later_release_has_its_name_for_a_title_and_stands_last() -> None:
    later = results.with_unknown_check("failed")

    assert [each.name for each in all_checks(later)] == [
        *(each.name for each in checks_of("postgres")),
        "indexes_are_valid",
    ]
    assert title_of(all_checks(later)[-1]) == "Indexes are valid"
    assert meaning(later) == "Do not rely on this backup. Not met: indexes are valid."
    unmeasured = results.with_unknown_check("not measured")
    assert meaning(unmeasured).endswith("Not measured: indexes are valid.")


def test_a_table_is_equal_different_missing_or_not_read() -> None:
    issues = results.table("public.issues", 10)
    other = replace(issues, restored_digest=results.digest(1))
    absent = replace(issues, restored_rows=None, restored_digest=None)
    against = results.sound(findings=(Finding("content differs", "public.issues", "", "", ""),))
    gone = results.sound(findings=(Finding("table missing", "public.issues", "", "", ""),))
    damaged = results.unjudged(
        verdict="FAIL", findings=(Finding("table changed", "public.issues", "", "", ""),)
    )

    assert table_outcome(results.sound(), issues) == "equal"
    assert table_outcome(against, other) == "differs"
    assert table_outcome(gone, absent) == "missing"
    # Found in the files, before anything was restored.
    assert table_outcome(damaged, absent) == "not reached"
    assert table_outcome(results.sound(), absent) == "not read"
    # A partition whose rows came back in a sibling of it.
    assert table_outcome(results.sound(), other) == "differs, no finding"


def test_only_what_was_compared_is_called_compared() -> None:
    assert len(compared(results.sound())) == 7
    assert compared(results.unjudged(checks=())) == ()
    assert not any("branch" in each.sentence for each in compared(without_branch()))


def without_branch() -> DrillResult:
    """A drill on a scratch server."""
    tables = tuple(replace(table, branch_rows=None, branch_digest=None) for table in results.tables())
    return results.sound(tables=tables)


def test_the_log_tells_a_drills_backup_rows_and_time() -> None:
    assert in_the_log(results.sound()) == (
        "Backup of 2026-11-21 21:00:03 UTC (20261121T210000Z-0a1b2c); rows: public.users 12,004, public.issues "
        "20,466, public.issue_payouts 0; recovery time: 2 min 14 s; drill 20261122T040007Z-4c5d6e."
    )
    assert "101,033 in all tables of the backup" in in_the_log(results.sound(key_tables=()))


def test_the_log_tells_why_a_drill_had_nothing_to_restore() -> None:
    drill = results.unjudged(artifact=None)

    assert drill.error is not None
    assert in_the_log(drill) == f"No backup was restored. {drill.error.what} Drill {drill.drill_id}."


def test_what_a_fail_says_of_the_backup_follows_from_its_cause() -> None:
    def found(code: str, next_step: str = "Look.") -> Finding:
        return Finding(code, "something", "this", "that", next_step)

    def said(*against: Finding, **changes: Any) -> str:
        return meaning(results.sound(verdict="FAIL", findings=against, **changes)).partition(" Found:")[0]

    source = found("restore failed", next(iter(FOR_THE_SOURCE)))
    assert "no other backup" in said(source)
    beside_the_data = (found("migrations failed"), found("recovery too slow"))
    assert said(*beside_the_data).startswith("The backup came back whole.")
    too_slow = said(found("recovery too slow"), checks=results.unjudged().checks)
    assert too_slow.startswith(
        "Whether the backup comes back whole is not known: the drill ended before that."
    )
    beside_the_rows = (found("extension missing"), found("sequence differs"), found("migrations failed"))
    assert "Every row came back" in said(*beside_the_rows)
    for against in (
        (*beside_the_rows, found("content differs")),
        (found("rows differ"),),
        (source, found("rows differ")),
        (found("restore failed"),),
    ):
        assert said(*against) == "Do not rely on this backup."


def test_an_older_backup_came_back_only_if_it_was_compared() -> None:
    newer = Finding("artifact damaged", "hackorda/20261128T210000Z-bbbbbb", "a manifest", "none", "Look.")

    came_back = meaning(results.sound(verdict="FAIL", findings=(newer,)))
    assert "an older backup was taken. It came back whole." in came_back
    ended = meaning(results.unjudged(verdict="FAIL", findings=(newer,)))
    assert "Whether it comes back whole is not known" in ended
    nothing = meaning(results.unjudged(verdict="FAIL", findings=(newer,), artifact=None))
    assert "it is damaged, so nothing was restored from it" in nothing


def test_the_next_step_names_what_to_restore_until_then() -> None:
    instead = Instead("20261114T210000Z-0a1b2c", "s3://b/shop/20261114T210000Z-0a1b2c", "proven")

    assert next_step(results.sound()) is None
    named = next_step(results.bad(instead=instead))
    assert named is not None
    assert named.endswith(
        "To restore until then: 20261114T210000Z-0a1b2c from s3://b/shop/20261114T210000Z-0a1b2c (proven)."
    )
    assert (next_step(results.bad()) or "").endswith("see `hackorda-ops backups`.")
    too_slow = results.sound(verdict="FAIL", findings=(Finding("recovery too slow", "x", "y", "z", "a"),))
    assert "until then" not in (next_step(too_slow) or "")
