"""What a run of the migration command proves: what isn't known hasn't passed."""

from dataclasses import replace

import pytest

from hackorda_ops.migrations.conclusion import failure_words, success_words, unmeasured
from hackorda_ops.migrations.result import MigrationResult

UNKNOWN = MigrationResult("npm run migrate", 0, 1.9, None, None, None, "", schema_changed=False)
DRIZZLE = replace(UNKNOWN, before="drizzle: 5, newest 0004", after="drizzle: 5, newest 0004", applied=0)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (UNKNOWN, "changed neither a table of a known migration tool nor the schema"),
        (replace(UNKNOWN, not_measured=("public.pg can't be read",)), "(public.pg can't be read)"),
        (DRIZZLE, "changed neither its tool's table nor the schema"),
        # No folder was found of a part: whatever it has may be pending.
        (replace(DRIZZLE, pending_before=(), not_measured=("x can't be read",)), "(x can't be read)"),
    ],
)
def test_a_command_that_changed_nothing_known_is_not_measured(result: MigrationResult, said: str) -> None:
    why = unmeasured(result)
    assert why is not None
    assert said in why
    assert "ended with return code 0" in why


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (replace(DRIZZLE, pending_before=(), pending_after=()), "had nothing to apply"),
        (
            replace(DRIZZLE, after="drizzle: 6, newest 0005", applied=1),
            "applied 1 migration in 1.9 s; now drizzle: 6",
        ),
        (
            replace(DRIZZLE, after="goose: newest 7", applied=None),
            "applied an unknown number of migrations",
        ),
        (replace(UNKNOWN, schema_changed=True), "judged by the schema alone"),
        (replace(DRIZZLE, schema_changed=True), "not its tool's table (drizzle: 5, newest 0004)"),
        (replace(DRIZZLE, schema_changed=True, pending_before=()), "applied 0 migrations"),
    ],
)
def test_a_command_that_proves_something_passes_and_says_by_what(result: MigrationResult, said: str) -> None:
    assert unmeasured(result) is None
    assert said in success_words(result)


def test_a_failure_names_the_first_pending_migration_where_it_is_known() -> None:
    failed = replace(DRIZZLE, returncode=1)
    assert failure_words(failed).endswith("return code 1, and the database is not migrated")
    named = replace(failed, pending_after=("0005_labels", "0006_payouts"))
    assert failure_words(named).endswith("; the first pending migration is 0005_labels")
