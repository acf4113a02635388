"""The plan: what it keeps, what it lets go, and the promises that hold whatever there is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hackorda_ops.config.retention import Keep
from hackorda_ops.retention.plan import LEAST_AGE, Decision, StoredArtifact, decide, kept, locked_sentence
from hackorda_ops.stores.store import PlaceName

NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)
TODAY = NOW.date()


def held(night: date, number: int = 0, *, place: PlaceName = "store", sound: bool = True) -> StoredArtifact:
    """An artifact of a night, the `number`th of it, written when it was taken."""
    captured_at = datetime.combine(night, time(2, number), tzinfo=UTC)
    artifact_id = f"{captured_at:%Y%m%dT%H%M%SZ}-{number:06x}"
    return StoredArtifact(place, artifact_id, night, captured_at, sound, 1000, captured_at)


def nightly(days: int, *, until: date = TODAY) -> list[StoredArtifact]:
    """A sound artifact of each of the last nights."""
    return [held(until - timedelta(days=age)) for age in range(days)]


def gone(decisions: Sequence[Decision]) -> list[StoredArtifact]:
    """What is deleted."""
    return [each.held for each in decisions if not each.keep]


def decided(
    artifacts: Sequence[StoredArtifact], keep: Keep | None = None, proven: Sequence[str] = ()
) -> list[Decision]:
    """The decisions on the artifacts of the store."""
    return list(decide(artifacts, {"store": keep or Keep()}, proven=proven, now=NOW))


def test_four_years_of_nights_become_nights_weeks_months_and_years() -> None:
    stays = [each.held.night for each in decided(nightly(4 * 365)) if each.keep]

    assert stays[:14] == [TODAY - timedelta(days=age) for age in range(14)]
    # The nights cover two weeks; then six Sundays, the ends of ten more months, the ends of two more years.
    assert [str(night) for night in stays[14:]] == [
        "2026-11-08",
        "2026-11-01",
        "2026-10-31",
        "2026-10-25",
        "2026-10-18",
        "2026-10-11",
        "2026-10-04",
        "2026-09-30",
        "2026-08-31",
        "2026-07-31",
        "2026-06-30",
        "2026-05-31",
        "2026-04-30",
        "2026-03-31",
        "2026-02-28",
        "2026-01-31",
        "2025-12-31",
        "2024-12-31",
    ]


@pytest.mark.parametrize("sound", [True, False])
def test_what_is_dated_after_now_is_kept_and_takes_no_others_place(sound: bool) -> None:
    nights = nightly(40)
    policy = Keep(nights=7, weeks=2, months=1, years=1)
    ahead = [held(TODAY + timedelta(days=days), sound=sound) for days in (1, 30, 400)]

    before, after = decided(nights, policy), decided([*nights, *ahead], policy)

    by_id = {each.held.artifact_id: each for each in after}
    for each in ahead:
        assert by_id[each.artifact_id].keep
        assert by_id[each.artifact_id].reasons[0] == "dated in the future: a clock was wrong when it was made"
    # Not a word of what is said of the others has changed.
    assert [each for each in after if each.held not in ahead] == before


def test_the_newest_that_a_drill_proved_is_none_that_is_dated_after_now() -> None:
    nights = nightly(40)
    last, newest, ahead = nights[35], nights[30], held(TODAY + timedelta(days=30))

    policy = Keep(nights=7, weeks=0, months=0, years=0)
    proven = [each.artifact_id for each in (last, ahead, newest)]
    after = {each.held: each for each in decided([*nights, ahead], policy, proven)}

    assert (after[last].keep, after[newest].keep, after[ahead].keep) == (True, True, True)
    assert "the newest one here that a drill proved" in after[newest].reasons


def test_every_keep_and_every_delete_has_its_reasons() -> None:
    decisions = {str(each.held.night): each for each in decided(nightly(100))}

    assert decisions["2026-11-22"].reasons == (
        "newest of its night (14 kept)",
        "newest of its week (8 kept)",
        "newest of its month (12 kept)",
        "newest of its year (3 kept)",
        "younger than 7 days",
        "written here within the last day",
    )
    assert decisions["2026-11-03"].reasons == (
        "beyond the newest 14 nights, 8 weeks, 12 months and 3 years; 15 newer sound ones here",
    )


def test_of_several_in_an_old_night_the_newest_sound_one_stays() -> None:
    night = TODAY - timedelta(days=10)
    first, second, bad = held(night), held(night, 1), held(night, 2, sound=False)

    decisions = {each.held: each for each in decided([*nightly(8), first, second, bad])}

    assert decisions[second].keep
    assert decisions[bad].reasons == ("not sound; kept as evidence as long as the nights around it",)
    assert not decisions[first].keep
    assert decisions[first].reasons == ("not the newest of its night; 9 newer sound ones here",)


def test_unsound_ones_stay_as_long_as_the_nights_around_them_and_push_none_out() -> None:
    bad = [replace(each, sound=False) for each in nightly(40)]
    good = nightly(14, until=TODAY - timedelta(days=40))

    assert gone(decided([*bad, *good])) == []
    assert gone(decided([*nightly(14), *bad[14:]])) == bad[14:]


def test_without_any_sound_one_everything_stays() -> None:
    assert gone(decided([replace(each, sound=False) for each in nightly(400)])) == []


def test_nothing_goes_because_backups_have_stopped() -> None:
    stopped = nightly(14, until=TODAY - timedelta(days=900))

    assert gone(decided(stopped)) == []


def test_the_last_proven_artifact_stays_wherever_it_lies() -> None:
    lonely, offsite = held(date(2020, 5, 5)), held(date(2020, 4, 4), place="offsite")
    proven = ("gone everywhere", offsite.artifact_id, lonely.artifact_id)
    keep = Keep(weeks=0, months=0, years=0)

    decisions = decide(
        [*nightly(30), lonely, offsite, *(replace(each, place="offsite") for each in nightly(30))],
        {"store": keep, "offsite": keep},
        proven=proven,
        now=NOW,
    )

    reasons = {each.held: each.reasons for each in decisions if each.keep}
    both = ("the last one here that a drill proved", "the newest one here that a drill proved")
    assert reasons[lonely] == reasons[offsite] == both


def test_what_a_nights_proof_has_proven_last_stays_beside_what_a_drill_has() -> None:
    drilled, proven = held(date(2020, 5, 5)), held(date(2020, 6, 6))

    decisions = decide(
        [*nightly(30), drilled, proven],
        {"store": Keep(weeks=0, months=0, years=0)},
        proven=(drilled.artifact_id,),
        proven_nights=("gone everywhere", proven.artifact_id),
        now=NOW,
    )

    reasons = {each.held: each.reasons for each in decisions if each.keep}
    assert reasons[drilled][0] == "the last one here that a drill proved"
    assert reasons[proven][0] == "the last one here that the proof of its night proved"


def test_an_old_quarter_that_is_made_up_for_does_not_cost_the_newest_proven_artifact() -> None:
    older, newest = held(date(2026, 9, 27)), held(date(2026, 10, 4))
    nights = nightly(30, until=date(2027, 4, 30))
    # Last of all, the drill of the third quarter was held, on what had been copied in it.
    proven = (older.artifact_id, newest.artifact_id)

    decisions = decide(
        [older, newest, *nights],
        {"store": Keep(weeks=0, months=0, years=0)},
        proven=proven,
        now=datetime(2027, 4, 30, 7, tzinfo=UTC),
    )

    reasons = {each.held: each.reasons for each in decisions if each.keep}
    assert reasons[older] == ("the last one here that a drill proved",)
    assert reasons[newest] == ("the newest one here that a drill proved",)


def test_what_a_drill_found_bad_takes_no_sound_ones_place_and_is_kept_as_evidence() -> None:
    bad = replace(held(TODAY - timedelta(days=60)), sound=False, found_bad=True)
    lonely = held(TODAY - timedelta(days=61))

    decisions = {each.held: each for each in decided([bad, lonely])}
    later = {
        each.held: each for each in decided([bad, lonely, *nightly(14)], Keep(weeks=0, months=0, years=0))
    }

    # As it isn't sound, it's no reason to let an older one go.
    assert decisions[lonely].reasons == (
        "newest of its night (14 kept)",
        "newest of its week (8 kept)",
        "newest of its month (12 kept)",
        "newest of its year (3 kept)",
    )
    assert not later[lonely].keep
    assert later[bad].reasons == ("found bad after its night; kept as evidence until somebody deletes it",)


def test_a_place_without_a_policy_keeps_everything_and_says_so() -> None:
    decisions = decide(nightly(400), {"store": None}, proven=(), now=NOW)

    assert gone(decisions) == []
    assert {each.reasons for each in decisions} == {("no retention is configured here: everything is kept",)}


def test_what_was_written_here_within_the_last_day_stays_however_old_it_is() -> None:
    copied = replace(held(date(2025, 3, 3)), written_at=NOW - timedelta(hours=5))

    [decision] = [each for each in decided([*nightly(700), copied]) if each.held == copied]

    assert decision.reasons == ("written here within the last day",)


def test_a_lock_keeps_what_would_go_and_tells_until_when() -> None:
    decisions = decided(nightly(60))
    [first, *_] = gone(decisions)
    why = locked_sentence(datetime(2027, 1, 1, tzinfo=UTC))

    after = kept(
        decisions,
        {("store", first.artifact_id): why, ("store", nightly(1)[0].artifact_id): why},
        held_back=True,
    )

    assert {each.held: each.reasons for each in after}[first] == (
        "object lock holds it until 2027-01-01 00:00:00 UTC",
    )
    assert len(gone(after)) == len(gone(decisions)) - 1
    assert after[0] == decisions[0]


def test_a_legal_hold_has_no_end() -> None:
    assert "until it is lifted" in locked_sentence(datetime.max.replace(tzinfo=UTC))


@pytest.mark.parametrize("nights", [0, 6])
def test_no_policy_keeps_less_than_seven_nights(nights: int) -> None:
    with pytest.raises(ValueError, match="greater than or equal to 7"):
        Keep(nights=nights)


_policies = st.builds(
    Keep,
    nights=st.integers(7, 20),
    weeks=st.integers(0, 10),
    months=st.integers(0, 14),
    years=st.integers(0, 4),
)
_artifacts = st.lists(
    st.builds(
        lambda age, number, place, sound: held(TODAY - timedelta(days=age), number, place=place, sound=sound),
        st.integers(0, 1500),
        st.integers(0, 3),
        st.sampled_from(["store", "offsite"]),
        st.booleans(),
    ),
    max_size=120,
    unique_by=lambda each: (each.place, each.artifact_id),
)


@settings(deadline=None)
@given(_artifacts, _policies, _policies, st.data())
def test_the_promises_hold_whatever_there_is(
    artifacts: list[StoredArtifact], store: Keep, offsite: Keep, data: st.DataObject
) -> None:
    ids = [each.artifact_id for each in artifacts] or ["none"]
    proven = data.draw(st.lists(st.sampled_from(ids), max_size=3))

    decisions = decide(artifacts, {"store": store, "offsite": offsite}, proven=proven, now=NOW)

    assert sorted(map(repr, artifacts)) == sorted(repr(each.held) for each in decisions)
    assert all(each.reasons for each in decisions)
    stays = {each.held for each in decisions if each.keep}
    for each in gone(decisions):
        newer = [one for one in stays if one.place == each.place and one.captured_at > each.captured_at]
        assert any(one.sound for one in newer)
        assert NOW - each.captured_at >= LEAST_AGE
        assert each.artifact_id not in proven[:1]
    for place, policy in (("store", store), ("offsite", offsite)):
        sound = [each for each in artifacts if each.place == place and each.sound]
        nights = {each.night for each in sound}
        assert len({each.night for each in stays & set(sound)}) >= min(policy.nights, len(nights))


@settings(deadline=None)
@given(_artifacts, _policies)
def test_unsound_ones_change_nothing_about_the_sound_ones(
    artifacts: list[StoredArtifact], policy: Keep
) -> None:
    def of(some: list[StoredArtifact]) -> dict[StoredArtifact, bool]:
        decisions = decide(some, {"store": policy, "offsite": policy}, proven=(), now=NOW)
        return {each.held: each.keep for each in decisions if each.held.sound}

    assert of(artifacts) == of([each for each in artifacts if each.sound])


@settings(deadline=None)
@given(_artifacts, _policies)
def test_what_one_run_keeps_the_next_one_keeps(artifacts: list[StoredArtifact], policy: Keep) -> None:
    first = decide(artifacts, {"store": policy, "offsite": policy}, proven=(), now=NOW)
    stays = [each.held for each in first if each.keep]

    again = decide(stays, {"store": policy, "offsite": policy}, proven=(), now=NOW)

    assert gone(again) == []


@settings(deadline=None)
@given(st.sets(st.integers(0, 900), max_size=300), _policies, st.integers(1, 30))
def test_deleting_often_keeps_what_deleting_once_would(ages: set[int], policy: Keep, every_days: int) -> None:
    taken = [held(TODAY - timedelta(days=age)) for age in sorted(ages, reverse=True)]
    here: list[StoredArtifact] = []
    for number, each in enumerate(taken):
        here.append(each)
        if number % every_days == 0:
            now = each.captured_at + timedelta(hours=5)
            here = [one.held for one in decide(here, {"store": policy}, proven=(), now=now) if one.keep]

    often = {one.held for one in decide(here, {"store": policy}, proven=(), now=NOW) if one.keep}

    assert often == {one.held for one in decide(taken, {"store": policy}, proven=(), now=NOW) if one.keep}
