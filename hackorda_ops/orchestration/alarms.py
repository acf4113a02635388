"""The sensors that raise the alarm, one per database: a failed run, a failed check, something overdue.

What they have told, and what waits to be delivered, is a value in Dagster's own storage: it outlives restarts of
every process, the pods of a cluster share it, and a tick that fails keeps it, which a sensor's cursor doesn't.
Each sensor writes its own value and no other's, after every delivery.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

import dagster as dg
from dagster import DagsterInstance
from pydantic import TypeAdapter, ValidationError

from hackorda_ops.alerts.channels import configured
from hackorda_ops.alerts.delivery import deliver
from hackorda_ops.alerts.desk import Desk, Missing, begun
from hackorda_ops.alerts.in_time import within
from hackorda_ops.alerts.message import Message, Subject
from hackorda_ops.config import Config
from hackorda_ops.errors import OpsError, PermanentError, RetryableError
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.run_ends import new_ends
from hackorda_ops.postgres.connection import redact
from hackorda_ops.readiness.standing import Standing, at_risk, read_standing

_TICK_EVERY_SECONDS: Final = 15
_LOOKS_EVERY: Final = timedelta(minutes=5)
# Together with the longest delivery that has begun, well below the minute that Dagster gives a tick: one that it
# gives up would go on beside the next.
_READING_SECONDS: Final = 12.0
_DELIVERING_SECONDS: Final = 10.0
_DESKS: Final = TypeAdapter(Desk)


def alarms(name: str | None, config: Config) -> dg.SensorDefinition:
    """Tells of what goes wrong with a database, and when it's over.

    Args:
        name: the database's name in databases.yaml; None for the runs that are of no database.
        config: of all.
    """
    at_it = threading.Lock()

    @dg.sensor(
        name=f"{name}_alarms" if name else "alarms",
        description=f"Tells of every failed run, failed check and overdue night, copy or drill of {name}, once, and "
        "when it's over. A tick fails where a message can't be delivered, which is tried again until it is."
        if name
        else "Tells of failed runs that concern no single database, once, and when it's over.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_TICK_EVERY_SECONDS,
    )
    def tell(
        context: dg.SensorEvaluationContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> dg.SkipReason:
        if not at_it.acquire(blocking=False):
            return dg.SkipReason("An earlier tick, which Dagster has given up, is still at it.")
        try:
            return _Tick(context, name, config, environ, clock.now()).told()
        finally:
            at_it.release()

    return tell


@dataclass(frozen=True)
class _Tick:
    """One look at everything, and what follows from it."""

    context: dg.SensorEvaluationContext
    name: str | None
    config: Config
    environ: Mapping[str, str]
    now: datetime

    def told(self) -> dg.SkipReason:
        """Looks, remembers, delivers.

        Raises:
            RetryableError: a channel did not take a message just now. It's kept.
        """
        instance, channels = self.context.instance, configured(self.config.alerts, self.environ)
        known, messages = self._after_look(*self._after_runs(_load(instance, self.name) or begun(self.now)))
        for message in messages:
            (self.context.log.info if message.tone == "success" else self.context.log.error)(message.text)
        known = self._queued(known, messages, [channel.name for channel in channels])
        # Before anything is delivered: what is noticed is noticed once.
        _save(instance, self.name, known)
        outbox, refused = deliver(
            known.outbox,
            channels,
            save=lambda outbox: _save(instance, self.name, replace(known, outbox=outbox)),
            clock=clock.now,
            budget_seconds=_DELIVERING_SECONDS,
        )
        if refused:
            raise RetryableError(
                "\n".join(outbox.told()),
                meaning="Whoever listens there has not heard of these alarms. They are kept, and tried again.",
                next_step="Try the channels with `hackorda-ops alerts test`. Until one works, each message is in the "
                "log of the tick that noticed it.",
            )
        told = [f"Told: {message.title}" for message in messages]
        return dg.SkipReason("\n".join((*told, *outbox.told())) or "There is nothing to tell.")

    def _after_runs(self, known: Desk) -> tuple[Desk, list[Message]]:
        messages: list[Message] = []
        here = self.context.code_location_origin
        for end in new_ends(
            self.context.instance,
            known,
            database=self.name,
            databases=self.config.databases,
            location=here.location_name if here else None,
            ui_url=self.config.alerts.ui_url or self.environ.get(self.config.alerts.ui_url_env),
        ):
            known, message = known.after_run(end, at_risk=None if end.well else self._at_risk)
            messages += [message] if message else []
        return known.after_runs(self.now), messages

    def _after_look(self, known: Desk, messages: list[Message]) -> tuple[Desk, list[Message]]:
        # Either way: a clock that was set back must not keep anybody from looking.
        recently = known.looked_at is not None and abs(self.now - known.looked_at) < _LOOKS_EVERY
        if self.name is None or recently:
            return known, messages
        seen = self._standing
        missing, problems = (
            ((), (seen.what,)) if isinstance(seen, OpsError) else (seen.overdue, seen.problems)
        )
        for problem in problems:
            self.context.log.warning(f"Not everything could be looked at: {problem}")
        late = [
            Missing(Subject(self.name, each.kind, each.partition.isoformat()), each.sentence)
            for each in missing
        ]
        known, overdue = known.after_look(
            self.name, late, problems=problems, at_risk=self._at_risk, now=self.now
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

    @cached_property
    def _standing(self) -> Standing | OpsError:
        """How the database stands, or why nobody can tell: read once, and only where something depends on it."""
        name = str(self.name)

        def read() -> Standing:
            return read_standing(name, self.config.databases[name], environ=self.environ, now=self.now)

        try:
            return within(_READING_SECONDS, f"Looking how {name} stands", read)
        except OpsError as error:
            return error
        except Exception as error:  # noqa: BLE001  # no alarm may fall silent with what only describes it
            return PermanentError(
                f"How {name} stands could not be read: {type(error).__name__}: {redact(str(error))}",
                meaning="Nobody can see what is overdue.",
                next_step="Report this as a bug of hackorda_ops.",
            )


def _load(instance: DagsterInstance, name: str | None) -> Desk | None:
    stored = instance.daemon_cursor_storage.get_cursor_values({_key(name)}).get(_key(name))
    try:
        return _DESKS.validate_json(stored) if stored else None
    except ValidationError:
        return None  # another release wrote it: better to begin anew than to tell nothing ever again


def _save(instance: DagsterInstance, name: str | None, known: Desk) -> None:
    instance.daemon_cursor_storage.set_cursor_values({_key(name): _DESKS.dump_json(known).decode()})


def _key(name: str | None) -> str:
    return f"hackorda_ops/alarms/{name or ''}"
