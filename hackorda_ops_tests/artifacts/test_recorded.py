"""Evidence that is taken from a manifest is missed, and evidence that a newer release records is not asked for."""

from dataclasses import replace
from datetime import UTC, datetime

from hackorda_ops.artifacts.recorded import missed, recorded
from hackorda_ops.evidence.source_values import SourceValues
from hackorda_ops_tests.builders import manifest

VALUES = SourceValues(tables=(), spent_seconds=0.0, saved_seconds=0.0)


def test_evidence_that_was_set_to_nothing_is_missed() -> None:
    whole = manifest({"users": 3}, captured_at=datetime(2026, 11, 20, 3, tzinfo=UTC))
    whole = replace(whole, inventory=replace(whole.inventory, switches=()), source_values=VALUES)
    whole = replace(whole, evidence={**recorded(whole), "source_values.tables": 1, "inventory.switches": 1})

    taken = replace(whole, source_values=None, inventory=replace(whole.inventory, switches=None))

    assert missed(taken) == [
        "it has 0 of 1 entries in inventory.switches",
        "it has 0 of 1 entries in source_values.tables",
    ]


def test_what_a_newer_release_counts_is_not_missed() -> None:
    older = manifest({"users": 3})
    assert (
        missed(replace(older, evidence={**recorded(older), "inventory.unheard_of": 4, "another.list": 2}))
        == []
    )
