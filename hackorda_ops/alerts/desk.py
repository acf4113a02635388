"""What was reported, and what has recovered since: the memory of a database's alarms.

All pure. A run is reported once, whichever of its attempts fails first; something overdue at most once a day for as
long as it lasts; and what was reported is called off once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from hackorda_ops.alerts import message
from hackorda_ops.alerts.message import Message, Subject, Tone
from hackorda_ops.alerts.outbox import Outbox
from hackorda_ops.errors import Problem

# How late after the newest tick a run's end may be noticed: clocks differ, and storage may be written late.
LOOKS_BACK: Final = timedelta(hours=1)
LOOKS_EVERY: Final = timedelta(minutes=5)
TOLD_AGAIN_AFTER: Final = timedelta(days=1)
# A short outage of a store is its provider's problem; a longer one hides what is overdue.
BLIND_AFTER: Final = timedelta(hours=6)
# More backfills than anybody has under way.
_SHARED_KEPT: Final = 50


@dataclass(frozen=True)
class RunEnd:
    """A run that has ended, with what it was meant to make.

    Attributes:
        run_id: as Dagster shows it.
        subject: what it was meant to make.
        ended_at: aware.
        cause: why it failed; None where it succeeded.
        failed_checks: those that did not pass, each with what it saw; unmeasured ones don't count.
        repeats: whether an earlier attempt of the same failed, which was reported.
        run: a link to it, or its id.
        headline: the cause in a few words, where the title is to say it.
        tone: how loudly a failure is reported.
        backfill: the backfill that the run is one of; None for none.
    """

    run_id: str
    subject: Subject
    ended_at: datetime
    cause: Problem | None
    failed_checks: tuple[str, ...]
    repeats: bool
    run: str
    headline: str | None = None
    tone: Tone = "failure"
    backfill: str | None = None

    @property
    def shared_reason(self) -> str | None:
        """What the runs of a backfill share that fail for one reason; None where each failure is its own.

        What has a headline of its own is about one backup, so that it's never one of many.
        """
        if self.backfill is None or self.cause is None or self.headline is not None:
            return None
        return f"{self.backfill} {self.subject.what} {self.cause.meaning}"

    @property
    def well(self) -> bool:
        """Whether it succeeded, and all its checks passed."""
        return self.cause is None and not self.failed_checks


@dataclass(frozen=True)
class Missing:
    """Something overdue: what, and the sentence for it, which is the same at every look."""

    subject: Subject
    sentence: str


@dataclass(frozen=True)
class Open:
    """An alarm that has not been called off.

    Attributes:
        title: of its message.
        partition: the one that it was about; None for a run without one.
        told_at: when, aware.
    """

    title: str
    partition: str | None
    told_at: datetime


@dataclass(frozen=True)
class Blind:
    """It can't be seen what is overdue.

    Attributes:
        since: when that was noticed, aware.
        told_at: when it was reported last; None where it doesn't last for long yet.
    """

    since: datetime
    told_at: datetime | None = None


@dataclass(frozen=True)
class Desk:
    """What is known between two ticks.

    Attributes:
        done_until: every run that ended until then was looked at.
        looked_at: when it was last checked what is overdue; None for never.
        runs: those that ended later and were looked at, with the time of their end.
        failed: the newest alarm about a failed run or check, by what it is about ("night").
        overdue: the newest alarm about something overdue, likewise.
        blind: whether it can't be seen what is overdue.
        outbox: what waits to be delivered.
        shared_reasons: why runs of a backfill fail, each reported with the first of them.
    """

    done_until: datetime
    looked_at: datetime | None = None
    runs: Mapping[str, datetime] = field(default_factory=dict)
    failed: Mapping[str, Open] = field(default_factory=dict)
    overdue: Mapping[str, Open] = field(default_factory=dict)
    blind: Blind | None = None
    outbox: Outbox = field(default_factory=Outbox)
    shared_reasons: tuple[str, ...] = ()

    def looks_again(self, now: datetime) -> bool:
        """Whether it is time to check again what is overdue.

        Args:
            now: aware.
        """
        # Either way: a clock that was set back must not stop the look.
        return self.looked_at is None or abs(now - self.looked_at) >= LOOKS_EVERY

    def is_new(self, run_id: str, ended_at: datetime) -> bool:
        """Whether a run has not been processed yet."""
        return ended_at > self.done_until and run_id not in self.runs

    def after_run(self, end: RunEnd, *, at_risk: str | None) -> tuple["Desk", Message | None]:
        """The desk after processing a new run, and what to report of it.

        Args:
            end: the run, with every older one looked at before.
            at_risk: what would be lost if the source died now, as a sentence; None if unknown.
        """
        desk = replace(self, runs={**self.runs, end.run_id: end.ended_at})
        told: Message | None
        if end.well:
            return desk._succeeded(end)
        if end.repeats or (end.shared_reason is not None and end.shared_reason in self.shared_reasons):
            return desk, None
        if end.shared_reason is not None:
            desk = replace(desk, shared_reasons=(*desk.shared_reasons, end.shared_reason)[-_SHARED_KEPT:])
        if end.cause is not None:
            told = message.failed_run(
                end.subject,
                end.cause,
                at=end.ended_at,
                at_risk=at_risk,
                run=end.run,
                headline=end.headline,
                tone=end.tone,
                backfill=end.backfill if end.shared_reason else None,
            )
        else:
            told = message.failed_checks(
                end.subject, end.failed_checks, at=end.ended_at, at_risk=at_risk, run=end.run
            )
        before = desk.failed.get(end.subject.what)
        # An old partition that can't be backfilled must not hide a newer one that has failed.
        if before is None or (before.partition or "") <= (end.subject.partition or ""):
            alarm = Open(told.title, end.subject.partition, end.ended_at)
            desk = replace(desk, failed={**desk.failed, end.subject.what: alarm})
        return desk, told

    def _succeeded(self, end: RunEnd) -> tuple["Desk", Message | None]:
        what, partition = end.subject.what, end.subject.partition or ""
        over = [
            alarm
            for alarm in (self.failed.get(what), self.overdue.get(what))
            # An old partition that was backfilled says nothing about a newer one that failed.
            if alarm is not None and (alarm.partition or "") <= partition
        ]
        if not over:
            return self, None
        told = message.recovered(end.subject, [alarm.title for alarm in over], at=end.ended_at, run=end.run)
        return self._without(over), told

    def after_runs(self, now: datetime) -> "Desk":
        """The desk after processing every run that has ended by now."""
        until = max(self.done_until, now - LOOKS_BACK)
        return replace(
            self,
            done_until=until,
            runs={run_id: ended_at for run_id, ended_at in self.runs.items() if ended_at > until},
        )

    def after_look(
        self,
        database: str,
        missing: Sequence[Missing],
        *,
        unreadable: Sequence[str],
        at_risk: str | None,
        now: datetime,
    ) -> tuple["Desk", tuple[Message, ...]]:
        """The desk after checking what is overdue, and what to report of it.

        Args:
            database: the database's name.
            missing: all that is overdue, the newest partition of each kind.
            unreadable: what hides whether anything is overdue, a sentence each. If any, nothing is called off.
            at_risk: see `after_run`.
            now: aware.
        """
        desk, told = replace(self, looked_at=now), list[Message]()
        for each in missing:
            before = desk.overdue.get(each.subject.what)
            again = before is not None and before.partition == each.subject.partition
            if before is not None and again and now - before.told_at < TOLD_AGAIN_AFTER:
                continue
            alarm = message.overdue(each.subject, each.sentence, at=now, at_risk=at_risk, again=again)
            told.append(alarm)
            late = Open(alarm.title, each.subject.partition, now)
            desk = replace(desk, overdue={**desk.overdue, each.subject.what: late})
        if unreadable:
            desk, blind = desk._blinded(database, unreadable, at_risk, now)
            return desk, (*told, *blind)
        if desk.blind is not None and desk.blind.told_at is not None:
            told.append(message.recovered(Subject(database, message.LOOK, None), (), at=now))
        desk = replace(desk, blind=None)
        for what in sorted(desk.overdue.keys() - {each.subject.what for each in missing}):
            over = [alarm for alarm in (desk.failed.get(what), desk.overdue[what]) if alarm is not None]
            subject = Subject(database, what, desk.overdue[what].partition)
            told.append(message.recovered(subject, [alarm.title for alarm in over], at=now))
            desk = desk._without(over)
        return desk, tuple(told)

    def _blinded(
        self, database: str, unreadable: Sequence[str], at_risk: str | None, now: datetime
    ) -> tuple["Desk", tuple[Message, ...]]:
        blind = self.blind or Blind(since=now)
        waits = now - blind.since < BLIND_AFTER
        if waits or (blind.told_at is not None and now - blind.told_at < TOLD_AGAIN_AFTER):
            return replace(self, blind=blind), ()
        told = message.blind(database, unreadable, since=blind.since, at=now, at_risk=at_risk)
        return replace(self, blind=replace(blind, told_at=now)), (told,)

    def _without(self, over: Sequence[Open]) -> "Desk":
        return replace(
            self,
            failed={what: alarm for what, alarm in self.failed.items() if alarm not in over},
            overdue={what: alarm for what, alarm in self.overdue.items() if alarm not in over},
        )


def begun(now: datetime) -> Desk:
    """The desk of a new installation: it looks back a little, and no further."""
    return Desk(done_until=now - LOOKS_BACK)
