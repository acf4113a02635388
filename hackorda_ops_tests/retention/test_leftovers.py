"""What is left behind, and what of it may be removed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hackorda_ops.config.models import Schedule
from hackorda_ops.drill.report.history import DrillHistory, UnreadReport
from hackorda_ops.retention.leftovers import leftovers, remains
from hackorda_ops.retention.proven import Proven, proven
from hackorda_ops.stores.store import StoredVersion
from hackorda_ops_tests.drill import results

NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)
IDS = ("20261101T210000Z-00000a", "20261102T210000Z-00000b", "20261103T210000Z-00000c")


def version(key: str, age_hours: float = 48, *, current: bool = True, marker: bool = False) -> StoredVersion:
    """A version of a file."""
    modified_at = NOW - timedelta(hours=age_hours)
    return StoredVersion(key, 0 if marker else 10, modified_at, "v", current=current, marker=marker)


_versions = st.lists(
    st.builds(
        lambda folder, name, age, current, marker: version(
            f"db/{folder}/{name}", age, current=current, marker=marker
        ),
        st.sampled_from([*IDS, "operations", "drills", "20269999T999999Z-aaaaaa"]),
        st.sampled_from(["manifest.json", "dump/1.dat", "dump/manifest.json", "RESTORE.md"]),
        st.sampled_from([1, 23, 25, 400]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(_versions, st.sets(st.sampled_from(IDS)), st.sets(st.sampled_from(IDS)))
def test_nothing_of_an_artifact_or_of_one_in_the_making_is_ever_removed(
    versions: list[StoredVersion], wanted: set[str], may_come: set[str]
) -> None:
    found = leftovers(
        "db", "offsite", versions, wanted=dict.fromkeys(wanted, "a reason"), may_come=may_come, now=NOW
    )

    whole = {
        each.key.split("/")[1]
        for each in versions
        if each.is_file and each.key == f"db/{each.key.split('/')[1]}/manifest.json"
    }
    for each in found:
        artifact_id = each.subject.removeprefix("db/")
        assert artifact_id in IDS
        assert artifact_id not in whole
        assert {one.key.split("/")[1] for one in each.versions} == {artifact_id}
        if each.remove:
            assert artifact_id not in wanted
            assert not (each.of_files and artifact_id in may_come)
            assert all(NOW - one.modified_at > timedelta(hours=24) for one in each.versions)
    left = {each.key.split("/")[1] for each in versions} & set(IDS) - whole
    assert {held.artifact_id for held in remains("offsite", versions, Schedule())} == left
    assert {each.subject.removeprefix("db/") for each in found} == left


def test_earlier_versions_of_the_page_are_left_over_and_the_page_is_not() -> None:
    page = "db/operations-log.md"
    versions = [version(page), version(page, current=False), version(page, 3, current=False)]

    [found] = leftovers("db", "offsite", versions, wanted={}, may_come=(), now=NOW)

    assert (found.subject, found.remove, found.versions) == (page, True, (versions[1],))


def test_earlier_versions_of_the_readiness_page_are_left_over_and_the_page_is_not() -> None:
    versions = [version("readiness.html"), version("readiness.html", current=False)]

    [found] = leftovers("db", "store", versions, wanted={}, may_come=(), now=NOW)

    assert (found.subject, found.remove, found.versions) == ("readiness.html", True, (versions[1],))


def test_what_is_left_counts_for_the_night_of_the_databases_own_time_zone() -> None:
    [found] = remains("store", [version(f"db/{IDS[0]}/dump/1.dat")], Schedule(timezone="Asia/Almaty"))

    assert str(found.night) == "2026-11-02"


def bad_in(found: Proven) -> set[str]:
    """The artifacts that the last drill that could judge them has something against."""
    last = {each.artifact_id: each for each in found.said}
    return {each.artifact_id for each in last.values() if not each.came_back}


# When all drills below are over.
AFTER_ALL = datetime(2028, 1, 1, tzinfo=UTC)


def test_the_last_passed_drill_comes_first_and_failed_ones_prove_nothing() -> None:
    first, second = results.sound(), results.sound(drill_id="20270222T040007Z-4c5d6e")
    assert first.artifact is not None
    second = replace(second, artifact=replace(first.artifact, artifact_id="another"))
    failed = results.bad(drill_id="20270322T040007Z-4c5d6e")

    found = proven([DrillHistory((first,), ()), DrillHistory((second, failed), ())], now=AFTER_ALL)

    # The artifact that was proven first was drilled again since.
    assert found.artifact_ids == ("another",)
    assert bad_in(found) == {first.artifact.artifact_id}
    assert found.unknown == ()


def test_what_a_drill_found_bad_is_so_until_a_later_drill_passes_it() -> None:
    bad = results.bad()
    assert bad.artifact is not None
    error = results.unjudged(drill_id="20270222T040007Z-4c5d6e", artifact=bad.artifact)
    passed = results.sound(drill_id="20270322T040007Z-4c5d6e", artifact=bad.artifact)

    assert bad_in(proven([DrillHistory((bad, error), ())], now=AFTER_ALL)) == {bad.artifact.artifact_id}
    assert bad_in(proven([DrillHistory((bad, error, passed), ())], now=AFTER_ALL)) == set()
    assert proven([DrillHistory((bad, error, passed), ())], now=AFTER_ALL).artifact_ids == (
        bad.artifact.artifact_id,
    )
    again = replace(bad, drill_id="20270422T040007Z-4c5d6e")
    assert bad_in(proven([DrillHistory((bad, passed, again), ())], now=AFTER_ALL)) == {
        bad.artifact.artifact_id
    }
    assert proven([DrillHistory((bad, passed, again), ())], now=AFTER_ALL).artifact_ids == ()


def test_an_unread_report_counts_while_it_may_be_of_a_newer_artifact_than_the_last_drills() -> None:
    between = UnreadReport("20261122T040007Z-aaaaaa", "before the last drill, and after its artifact")
    made_up_for = results.sound(drill_id="20270101T040007Z-4c5d6e")

    assert proven([DrillHistory((made_up_for,), (between,))], now=AFTER_ALL).unknown == (between.why,)


def test_an_unread_report_counts_where_it_is_newer_and_nobody_else_has_it() -> None:
    newer, older = (
        UnreadReport("20270101T000000Z-aaaaaa", "newer"),
        UnreadReport("20260101T000000Z-a", "older"),
    )
    drill = results.sound()

    assert proven([DrillHistory((drill,), (newer, older))], now=AFTER_ALL).unknown == ("newer",)
    assert proven([DrillHistory((), (newer, older))], now=AFTER_ALL).unknown == ("newer", "older")
    elsewhere = results.bad(drill_id=newer.drill_id)
    assert (
        proven([DrillHistory((drill,), (newer,)), DrillHistory((elsewhere,), ())], now=AFTER_ALL).unknown
        == ()
    )


def test_a_drill_that_is_dated_after_now_has_the_last_word_over_no_other() -> None:
    passed = results.sound(drill_id="20270222T040007Z-4c5d6e")
    failed = results.bad(drill_id="20270322T040007Z-4c5d6e")
    assert passed.artifact is not None
    failed = replace(failed, artifact=passed.artifact)
    between = datetime(2027, 3, 1, tzinfo=UTC)

    assert bad_in(proven([DrillHistory((passed, failed), ())], now=AFTER_ALL)) == {
        passed.artifact.artifact_id
    }
    assert bad_in(proven([DrillHistory((passed, failed), ())], now=between)) == set()
    # Where there is no other, a FAIL is a FAIL.
    assert bad_in(proven([DrillHistory((failed,), ())], now=between)) == {passed.artifact.artifact_id}


def test_a_proven_artifact_that_is_dated_after_now_hides_no_unread_report() -> None:
    drill = results.sound()
    assert drill.artifact is not None
    ahead = replace(drill, artifact=replace(drill.artifact, artifact_id="20290101T000000Z-aaaaaa"))
    unread = UnreadReport("20270301T040007Z-aaaaaa", "of a newer one, for all that anybody knows")

    assert proven([DrillHistory((ahead,), (unread,))], now=AFTER_ALL).unknown == (unread.why,)
