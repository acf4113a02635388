"""What is known of an artifact in one place, for whatever its night and the drills said of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hackorda_ops.artifacts.manifest import files_digest
from hackorda_ops.artifacts.verifications import Verification
from hackorda_ops.drill.causes import BESIDE_THE_DATA, DrillSaid, causes_of, said
from hackorda_ops.drill.consequences import CONSEQUENCES, beside_the_data, consequence_of
from hackorda_ops.drilling.for_the_source import FOR_THE_SOURCE
from hackorda_ops.finding_kinds import KINDS
from hackorda_ops.findings import Finding
from hackorda_ops.judgement.artifact import ArtifactJudgement, Sayings, State, judge
from hackorda_ops_tests.artifacts.nights import of_night
from hackorda_ops_tests.drill import results

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ARTIFACT = of_night(18)
HERE, THERE = f"s3://offsite/{ARTIFACT.prefix}", f"/nights/{ARTIFACT.prefix}"


def drill(*codes: str, verdict: str = "FAIL", day: int = 22, **changes: object) -> DrillSaid:
    """What a drill of the copy off-site said, that found these."""
    plain = results.sound()
    assert plain.artifact is not None
    failed = {
        "copy": ["offsite_equals_manifest"],
        "rows": ["restored_equals_manifest"],
        "definitions": ["restored_equals_manifest"],
        "source": ["restored_equals_manifest"],
        "disagreement": ["branch_equals_manifest"],
        "migrations": ["migrations_apply"],
        "time": ["within_recovery_time_objective"],
        "production": ["key_tables_near_production"],
    }
    lacking = {name for code in codes for name in failed[KINDS[code].about]}
    result = replace(
        plain,
        drill_id=f"202611{day}T040007Z-4c5d6e",
        finished_at=datetime(2026, 11, day, 4, 5, tzinfo=UTC),
        verdict=verdict,
        findings=tuple(Finding(code, "a subject", "this", "that", "Look.") for code in codes),
        checks=tuple(
            replace(each, outcome="failed") if each.name in lacking else each for each in plain.checks
        ),
        artifact=replace(plain.artifact, artifact_id=ARTIFACT.artifact_id, location=HERE),
    )
    found = said(result)
    assert found is not None
    return replace(found, **changes)  # type: ignore[arg-type]


def known(
    *said_of_it: DrillSaid | Verification, at: str = HERE, written_at: datetime | None = None
) -> ArtifactJudgement:
    sayings = Sayings(
        tuple(each for each in said_of_it if isinstance(each, DrillSaid)),
        tuple(each for each in said_of_it if isinstance(each, Verification)),
    )
    return judge(ARTIFACT, at, sayings, now=NOW, written_at=lambda: written_at)


def seen(*damaged: str, day: int, at: str = HERE, minutes: int = 5, **changes: object) -> Verification:
    """What a verification of one copy found: damaged files, or none."""
    began_at = datetime(2026, 11, day, 6, tzinfo=UTC)
    found = Verification(
        verification_id=f"202611{day}T060000Z-7a8b9c",
        database=ARTIFACT.database,
        artifact_id=ARTIFACT.artifact_id,
        location=at,
        files_sha256=files_digest(ARTIFACT.files),
        began_at=began_at,
        ended_at=began_at + timedelta(minutes=minutes),
        by="verification",
        sound=not damaged,
        damaged_files=damaged,
    )
    return replace(found, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("codes", "state"),
    [
        (["file changed"], "damaged"),
        (["artifact damaged", "migrations failed"], "damaged"),
        (["rows differ"], "does not restore"),
        (["restore failed", "recovery too slow"], "does not restore"),
        (["content differs", "schema differs"], "does not restore"),
        (["sequence differs"], "incomplete"),
        (["schema object missing", "migrations failed"], "incomplete"),
        (["branch: rows differ"], "doubtful"),
        (["key table empty"], "doubtful"),
        (["migrations failed"], "restores"),
        (["migrations pending", "recovery too slow"], "restores"),
        (["key table drifted"], "restores"),
        (["recovery too slow"], "restores"),
    ],
)
def test_a_fail_is_judged_by_the_worst_that_it_is_about(codes: list[str], state: State) -> None:
    judgement = known(drill(*codes))

    assert judgement.state == state
    assert judgement.usable == (state == "restores")
    assert judgement.drill_id is not None
    assert judgement.drill_id in judgement.sentence


def test_a_finding_of_another_release_counts_as_a_restore_that_failed() -> None:
    later = results.sound(verdict="FAIL", findings=(Finding("bits flipped", "x", "this", "that", "Look."),))

    assert causes_of(later) == ("rows",)


def test_a_failed_check_without_a_finding_is_not_assumed_to_be_harmless() -> None:
    assert causes_of(results.with_unknown_check("failed")) == ("rows",)


def test_only_a_fail_has_causes() -> None:
    assert causes_of(results.unjudged(findings=results.bad().findings)) == ()
    assert causes_of(results.sound()) == ()


def test_what_is_wrong_on_the_source_makes_no_other_artifact_better() -> None:
    rule = results.sound(
        verdict="FAIL", findings=(Finding("restore failed", "x", "y", "z", next(iter(FOR_THE_SOURCE))),)
    )

    assert causes_of(rule) == ("source",)


def test_what_came_back_otherwise_from_whole_files_is_no_damage_of_one_copy() -> None:
    found = (Finding("keys missing", "db0 string cart:*", "7 keys", "none", "Look."),)

    assert causes_of(results.sound(verdict="FAIL", findings=found)) == ("rows",)
    before_the_restore = results.unjudged(
        verdict="FAIL", findings=found, checks=(results.check("offsite_equals_manifest", "failed"),)
    )
    assert causes_of(before_the_restore) == ("copy",)


def test_a_newer_damaged_artifact_is_not_held_against_the_one_that_came_back() -> None:
    passed_over = Finding(
        "artifact damaged", "hackorda/20261129T210000Z-0a1b2c", "a manifest", "none", "Look."
    )
    result = results.sound(verdict="FAIL", findings=(passed_over,))
    found = said(result)

    assert causes_of(result) == ()
    assert found is not None
    assert found.came_back
    assert beside_the_data(found) == "newer copies are damaged"
    assert consequence_of(result).meaning.endswith("an older backup was taken. It came back whole.")


def test_an_artifact_is_unproven_until_a_drill_could_judge_it() -> None:
    error = drill(verdict="ERROR")

    assert known().state == known(error).state == "unproven"
    assert known(drill(verdict="PASS", artifact_id="another")).state == "unproven"
    assert known(drill(verdict="PASS"), error).state == "proven"


def test_the_last_drill_that_could_judge_has_the_last_word() -> None:
    passed, failed = drill(verdict="PASS", day=22), drill("rows differ", day=23)

    assert known(passed, failed).state == known(failed, passed).state == "does not restore"
    assert known(drill("rows differ", day=21), passed).state == "proven"
    # Nobody knows when one that is dated in the future was: any other has the last word over it.
    ahead = replace(failed, drill_id="20270101T000000Z-aaaaaa")
    assert known(passed, ahead).state == "proven"
    assert known(ahead).state == "does not restore"


def test_a_damaged_copy_says_nothing_of_the_other_place() -> None:
    damaged = drill("file changed", day=23)

    assert known(damaged).state == "damaged"
    twin = known(damaged, at=THERE)
    assert (twin.state, twin.usable) == ("unproven", True)
    assert f"the copy in {HERE} is damaged" in twin.sentence
    assert known(drill(verdict="PASS", day=22), damaged, at=THERE).state == "proven"


def test_a_copy_that_was_written_again_after_the_drill_is_not_what_the_drill_saw() -> None:
    damaged = drill("file changed", day=23)

    assert known(damaged, written_at=damaged.ended_at - timedelta(seconds=1)).state == "damaged"
    assert known(damaged, written_at=damaged.ended_at + timedelta(seconds=1)).state == "unproven"
    rows = drill("rows differ", day=23)
    assert known(rows, written_at=rows.ended_at + timedelta(days=1)).state == "does not restore"


def test_what_its_night_found_counts_whatever_a_drill_says() -> None:
    unsound = of_night(18, sound=False)
    judgement = judge(unsound, HERE, Sayings((drill(verdict="PASS"),)), now=NOW)

    assert (judgement.state, judgement.usable) == ("unsound", False)
    assert judgement.sentence == "not sound: table emptied (public.users)"


def test_what_a_verification_saw_counts_here_and_is_named_there() -> None:
    bad = seen("dump/1.dat", day=23)

    here = known(drill(verdict="PASS"), bad)
    assert (here.state, here.usable, here.found_bad) == ("damaged", False, True)
    assert here.sentence == f"the copy is damaged (verification {bad.verification_id})"
    assert (here.drill_id, here.verification_id) == (None, bad.verification_id)
    assert (here.damaged_files, here.if_whole) == (("dump/1.dat",), "proven")
    there = known(drill(verdict="PASS"), bad, at=THERE)
    assert there.state == "proven"
    assert there.sentence.endswith(f"the copy in {HERE} is damaged (verification {bad.verification_id})")


@pytest.mark.parametrize("bad", [seen("dump/1.dat", day=23), drill("file changed", day=23)])
def test_damage_is_over_once_a_later_reading_of_the_same_bytes_found_all_of_them_sound(
    bad: Verification | DrillSaid,
) -> None:
    assert known(bad, seen(day=24)).state == "unproven"
    assert "damaged" not in known(bad, seen(day=24), at=THERE).sentence
    # Sound before, or elsewhere, or another artifact's bytes: that says nothing.
    assert known(bad, seen(day=22)).state == "damaged"
    assert known(bad, seen(day=24, at=THERE)).state == "damaged"
    assert known(bad, seen(day=24, files_sha256="0" * 64)).state == "damaged"
    assert known(bad, seen(day=24), seen("dump/1.dat", day=25)).state == "damaged"


def test_a_reading_that_had_begun_before_the_damage_was_seen_does_not_supersede_it() -> None:
    long_one = seen(day=22, minutes=60 * 48)

    assert known(seen("dump/1.dat", day=23), long_one).state == "damaged"


def test_a_drill_that_read_the_copy_afterwards_supersedes_a_verification() -> None:
    bad = seen("dump/1.dat", day=21)

    assert known(bad, drill(verdict="PASS", day=22)).state == "proven"
    assert known(bad, drill("migrations failed", day=22)).state == "restores"
    assert known(bad, drill(verdict="ERROR", day=22)).state == "damaged"
    assert known(bad, drill(verdict="PASS", day=22, location=THERE)).state == "damaged"


def test_a_verification_proves_bytes_and_no_restore() -> None:
    assert known(seen(day=23)).state == "unproven"
    assert known(drill("rows differ", day=22), seen(day=23)).state == "does not restore"


def test_what_is_dated_in_the_future_supersedes_nothing() -> None:
    ahead = seen(day=24, verification_id="20270101T000000Z-aaaaaa")

    assert known(seen("dump/1.dat", day=23), ahead).state == "damaged"
    assert known(
        seen("dump/1.dat", day=23, verification_id="20270101T000000Z-aaaaaa"), seen(day=22)
    ).state == ("unproven")


def test_a_copy_that_was_written_again_is_not_what_a_verification_saw() -> None:
    bad = seen("dump/1.dat", day=23)

    assert known(bad, written_at=bad.ended_at).state == "damaged"
    assert known(bad, written_at=bad.ended_at + timedelta(seconds=1)).state == "unproven"


def test_which_files_a_drill_found_damaged_is_known_where_its_findings_name_files() -> None:
    path = ARTIFACT.files[0].path

    assert known(drill("file changed", damaged=(ARTIFACT.subject(path),))).damaged_files == (path,)
    assert (
        known(drill("file changed", damaged=(ARTIFACT.subject(path), "public.users"))).damaged_files is None
    )


def test_everybody_uses_the_words_of_the_one_table() -> None:
    for code, about in (
        ("rows differ", "rows"),
        ("file changed", "copy"),
        ("branch: rows differ", "disagreement"),
    ):
        assert known(drill(code)).sentence.startswith(CONSEQUENCES[about].headline)  # type: ignore[index]
    assert CONSEQUENCES["migrations"].headline in known(drill("migrations failed")).sentence


def test_every_kind_of_finding_has_a_consequence() -> None:
    assert {each.about for each in KINDS.values()} == set(CONSEQUENCES)
    for about, consequence in CONSEQUENCES.items():
        assert (consequence.artifact == "restores") == (about in BESIDE_THE_DATA)
        assert (consequence.alarm == "warning") == (about in BESIDE_THE_DATA)


def test_each_consequence_has_a_colour_and_a_mark_of_its_own() -> None:
    colours = {each.colour for each in CONSEQUENCES.values()}

    assert len(colours) == len({each.mark for each in CONSEQUENCES.values()}) == len(CONSEQUENCES)
    for colour in colours:
        # White text on it has a contrast of 4.5 at least (WCAG 2.2, AA).
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
        )
        assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5, colour


def proof(*codes: str, day: int = 23) -> DrillSaid:
    """What the proof of its night said, of the copy in the store."""
    plain = drill(*codes, verdict="FAIL" if codes else "PASS", day=day)
    return replace(plain, by="proof", location=THERE, files_sha256=files_digest(ARTIFACT.files))


def test_a_proof_proves_as_a_drill_does_and_is_named_as_what_it_is() -> None:
    found = known(proof())
    assert (found.state, found.proof_id, found.drill_id) == ("proven", proof().drill_id, None)
    assert found.sentence == f"proven (proof {proof().drill_id})"
    assert known(proof("content differs")).state == "does not restore"


def test_a_proof_of_other_bytes_says_nothing() -> None:
    assert known(replace(proof(), files_sha256="of another manifest")).state == "unproven"


@pytest.mark.parametrize(
    "code",
    [
        code
        for code, kind in KINDS.items()
        if kind.severity == "fatal" and kind.about in {"disagreement", *BESIDE_THE_DATA}
    ],
)
def test_a_proof_that_passed_refutes_no_drill_about_what_a_proof_does_not_look_at(code: str) -> None:
    failed = drill(code, day=22)
    assert known(failed, proof(day=23)).drill_id == failed.drill_id


def test_an_identity_that_opens_nothing_says_nothing_of_the_artifact() -> None:
    proven = drill(verdict="PASS", day=20)
    refused = drill(verdict="FAIL", day=22, causes=("identity",))

    assert known(refused).state == "unproven"
    assert "the identity of drill" in known(refused).sentence
    assert "did not open it" in known(refused).sentence
    assert known(proven, refused).state == "proven"
    # Who had the right one afterwards has the last word.
    assert "identity" not in known(refused, drill(verdict="PASS", day=24)).sentence


def test_a_proof_that_passed_refutes_a_drill_about_rows_and_a_drill_refutes_a_proof() -> None:
    assert known(drill("content differs", day=22), proof(day=23)).state == "proven"
    assert known(proof("content differs", day=22), drill(verdict="PASS", day=23)).state == "proven"
    assert known(proof(day=22), drill("content differs", day=23)).state == "does not restore"


def test_damage_that_a_proof_found_in_one_place_is_only_named_in_another() -> None:
    damaged = proof("file changed")
    assert known(damaged, at=THERE).state == "damaged"
    assert known(damaged, at=THERE).proof_id == damaged.drill_id
    elsewhere = known(damaged, at=HERE)
    assert elsewhere.state == "unproven"
    assert f"(proof {damaged.drill_id})" in elsewhere.sentence
