"""What it means for a backup if rows violate their own database's rules: on the source, and in a restored copy."""

from collections.abc import Iterator
from typing import Any

import psycopg

from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.catalogs.own_rules import (
    Kept,
    constraints,
    generated_columns,
    look,
    same_each_time,
)
from hackorda_ops.postgres.sessions.session import letting_go
from hackorda_ops.words import named

_LIMIT_SECONDS = 10.0
"""For all rules of a source in one night, alongside the dump: it is a production database."""

_GENERATED = "generated column "


def rules_of_source(connection: psycopg.Connection[Any]) -> Kept:
    """Checks a source's rows, in the snapshot of its dump.

    Raises:
        psycopg.Error: the connection broke, or the statement was cancelled.
    """
    try:
        # To print an expression, the server locks its table.
        with letting_go(connection):
            connection.execute("SET LOCAL lock_timeout = '1s'")
            rules = [*constraints(connection), *generated_columns(connection)]
    except psycopg.errors.LockNotAvailable:
        return Kept(unchecked=("every rule, because a table was locked",))
    return look(connection, rules, limit_seconds=_LIMIT_SECONDS)


def warnings_of(kept: Kept) -> Iterator[str]:
    """What a night reports about it, as sentences. Pure."""
    stale = [subject for subject in kept.broken if subject.startswith(_GENERATED)]
    broken = [subject for subject in kept.broken if subject not in stale]
    if broken:
        yield (
            f"rows on the source violate {named(broken)}, so a restore will stop there: fix the rows on the source, "
            "or make the constraint NOT VALID"
        )
    if stale:
        yield (
            "stored values on the source differ from what their expressions give, and a restore recomputes them: "
            f"{named(stale)}"
        )


def stale_notes(manifest: PostgresManifest) -> Iterator[str]:
    """Where a restore's result differs from the source by design. Pure."""
    stale = [each for each in (manifest.rules or Kept()).broken if each.startswith(_GENERATED)]
    if stale:
        yield (
            "On the source, stored values differed from what their expressions give; the copy's are recomputed: "
            f"{named(stale)}."
        )


def generated_findings(connection: psycopg.Connection[Any], manifest: PostgresManifest) -> Iterator[Finding]:
    """Whether a restored copy's stored generated values are what their expressions give.

    No dump holds these values: the server computes them as rows are inserted.

    Raises:
        psycopg.Error: the connection broke.
    """
    rules = list(generated_columns(connection))
    broken = set(look(connection, rules, limit_seconds=None).broken)
    settled = same_each_time(connection, [rule for rule in rules if rule.subject in broken])
    stale_on_source = () if manifest.rules is None else manifest.rules.broken
    for subject in sorted(broken):
        sure = subject in settled and subject not in stale_on_source
        yield Finding(
            "generated values differ" if sure else "generated values not settled",
            subject.removeprefix(_GENERATED),
            "what its expression gives",
            "other values",
            "Check the column's expression and the functions that it calls: these rows were written with a "
            "different result. UPDATE … SET on the column's inputs recomputes it.",
        )
