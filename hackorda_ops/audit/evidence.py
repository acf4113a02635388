"""What the receipts of a database say of a period, held against its schedule. Pure, but for reading them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from hackorda_ops.calendar.due import Due, DueKind, due_between, partition_of
from hackorda_ops.calendar.partitions import quarter_name, quarter_named, week_of
from hackorda_ops.config.models import Policy, Schedule
from hackorda_ops.errors import UsageError
from hackorda_ops.proof.verdict import Verdict
from hackorda_ops.receipts.reading import Checked
from hackorda_ops.receipts.verify import KEY_KINDS, CheckedReceipt
from hackorda_ops.words import counted

# The last attempt's verdict; "missing": there's no receipt and should be; "open": it isn't late yet; "before": it was
# due before the chain began.
Outcome = Literal["PASS", "FAIL", "ERROR", "missing", "open", "before"]

_KINDS: Final[Mapping[str, DueKind]] = {
    "night": "night",
    "copy": "week",
    "drill": "quarter",
    "exercise": "year",
}
_VERDICTS: Final[Mapping[object, Verdict]] = {"PASS": "PASS", "FAIL": "FAIL", "ERROR": "ERROR"}


@dataclass(frozen=True)
class Entry:
    """A receipt, as the page shows it.

    Attributes:
        sequence: its number.
        kind: what was judged, or what happened to the key.
        about: the partition or the artifact.
        verdict: PASS, FAIL or ERROR; None for what happened to the key.
        began_at: when the work began, aware; None where the receipt doesn't say so.
        seconds: how long it took; None where it didn't end by itself.
        artifact: the artifact's id; None without one.
        detail: the kinds of the findings, and of what stopped it.
        sha256: of the receipt's file.
        signed: whether it has a signature.
    """

    sequence: int
    kind: str
    about: str
    verdict: Verdict | None
    began_at: datetime | None
    seconds: float | None
    artifact: str | None
    detail: str
    sha256: str
    signed: bool


@dataclass(frozen=True)
class Expected:
    """What the schedule asks for, and the receipts that there are of it.

    Attributes:
        due: the partition, and its time.
        name: the partition, as people name it.
        entries: every attempt, oldest first.
        outcome: see `Outcome`.
    """

    due: Due
    name: str
    entries: tuple[Entry, ...]
    outcome: Outcome


@dataclass(frozen=True)
class Evidence:
    """A database's period.

    Attributes:
        database: its name in databases.yaml.
        proven_artifacts: ids of those of which a proof passed.
        unproven: the proofs that were asked for and never begun, where proofs are made at all.
        first, last: the days of the period.
        at: when this was put together, aware.
        schedule: as it is now.
        checked: what the chain's check found.
        expected: what was due in the period, and what was made in it, by kind.
        entries: every receipt of the period, oldest first.
        began_at: when the work began that has the first receipt, aware; None where none says so.
    """

    database: str
    first: date
    last: date
    at: datetime
    schedule: Schedule
    checked: Checked
    expected: Mapping[DueKind, tuple[Expected, ...]]
    entries: tuple[Entry, ...]
    began_at: datetime | None
    proven_artifacts: frozenset[str]
    unproven: tuple[Expected, ...] = ()

    def count(self, kind: DueKind, outcome: Outcome) -> int:
        """How many partitions of a kind ended like that."""
        return sum(each.outcome == outcome for each in self.expected.get(kind, ()))

    @property
    def verdicts(self) -> Mapping[str, Counter[str]]:
        """How many receipts of each kind of work have each verdict, every attempt counted."""
        found: dict[str, Counter[str]] = {"proof": Counter()}
        for each in self.entries:
            if each.kind not in KEY_KINDS:
                found.setdefault(each.kind, Counter())[each.verdict or ""] += 1
        return found

    @property
    def proven(self) -> tuple[int, int]:
        """How many nights that passed have an artifact that a proof passed, whenever that was; and how many passed."""
        passed = [
            each.artifact
            for night in self.expected.get("night", ())
            for each in night.entries[-1:]
            if each.verdict == "PASS" and each.artifact
        ]
        return sum(artifact in self.proven_artifacts for artifact in passed), len(passed)

    @property
    def gaps(self) -> tuple[Expected, ...]:
        """What was due and has no receipt, oldest first."""
        missing = (
            each for of_kind in self.expected.values() for each in of_kind if each.outcome == "missing"
        )
        return tuple(sorted((*missing, *self.unproven), key=lambda each: each.due.at))

    @property
    def failures(self) -> tuple[Entry, ...]:
        """Every receipt of the period that says FAIL or ERROR."""
        return tuple(each for each in self.entries if each.verdict in {"FAIL", "ERROR"})


def gather(policy: Policy, checked: Checked, *, first: date, last: date, now: datetime) -> Evidence:
    """Puts together what the receipts say of a period.

    Args:
        policy: how the database is protected now.
        checked: its chain.
        first: the period's first day, in the schedule's time zone.
        last: its last day.
        now: the present, aware.

    Raises:
        UsageError: the period ends before it begins, or hasn't begun.
    """
    schedule = policy.schedule
    zone = ZoneInfo(schedule.timezone)
    start = datetime.combine(first, time(), tzinfo=zone)
    end = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone)
    if last < first or start > now:
        raise UsageError(
            f"There is no period from {first} to {last}." if last < first else f"{first} has not come yet.",
            meaning="No page was written.",
            next_step="Give --from and --to as days (2026-01-01), the first one not after the last one.",
        )
    every = [_entry(number, seen) for number, seen in sorted(checked.chain.receipts.items())]
    began_at = min((each.began_at for each in every if each.began_at), default=None)
    by_partition: dict[tuple[DueKind, date], list[Entry]] = {}
    for each in every:
        if (kind := _KINDS.get(each.kind)) is not None:
            partition = _partition(kind, each, checked.chain.receipts[each.sequence].predicate, schedule)
            if partition is not None:
                by_partition.setdefault((kind, partition), []).append(each)
    expected: dict[DueKind, tuple[Expected, ...]] = {}
    for kind in _asked(policy):
        # A second before: what is due exactly at midnight belongs to the day that begins.
        due = due_between(kind, schedule, after=start - timedelta(seconds=1), until=min(end, now))
        asked = {each.partition: each for each in due if each.at < end}
        for (of_kind, partition), entries in by_partition.items():
            # Made in the period, and due before it: late, or for a quarter that began earlier.
            at = next(
                (each.began_at for each in entries if each.began_at and start <= each.began_at < end), None
            )
            if of_kind == kind and at is not None:
                asked.setdefault(partition, Due(kind, partition, at))
        expected[kind] = tuple(
            _expected(
                asked[partition], tuple(by_partition.get((kind, partition), ())), schedule, began_at, now
            )
            for partition in sorted(asked)
        )
    return Evidence(
        checked.database,
        first,
        last,
        now,
        schedule,
        checked,
        expected,
        tuple(each for each in every if each.began_at is not None and start <= each.began_at < end),
        began_at,
        frozenset(each.about for each in every if each.kind == "proof" and each.verdict == "PASS"),
        tuple(_unproven(policy, expected["night"], every, now)),
    )


def _unproven(
    policy: Policy, nights: Sequence[Expected], every: Sequence[Entry], now: datetime
) -> Iterator[Expected]:
    """The proofs of nights that passed, which nobody has begun.

    They are asked for from the first proof on that there is, or by databases.yaml.
    """
    proofs = [each for each in every if each.kind == "proof"]
    if policy.proof.every == "off" or not (policy.proof.demanded or proofs):
        return
    since = min((each.began_at for each in proofs if each.began_at), default=None)
    begun = {each.about for each in proofs}
    allowed = timedelta(hours=policy.schedule.grace_hours, minutes=policy.proof.within_minutes)
    tried = {night.due.partition for night in nights if any(each.artifact in begun for each in night.entries)}
    tried_weeks = {week_of(each) for each in tried}
    told: set[date] = set()
    for night in nights:
        week = week_of(night.due.partition)
        late = night.due.at + allowed <= now and (since is None or night.due.at >= since)
        if night.outcome != "PASS" or not late or night.due.partition in tried:
            continue
        if policy.proof.every == "week":
            if week in tried_weeks or week in told or night.due.at + timedelta(days=7) > now:
                continue
            told.add(week)
            yield Expected(night.due, f"proof of a night of the week of {week}", (), "missing")
        else:
            yield Expected(night.due, f"proof of {night.name}", (), "missing")


def _asked(policy: Policy) -> Iterator[DueKind]:
    yield "night"
    if policy.copies == "weekly":
        yield "week"
    yield "quarter"
    if policy.keeps_history:
        yield "year"


def _expected(
    due: Due, entries: tuple[Entry, ...], schedule: Schedule, began_at: datetime | None, now: datetime
) -> Expected:
    names = {
        "night": str(due.partition),
        "week": f"week of {due.partition}",
        "quarter": quarter_name(due.partition),
        "year": str(due.partition.year),
    }
    outcome: Outcome = "missing"
    if entries:
        outcome = entries[-1].verdict or "ERROR"
    elif due.at + timedelta(hours=schedule.grace_hours) > now:
        outcome = "open"
    elif began_at is not None and due.at < began_at:
        outcome = "before"
    return Expected(due, names[due.kind], entries, outcome)


def _entry(number: int, seen: CheckedReceipt) -> Entry:
    """A receipt's own words, of which none need be what they should: also a signed one may be of another release."""
    said = seen.predicate
    began_at, ended_at = _moment(said.get("began_at")), _moment(said.get("ended_at"))
    artifact = said.get("artifact")
    artifact_id = artifact.get("id") if isinstance(artifact, dict) else None
    verdict = said.get("verdict")
    return Entry(
        sequence=number,
        kind=seen.kind,
        about=str(said.get("about", "")),
        verdict=_VERDICTS.get(verdict) if isinstance(verdict, str) else None,
        began_at=began_at,
        seconds=(ended_at - began_at).total_seconds() if began_at and ended_at else None,
        artifact=artifact_id if isinstance(artifact_id, str) else None,
        detail=_detail(said),
        sha256=seen.sha256,
        signed=seen.key_id is not None,
    )


