"""Findings of a restore that kept going: what is missing, why, and how to create it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hackorda_ops.drilling.for_the_source import DEFINITION, FOLLOWS, IN_THE_SOURCE
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.restoring.rest import NotRestored

# Missing because something else is missing; and missing or empty because something that rows need is.
_WITHOUT_ANYTHING = ("schema object missing", "switched otherwise")
_WITHOUT_ROWS = (
    *_WITHOUT_ANYTHING,
    "table missing",
    "partitioned missing",
    "foreign table missing",
    "materialized view missing",
    "materialized view differs",
    "rows differ",
    "sequence differs",
    "extension missing",
    "large objects missing",
    "refresh fails",
)
# Without these every row is there.
_BESIDE_ROWS = (
    "FK CONSTRAINT",
    "CHECK CONSTRAINT",
    "CONSTRAINT",
    "INDEX",
    "TRIGGER",
    "RULE",
    "POLICY",
    "COMMENT",
)


def with_rest(not_restored: Sequence[NotRestored], compared: Iterable[Finding]) -> tuple[Finding, ...]:
    """What a comparison found, after a finding for each thing that was not restored.

    Args:
        not_restored: of a restore that kept going.
        compared: the findings of its comparison. What can follow from the former says so.
    """
    found = [
        Finding(
            "restore failed",
            each.name,
            f"made by: {each.statement}",
            each.reason,
            FOLLOWS if each.follows else IN_THE_SOURCE if each.breaks_rule else DEFINITION,
        )
        for each in not_restored
    ]
    rows_are_there = all(each.name.startswith(_BESIDE_ROWS) for each in not_restored)
    following = () if not found else _WITHOUT_ANYTHING if rows_are_there else _WITHOUT_ROWS
    return (
        *found,
        *(
            replace(each, next_step=FOLLOWS)
            if each.code in following or _is_access_to_any(not_restored, each)
            else each
            for each in compared
        ),
    )


def _is_access_to_any(not_restored: Iterable[NotRestored], finding: Finding) -> bool:
    """Whether a finding is of an owner or a grant that there's nothing to apply to."""
    return finding.code == "access missing" and any(
        re.search(rf"(?<!\w){re.escape(each.name.rpartition('.')[2])}(?!\w)", finding.subject)
        for each in not_restored
    )
