"""The sensor that raises the alarms of all databases: a failed run, a failed check, something overdue.

What was reported of a database, and what waits to be delivered, is a value in Dagster's own storage: it survives
restarts of every process, the pods of a cluster share it, and a tick that fails keeps it, which a sensor's cursor
doesn't. Each database has its own value, and its own turn in a tick: no other's alarms wait for it.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import dagster as dg
from dagster import DagsterInstance
from pydantic import TypeAdapter, ValidationError

from hackorda_ops.alerts.channels import configured
from hackorda_ops.alerts.delivery import deliver
from hackorda_ops.alerts.desk import Desk, Missing, begun
from hackorda_ops.alerts.message import Message, Subject
from hackorda_ops.config.models import Config
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError, RetryableError
from hackorda_ops.in_time import within
from hackorda_ops.maintenance.window import held
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.names import for_all
from hackorda_ops.orchestration.runs import ui_url_of
from hackorda_ops.orchestration.sensors.run_ends import new_ends
from hackorda_ops.orchestration.sensors.side_by_side import SideBySide, raise_errors, sentences
from hackorda_ops.readiness.at_risk import at_risk
from hackorda_ops.readiness.standing import Standing, read_standing, unread

NAME: Final = "raise_alarms"
_OF_NO_DATABASE: Final = ""
_TICK_EVERY_SECONDS: Final = 15
# Together with the longest delivery that has begun, well below the minute that Dagster gives a tick: one that it
# gives up would go on alongside the next.
_READING_SECONDS: Final = 12.0
_WINDOW_SECONDS: Final = 4.0
_DELIVERING_SECONDS: Final = 10.0
_DESKS: Final = TypeAdapter(Desk)


def alarms(config: Config, *, among_others: bool = False) -> dg.SensorDefinition:
    """Reports what goes wrong with any database, and when it's over.

    Args:
        config: of all.
        among_others: whether others have jobs in the code location, which raise their own alarms.
    """
    databases = SideBySide((*config.databases, _OF_NO_DATABASE))

    @dg.sensor(
        name=for_all(config, NAME),
        description="Reports every failed run, failed check and overdue night, copy or drill of every database, once, "
        "and when it's over. A tick fails where a message can't be delivered; the message is tried again.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_TICK_EVERY_SECONDS,
    )
    def tell(
        context: dg.SensorEvaluationContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> dg.SkipReason:
        now = clock.now()
        # Both are made when they are first asked for, which two threads must not do at once.
        _ = context.instance, context.log
        looked = databases.look(
            lambda name: _Tick(
                context, name or None, config, environ, now, databases.storage, among_others
            ).told()
        )
        raise_errors(looked)
        return dg.SkipReason(sentences((each.database, each.put_off or each.made or "") for each in looked))

    return tell


@dataclass(frozen=True)
class _Tick:
    """One look at everything, and what follows from it."""

    context: dg.SensorEvaluationContext
    name: str | None
    config: Config
    environ: Mapping[str, str]
    now: datetime
    storage: threading.Lock
    among_others: bool = False
    read: list[Standing | OpsError] = field(default_factory=list)

    def told(self) -> str:
        """Looks, remembers, delivers; returns what was reported, and what waits.

        Raises:
            RetryableError: a channel did not accept a message just now.
        """
        channels = configured(self.config.alerts, self.environ)
        known, messages = self._after_look(*self._after_runs(self._known()))
        for message in messages:
            (self.context.log.info if message.tone == "success" else self.context.log.error)(message.text)
        known = self._queued(known, messages, [channel.name for channel in channels])
        # Before anything is delivered: what is noticed is noticed once.
        self._save(known)
        delivery = deliver(
            known.outbox,
            channels,
            save=lambda outbox: self._save(replace(known, outbox=outbox)),
            clock=clock.now,
            budget_seconds=_DELIVERING_SECONDS,
        )
        for sentence in delivery.given_up:
            self.context.log.error(sentence)
        waiting = delivery.outbox.told()
        if delivery.failed:
            raise RetryableError(
                "\n".join((*delivery.given_up, *waiting)),
                meaning="Nobody on that channel has received these alarms. Those that wait are tried again.",
                next_step="Try the channels with `hackorda-ops alerts test`. Until one works, each message is in the "
                "log of the tick that noticed it.",
            )
        told = [f"Reported: {message.title}" for message in messages]
        return "\n".join((*told, *waiting)) or "There is nothing to report."

    def _known(self) -> Desk:
        with self.storage:
            stored = _load(self.context.instance, self.name)
        known = _desk_in(stored) if stored else begun(self.now)
        if known is not None:
            return known
        self.context.log.error(
            "The alarms' state was written by another release and can't be read. "
            "Waiting messages are lost: each is in the log of the tick that noticed it. What was reported before is "
            "not called off, and what is still overdue is reported again."
        )
        # Better to begin anew than never to report anything again.
        return begun(self.now)

    def _save(self, known: Desk) -> None:
        with self.storage:
            _save(self.context.instance, self.name, known)

    def _after_runs(self, known: Desk) -> tuple[Desk, list[Message]]:
        messages: list[Message] = []
        here = self.context.code_location_origin
        with self.storage:
            ends = list(
                new_ends(
                    self.context.instance,
                    known,
                    database=self.name,
                    databases=self.config.databases,
                    location=here.location_name if here else None,
                    ui_url=ui_url_of(self.config.alerts, self.environ),
                    among_others=self.among_others,
                )
            )
        for end in ends:
            known, message = known.after_run(end, at_risk=None if end.well else self._at_risk)
            messages += [message] if message else []
        return known.after_runs(self.now), messages

    def _after_look(self, known: Desk, messages: list[Message]) -> tuple[Desk, list[Message]]:
        if self.name is None or not known.looks_again(self.now):
            return known, messages
        if self._held:
            # Nothing is overdue in a window, and nothing that was is over: what was reported stays as it is.
            return known, messages
        seen = self._standing
        if isinstance(seen, OpsError):
            seen = unread(self.name, self.now, seen.what)
        for problem in seen.problems:
            self.context.log.warning(f"Not everything is as it should be: {problem}")
        late = [
            Missing(Subject(self.name, each.kind, each.partition.isoformat()), each.sentence)
            for each in seen.overdue
        ]
        known, overdue = known.after_look(
            self.name, late, unreadable=seen.unreadable, at_risk=self._at_risk, now=self.now
        )
        return known, [*messages, *overdue]

    def _queued(self, known: Desk, messages: list[Message], channels: list[str]) -> Desk:
        outbox = known.outbox
        for message in messages:
            outbox = outbox.with_message(message, channels, self.now)
        outbox, given_up = outbox.limited(channels, self.now)
        for message in given_up:
            self.context.log.error(f"Given up, after a week or because too many wait: {message.title}")
        return replace(known, outbox=outbox)

    @property
    def _at_risk(self) -> str | None:
        if self.name is None:
            return None
        seen = self._standing
        return "It could not be read just now." if isinstance(seen, OpsError) else at_risk(seen)

    @property
    def _held(self) -> bool:
        """Whether a maintenance window is open. One that can't be read in time holds nothing."""
        name = str(self.name)
        protected = Protected(name, self.config.databases[name], self.environ)
        try:
            return (
                within(_WINDOW_SECONDS, "Reading the window", lambda: held(protected, self.now)) is not None
            )
        except OpsError:
            return False

    @property
    def _standing(self) -> Standing | OpsError:
        """How the database stands, or why that is unknown: read once, and only where something depends on it."""
        # Not a cached_property: before Python 3.12 one that is computed holds up those of all the other ticks.
        if not self.read:
            self.read.append(self._read_standing())
        return self.read[0]

    def _read_standing(self) -> Standing | OpsError:
        name = str(self.name)

        def read() -> Standing:
            return read_standing(Protected(name, self.config.databases[name], self.environ), now=self.now)

        try:
            return within(_READING_SECONDS, f"Reading the state of {name}", read)
        except OpsError as error:
            return error


def _load(instance: DagsterInstance, name: str | None) -> str | None:
    return instance.daemon_cursor_storage.get_cursor_values({_key(name)}).get(_key(name))


def _desk_in(stored: str) -> Desk | None:
    try:
        return _DESKS.validate_json(stored)
    except ValidationError:
        return None


def _save(instance: DagsterInstance, name: str | None, known: Desk) -> None:
    instance.daemon_cursor_storage.set_cursor_values({_key(name): _DESKS.dump_json(known).decode()})


def _key(name: str | None) -> str:
    return f"hackorda_ops/alarms/{name or ''}"
