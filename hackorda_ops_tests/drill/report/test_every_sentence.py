"""Every sentence of a report, whatever the drill saw and wherever it ended, is true of its result."""

import json

import pytest

from hackorda_ops.drill.report import html, json_form, markdown
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops_tests.drill import results
from hackorda_ops_tests.drill.report import reading
from hackorda_ops_tests.drill.report.generated import drill
from hackorda_ops_tests.drill.report.oracle import Oracle

DRILLS = 220
_AT_ONCE = 20
_CHUNKS = [range(first, first + _AT_ONCE) for first in range(0, DRILLS, _AT_ONCE)]


def untrue(oracle: Oracle, read: reading.Read) -> list[str]:
    """What a report says that isn't so."""
    rows = [wrong for table in read.tables if (wrong := oracle.untrue_row(table))]
    texts = [f"{text!r}: {left!r}" for text in read.texts if (left := oracle.unexplained(text))]
    return rows + texts


def commands(result: DrillResult) -> str:
    """What somebody runs who pastes all of it."""
    return "\n".join(line for line in result.how_to_repeat.splitlines() if not line.startswith("#"))


@pytest.mark.parametrize("seeds", _CHUNKS, ids=lambda seeds: f"from {seeds.start}")
def test_every_sentence_and_every_row_of_a_report_is_true_of_its_drill(seeds: range) -> None:
    for seed in seeds:
        result, past = drill(seed), results.history(seed % 3)
        oracle = Oracle(result, past)
        for text in (
            reading.of_page(html.page(result, past)),
            reading.of_markdown(markdown.document(result, past)),
        ):
            assert text.tables
            assert len(text.texts) > 10
            assert untrue(oracle, text) == [], f"seed {seed}, {result.verdict}"


@pytest.mark.parametrize("seeds", _CHUNKS, ids=lambda seeds: f"from {seeds.start}")
def test_what_is_stored_is_the_drill_and_counts_nothing_by_a_bad_backup(seeds: range) -> None:
    for seed in seeds:
        result = drill(seed)
        oracle = Oracle(result, ())
        stored = json_form.to_bytes(result)
        assert json_form.from_bytes(stored, origin="here") == result, seed
        read = json.loads(stored)
        assert {each["outcome"] for each in read["checks"]} <= {
            "passed",
            "failed",
            "not reached",
            "not measured",
        }
        if oracle.bad:
            assert read["data_loss_seconds"] is None, seed
        if oracle.needs_another:
            assert result.artifact is None or f"--artifact {result.artifact.artifact_id}" not in commands(
                result
            )
            assert result.instead is None or f"--artifact {result.instead.artifact_id}" in commands(result)
        else:
            assert result.instead is None, seed
            assert result.artifact is None or result.artifact.artifact_id in commands(result), seed


def test_the_drills_are_of_every_kind() -> None:
    made = [drill(seed) for seed in range(DRILLS)]
    seen = {(check.name, check.outcome) for result in made for check in result.checks}

    assert {result.verdict for result in made} == {"PASS", "FAIL", "ERROR"}
    assert {result.engine for result in made} == {"postgres", "redis"}
    for name in {name for name, _ in seen}:
        assert {(name, "passed"), (name, "failed"), (name, "not reached")} <= seen, name
    assert any(result.artifact is None and result.verdict == "FAIL" for result in made)
    assert any(result.instead for result in made)


@pytest.mark.parametrize(
    "lie",
    [
        "This backup works: it was restored from the off-site copy of 2026-11-22 03:00:07 UTC.",
        "The backup came back whole.",
        "objective 24 h: within it",
        "Tables equal 4 of 4",
        "passed Restored tables against the manifest: 4 of 4 (9 rows), by number of rows and by a digest of every "
        "row's content.",
        "databases.yaml names no key_tables",
        "All is well.",
    ],
)
def test_a_lie_is_found(lie: str) -> None:
    damaged = next(
        result
        for result in map(drill, range(DRILLS))
        if result.verdict == "FAIL" and result.scratch is None and result.artifact
    )
    assert Oracle(damaged, ()).unexplained(lie)


def test_a_row_that_lies_is_found() -> None:
    result = next(each for each in map(drill, range(DRILLS)) if each.verdict == "FAIL" and each.tables)
    [table] = [each for each in reading.of_page(html.page(result, ())).tables if "Came back" in each.head]
    first, *others = table.rows
    lying = reading.Table(table.head, ((first[0], "missing", *first[2:]), *others))
    assert Oracle(result, ()).untrue_row(table) is None
    assert Oracle(result, ()).untrue_row(lying)
