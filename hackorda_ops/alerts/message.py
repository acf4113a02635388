"""The text of an alarm, which must stand on its own: the subject first, as a phone shows no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from hackorda_ops.calendar.partitions import quarter_name
from hackorda_ops.errors import Problem
from hackorda_ops.words import moment

Tone = Literal["failure", "warning", "success", "info"]

# The check of what is overdue, where an alarm is about that check itself.
LOOK: Final = "what is overdue"

# Of what a run says about itself. Services accept a few thousand characters at most; Dagster has all of it.
_LONGEST_CAUSE: Final = 1000


@dataclass(frozen=True)
class Subject:
    """What an alarm is about.

    Attributes:
        database: its name; None for what concerns none, or several.
        what: "night", "week", "quarter" or "year", or whatever else a run makes ("sweep").
        partition: of which night, week, quarter or year ("2026-11-08"); None for a run without one.
    """

    database: str | None
    what: str
    partition: str | None

    def __str__(self) -> str:
        return f"{self.database}, {self._words}" if self.database else self._words

    @property
    def _words(self) -> str:
        if self.partition is None:
            return self.what
        if self.what == "quarter":
            return f"drill of {quarter_name(date.fromisoformat(self.partition))}"
        if self.what == "year":
            return f"recovery exercise of {self.partition[:4]}"
        return f"{self.what} of {self.partition}"


@dataclass(frozen=True)
class Message:
    """One thing to report. Holds no secret.

    Attributes:
        title: one line: what happened to what.
        body: all the rest, as plain lines.
        tone: how loudly a service shows it.
        at: when it came to light, aware.
    """

    title: str
    body: str
    tone: Tone
    at: datetime

    @property
    def text(self) -> str:
        """Title and body together, for services that have no titles."""
        return f"{self.title}\n{self.body}"


def failed_run(
    subject: Subject,
    cause: Problem,
    *,
    at: datetime,
    at_risk: str | None,
    run: str,
    headline: str | None = None,
    tone: Tone = "failure",
    backfill: str | None = None,
) -> Message:
    """A run that ended without its result.

    Args:
        subject: what it was meant to make.
        cause: why it failed.
        at: when it ended.
        at_risk: what would be lost if the source died now, as a sentence; None if unknown.
        run: a link to it, or its id.
        headline: the cause in a few words, so that a phone shows it: "the copy is damaged".
        tone: a warning where the backup can be relied on all the same.
        backfill: the one that it's a run of, whose other runs are not reported for the same cause; None for none.
    """
    return _message(
        f"FAILED: {subject}: {headline}" if headline else f"FAILED: {subject}",
        (
            _cut(cause.what),
            f"What it means: {cause.meaning}",
            _at_risk(at_risk),
            f"Next step: {cause.next_step}",
            f"It is one of the backfill {backfill}: others of it that fail for the same reason are not reported."
            if backfill
            else None,
        ),
        tone=tone,
        at=at,
        run=run,
    )


def failed_checks(
    subject: Subject, checks: Sequence[str], *, at: datetime, at_risk: str | None, run: str
) -> Message:
    """Checks that did not pass, of a run that succeeded; see `failed_run`.

    Args:
        subject: what the run was to make.
        checks: each with what it saw, a line each.
        at: when it ended, aware.
        at_risk: what would be lost if the source died now, as a sentence; None if unknown.
        run: a link to it, or its id.
    """
    return _message(
        f"CHECK FAILED: {subject}",
        (
            "The run succeeded, but not all of its checks passed:",
            _cut("\n".join(f"- {check}" for check in checks)),
            "What it means: What the run made is there, but what these checks are for isn't proven.",
            _at_risk(at_risk),
            "Next step: Read in the run what the checks saw, and decide whether that is as it should be.",
        ),
        tone="warning",
        at=at,
        run=run,
    )


def overdue(subject: Subject, sentence: str, *, at: datetime, at_risk: str | None, again: bool) -> Message:
    """Something that should have been there by now; see `failed_run`.

    Args:
        subject: what is overdue.
        sentence: what is missing, and since when.
        at: when that was noticed, aware.
        at_risk: what would be lost if the source died now, as a sentence; None if unknown.
        again: whether it was reported before.
    """
    return _message(
        f"{'STILL OVERDUE' if again else 'OVERDUE'}: {subject}",
        (
            sentence,
            _at_risk(at_risk),
            "Next step: Check in Dagster whether its run failed, still runs or never started, and whether the daemon "
            "is alive; then materialize that partition.",
        ),
        tone="failure",
        at=at,
    )


def blind(
    database: str, unreadable: Sequence[str], *, since: datetime, at: datetime, at_risk: str | None
) -> Message:
    """It can't be seen what is overdue; see `failed_run`.

    Args:
        database: the database's name in databases.yaml.
        unreadable: what could not be read, a sentence each.
        since: when that was noticed.
        at: the time of this message, aware.
        at_risk: what would be lost if the source died now, as a sentence; None if unknown.
    """
    return _message(
        f"NOT SEEN: {Subject(database, LOOK, None)}",
        (
            f"Since {moment(since)} this could not be read:",
            _cut("\n".join(f"- {each}" for each in unreadable)),
            "What it means: If a night, a copy or a drill is missing, nobody will notice.",
            _at_risk(at_risk),
            "Next step: Check that the store and the off-site bucket answer, and accept their credentials.",
        ),
        tone="warning",
        at=at,
    )


def recovered(subject: Subject, told: Sequence[str], *, at: datetime, run: str | None = None) -> Message:
    """What was reported before is over.

    Args:
        subject: what recovered.
        told: the titles of what was reported.
        at: when it recovered.
        run: a link to the run that did it, or its id; None where no run is known.
    """
    return _message(
        f"RECOVERED: {subject}",
        ("All is well again.", *(["This is over:"] if told else []), *(f"- {title}" for title in told)),
        tone="success",
        at=at,
        run=run,
    )


def trial(at: datetime, sender: str) -> Message:
    """A message that only proves that messages arrive."""
    return _message(
        "TEST: hackorda_ops can reach you here",
        (f"Sent by hand from {sender}. Nothing is wrong, and there's nothing to do.",),
        tone="info",
        at=at,
    )


def _message(
    title: str, lines: Sequence[str | None], *, tone: Tone, at: datetime, run: str | None = None
) -> Message:
    end = [f"When: {moment(at)}", *([f"Run: {run}"] if run else [])]
    return Message(title, "\n".join((*(line for line in lines if line), *end)), tone, at)


def _at_risk(sentence: str | None) -> str | None:
    return f"At risk: {sentence}" if sentence else None


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_CAUSE else f"{text[: _LONGEST_CAUSE - 2].rstrip()} …"
