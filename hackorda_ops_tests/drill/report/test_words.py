"""What a report says in words."""

from dataclasses import replace

from hackorda_ops.drill.checks.registry import checks_of
from hackorda_ops.drill.report.words import (
    all_checks,
    compared,
    in_the_log,
    meaning,
    reliance,
    table_outcome,
    title_of,
)
from hackorda_ops.drilling.for_the_source import FOR_THE_SOURCE
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.findings import Finding
from hackorda_ops_tests.drill import results


def test_a_pass_says_what_came_back_and_as_of_when() -> None:
    sentence = meaning(results.sound())

    assert "101,033 rows in 6 tables came back exactly" in sentence
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

    assert "could not judge this backup: nothing is proven or disproven" in sentence
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

    assert table_outcome(results.sound(), issues) == "equal"
    assert table_outcome(against, other) == "differs"
    assert table_outcome(against, absent) == "missing"
    assert table_outcome(results.sound(), absent) == "not read"
    # A partition whose rows came back in a sibling of it.
    assert table_outcome(results.sound(), other) == "differs, no finding"


def test_only_what_was_compared_is_called_compared() -> None:
    assert len(compared(results.sound())) == 7
    assert compared(results.unjudged(checks=())) == ()
    assert not any("branch" in sentence for sentence in compared(without_branch()))


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
    assert in_the_log(drill) == f"No backup was found. {drill.error.what} Drill {drill.drill_id}."


def test_what_a_fail_says_of_the_backup_follows_from_its_cause() -> None:
    def found(code: str, next_step: str = "Look.") -> Finding:
        return Finding(code, "something", "this", "that", next_step)

    source = found("restore failed", next(iter(FOR_THE_SOURCE)))
    assert "no other backup" in reliance([source])
    assert "The backup came back" in reliance([found("migrations failed"), found("recovery too slow")])
    beside_the_rows = [found("extension missing"), found("sequence differs"), found("migrations failed")]
    assert "Every row came back" in reliance(beside_the_rows)
    assert reliance([*beside_the_rows, found("content differs")]) == "Do not rely on this backup."
    for against in ([], [found("rows differ")], [source, found("rows differ")], [found("restore failed")]):
        assert reliance(against) == "Do not rely on this backup."