def _detail(said: Mapping[str, Any]) -> str:
    told = []
    findings = said.get("findings")
    for each in findings if isinstance(findings, list) else []:
        if isinstance(each, dict):
            told.append(f"{each.get('code')} ({each.get('severity')}, {each.get('count')})")
    if isinstance(error := said.get("error"), str):
        told.append(error)
    deleted = said.get("deleted")
    if isinstance(deleted, list):
        told.append(f"{counted(len(deleted), 'artifact')} deleted: {', '.join(map(str, deleted[:50]))}")
    return "; ".join(told)


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def _partition(kind: DueKind, entry: Entry, said: Mapping[str, Any], schedule: Schedule) -> date | None:
    """Which partition an attempt was for: as it says itself, or else the one in which it began."""
    by_itself = _named(kind, entry.about, said)
    if by_itself is not None:
        return by_itself
    return partition_of(kind, entry.began_at, schedule) if entry.began_at else None


def _named(kind: DueKind, about: str, said: Mapping[str, Any]) -> date | None:
    try:
        if kind == "night":
            return date.fromisoformat(about)
        if kind == "week":
            if about.startswith("week of "):
                return date.fromisoformat(about.removeprefix("week of "))
            artifact = said.get("artifact")
            return week_of(date.fromisoformat(artifact["night"])) if isinstance(artifact, dict) else None
        if kind == "quarter":
            return quarter_named(about)
        return date(int(about[:4]), 1, 1) if re.fullmatch(r"\d{4}-Q[1-4]", about) else None
    except (ValueError, KeyError, TypeError, UsageError):
        return None


