"""Decides which artifacts are kept: pure, with a reason for each keep and each delete.

Its promises, whatever the artifacts and the policy:

- the artifact that a drill proved last is kept, wherever it is, and so is the newest that any drill proved;
- what a drill or a verification found bad is kept as evidence;
- what is pinned is kept, and takes no other's place;
- nothing is deleted before there is a newer sound artifact in the same place;
- nothing is deleted that is younger than `LEAST_AGE`, or that was written there within the last day;
- artifacts that aren't sound take no sound one's place;
- what is dated in the future is kept, and takes no other's place.

It counts artifacts and not days: the newest 14 nights are 14 nights with a sound artifact, so nothing
is lost because backups have stopped.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final

from hackorda_ops.calendar.clocks import is_ahead
from hackorda_ops.calendar.partitions import week_of, year_of
from hackorda_ops.config.retention import Keep
from hackorda_ops.stores.store import ABANDONED_AFTER, PlaceName
from hackorda_ops.words import counted, moment

# What the first users' documents ask for: "Retain at least 7 days".
LEAST_AGE: Final = timedelta(days=7)


@dataclass(frozen=True)
class StoredArtifact:
    """An artifact in one place.

    Attributes:
        place: the nightly store, or off-site.
        artifact_id: its id.
        night: the local date that it stands for.
        captured_at: the moment that it holds, aware.
        sound: whether nothing was found against it.
        size_bytes: of all its files there, the manifest included.
        written_at: when the newest of its files was written there, aware.
        found_bad: it was found damaged, or not to restore, and nothing has said otherwise since; it isn't sound then.
        judgement: what is known of it, as people read it.
    """

    place: PlaceName
    artifact_id: str
    night: date
    captured_at: datetime
    sound: bool
    size_bytes: int
    written_at: datetime
    found_bad: bool = False
    judgement: str = ""


@dataclass(frozen=True)
class Decision:
    """What becomes of an artifact in one place.

    Attributes:
        held: the artifact.
        keep: False: it's deleted.
        reasons: why, at least one.
        held_back: it stays only because it can't be deleted yet.
    """

    held: StoredArtifact
    keep: bool
    reasons: tuple[str, ...]
    held_back: bool = False


def decide(
    artifacts: Iterable[StoredArtifact],
    policies: Mapping[PlaceName, Keep | None],
    *,
    proven: Sequence[str],
    pinned: Mapping[str, str] = MappingProxyType({}),
    now: datetime,
    proven_nights: Sequence[str] = (),
) -> tuple[Decision, ...]:
    """Decides on every artifact; place by place, newest first.

    Args:
        artifacts: a database's, in any order.
        policies: how much is kept in each place; None for everything.
        proven: ids of the artifacts that drills have proven, that of the last drill first.
        pinned: why people keep artifacts, by id.
        now: the present, aware.
        proven_nights: ids of those that the proofs of nights have proven, that of the last proof first.
    """
    by = {"a drill": proven, "the proof of its night": proven_nights}
    held = sorted(artifacts, key=lambda each: (each.captured_at, each.artifact_id), reverse=True)
    return tuple(
        decision
        for place, policy in policies.items()
        for decision in _in_one_place([each for each in held if each.place == place], policy, by, pinned, now)
    )


def kept(
    decisions: Iterable[Decision], why: Mapping[tuple[PlaceName, str], str], *, held_back: bool
) -> tuple[Decision, ...]:
    """The decisions, with some artifacts that were to be deleted kept after all.

    Args:
        decisions: as `decide` gave them.
        why: a reason by place and artifact id.
        held_back: whether they would go if they could.
    """
    return tuple(
        Decision(each.held, True, (why[place],), held_back)
        if not each.keep and (place := (each.held.place, each.held.artifact_id)) in why
        else each
        for each in decisions
    )


def _in_one_place(
    held: Sequence[StoredArtifact],
    policy: Keep | None,
    proven: Mapping[str, Sequence[str]],
    pinned: Mapping[str, str],
    now: datetime,
) -> list[Decision]:
    if policy is None:
        everything = ("no retention is configured here: everything is kept",)
        return [
            Decision(each, True, (pinned[each.artifact_id],) if each.artifact_id in pinned else everything)
            for each in held
        ]
    reasons = {
        each.artifact_id: [pinned[each.artifact_id]] if each.artifact_id in pinned else [] for each in held
    }
    ahead = {each.artifact_id for each in held if is_ahead(each.captured_at, now)}
    for artifact_id in ahead:
        reasons[artifact_id].append("dated in the future: a clock was wrong when it was made")
    in_time = [each for each in held if each.artifact_id not in ahead]
    sound = [each for each in in_time if each.sound]
    for artifact_id, reason in _of_periods(sound, policy):
        reasons[artifact_id].append(reason)
    for who, ids in proven.items():
        for artifact_id in [each for each in ids if each in reasons][:1]:
            reasons[artifact_id].append(f"the last one here that {who} proved")
        # An old quarter that is backfilled proves an old artifact, after a newer one was proven.
        known = frozenset(ids)
        for artifact_id in [each.artifact_id for each in in_time if each.artifact_id in known][:1]:
            reasons[artifact_id].append(f"the newest one here that {who} proved")
    nights_since = _oldest_night_kept(sound, policy)
    for each in held:
        if each.found_bad:
            reasons[each.artifact_id].append(
                "found bad after its night; kept as evidence until somebody deletes it"
            )
        elif not each.sound and (nights_since is None or each.captured_at >= nights_since):
            reasons[each.artifact_id].append("not sound; kept as evidence as long as the nights around it")
        if now - each.captured_at < LEAST_AGE:
            reasons[each.artifact_id].append(f"younger than {LEAST_AGE.days} days")
        if now - each.written_at < ABANDONED_AFTER:
            reasons[each.artifact_id].append("written here within the last day")
    stay = _Staying([each for each in sound if reasons[each.artifact_id]])
    return [
        Decision(each, True, tuple(reasons[each.artifact_id]))
        if reasons[each.artifact_id]
        else Decision(each, False, (_beyond(each, stay, policy),))
        for each in held
    ]


class _Staying:
    """The sound artifacts that are kept, newest first, to be asked about each of those that go."""

    def __init__(self, stay: Sequence[StoredArtifact]) -> None:
        self._moments = sorted(each.captured_at for each in stay)
        self._newest_of_night = {each.night: each.captured_at for each in reversed(stay)}

    def newer_than(self, held: StoredArtifact) -> int:
        """How many hold a later moment."""
        return len(self._moments) - bisect_right(self._moments, held.captured_at)

    def has_newer_of_its_night(self, held: StoredArtifact) -> bool:
        """Whether one of them is of the same night, and later."""
        newest = self._newest_of_night.get(held.night)
        return newest is not None and newest > held.captured_at


def _of_periods(sound: Sequence[StoredArtifact], policy: Keep) -> Iterable[tuple[str, str]]:
    """The newest artifact of each of the newest periods, by id, with the reason. `sound` is newest first."""
    for name, number, period_of in (
        ("night", policy.nights, lambda night: night),
        ("week", policy.weeks, week_of),
        ("month", policy.months, lambda night: night.replace(day=1)),
        ("year", policy.years, year_of),
    ):
        newest: dict[date, str] = {}
        for each in sound:
            newest.setdefault(period_of(each.night), each.artifact_id)
        for period in sorted(newest, reverse=True)[:number]:
            yield newest[period], f"newest of its {name} ({number} kept)"


def _oldest_night_kept(sound: Sequence[StoredArtifact], policy: Keep) -> datetime | None:
    newest: dict[date, datetime] = {}
    for each in sound:
        newest.setdefault(each.night, each.captured_at)
    nights = sorted(newest, reverse=True)[: policy.nights]
    return min((newest[night] for night in nights), default=None)


def _beyond(held: StoredArtifact, stay: _Staying, policy: Keep) -> str:
    if not held.sound:
        why = f"not sound, and older than the {policy.nights} nights that are kept"
    elif stay.has_newer_of_its_night(held):
        why = "not the newest of its night"
    else:
        why = (
            f"beyond the newest {counted(policy.nights, 'night')}, {counted(policy.weeks, 'week')}, "
            f"{counted(policy.months, 'month')} and {counted(policy.years, 'year')}"
        )
    return f"{why}; {counted(stay.newer_than(held), 'newer sound one')} here"


def locked_sentence(until: datetime) -> str:
    """Why something that object lock holds is kept."""
    if until.year == datetime.max.year:  # noqa: DTZ901  # only its year
        return "a legal hold keeps it until it is lifted"
    return f"object lock holds it until {moment(until)}"