@dataclass(frozen=True)
class Cell:
    """A night in the calendar: which column and row, and how it ended ("none" where none was due)."""

    x: int
    y: int
    outcome: str
    label: str


@dataclass(frozen=True)
class Strip:
    """A year of nights, a column for each week.

    Attributes:
        year: which.
        width: in the units of its cells.
        cells: one for each day of the period.
        months: where each month begins, and its name.
    """

    year: int
    width: int
    cells: tuple[Cell, ...]
    months: tuple[tuple[int, str], ...]


CELL: Final = 14
"""How wide a night is in a strip, with the space beside it."""


def strips(evidence: Evidence) -> Sequence[Strip]:
    """The calendar of the period's nights."""
    by_night = {each.due.partition: each for each in evidence.expected.get("night", ())}
    found = []
    for year in range(evidence.first.year, evidence.last.year + 1):
        first = max(evidence.first, date(year, 1, 1))
        last = min(evidence.last, date(year, 12, 31))
        monday = week_of(first)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        cells, months = [], []
        for day in days:
            x = (day - monday).days // 7 * CELL
            night = by_night.get(day)
            outcome = night.outcome if night else "none"
            cells.append(Cell(x, day.weekday() * CELL, outcome, f"{day}: {_TOLD[outcome]}"))
            if day.day == 1 or day == first:
                months.append((x, f"{day:%b}"))
        found.append(Strip(year, cells[-1].x + CELL, tuple(cells), _apart(months)))
    return found


def _apart(months: list[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    """Names that would run into the next are left out."""
    following = [*(x for x, _ in months[1:]), 1_000_000]
    return tuple(each for each, x in zip(months, following, strict=True) if x - each[0] >= 2 * CELL)


_TOLD: Final = {
    "PASS": "PASS",
    "FAIL": "FAIL",
    "ERROR": "ERROR",
    "missing": "no receipt, and one was due",
    "open": "not late yet",
    "before": "before the first receipt",
    "none": "none was due",
}
