"""One look at all databases: side by side, so that one that is slow or fails neither delays nor hides another."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import dagster as dg

from hackorda_ops.errors import OpsError, RetryableError, Stalled
from hackorda_ops.unforeseen import as_error
from hackorda_ops.words import duration

Made = TypeVar("Made")

_AT_ONCE: Final = 8
# Dagster gives a tick a minute, and forgets what it asked for when it takes longer.
_TICK_SECONDS: Final = 50.0
# What begins later would be cut off. It has its turn at the next tick, as the first.
_BEGINS_WITHIN_SECONDS: Final = 5.0
# Several times what the longest look may take: it hangs in something without a time limit, like Dagster's storage.
_HANGS_AFTER_SECONDS: Final = 300.0


@dataclass(frozen=True)
class DatabaseLook(Generic[Made]):
    """What a look at one database came to: exactly one of these.

    Attributes:
        database: its name; empty for what is of no database.
        made: what the look returned.
        error: why it failed.
        put_off: why it wasn't looked at in this tick.
    """

    database: str
    made: Made | None = None
    error: OpsError | None = None
    put_off: str | None = None


class SideBySide:
    """The looks of one sensor at all databases: never two at one database at the same time.

    Attributes:
        storage: for each question to Dagster's own storage, and for nothing slower: SQLite serves one at a time.
    """

    def __init__(self, databases: Iterable[str]) -> None:
        self.storage = threading.Lock()
        self._turns = list(databases)
        self._since: dict[str, float] = {}
        self._changing = threading.Lock()

    def look(self, at: Callable[[str], Made]) -> list[DatabaseLook[Made]]:
        """Looks at each database, and waits for all but those that hang.

        Args:
            at: looks at a database. One that takes too long goes on in the background; it must do no harm there.
        """
        began = time.monotonic()
        # Not as a block: that would wait for those that hang.
        lookers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="hackorda_ops looks at")
        with self._changing:
            turns = tuple(self._turns)
        looks = {name: lookers.submit(self._one, name, at, began) for name in turns}
        wait(looks.values(), timeout=_TICK_SECONDS)
        lookers.shutdown(wait=False, cancel_futures=True)
        looked = [_outcome(name, look, began) for name, look in looks.items()]
        late = [each.database for each in looked if each.put_off == _NEXT_TICK]
        with self._changing:
            self._turns = [*late, *(name for name in turns if name not in late)]
        return looked

    def _one(self, name: str, at: Callable[[str], Made], began: float) -> DatabaseLook[Made]:
        now = time.monotonic()
        with self._changing:
            since = self._since.get(name)
            if since is None and now - began <= _BEGINS_WITHIN_SECONDS:
                self._since[name] = now
        if since is not None:
            seconds = now - since
            if seconds < _HANGS_AFTER_SECONDS:
                return DatabaseLook(name, put_off="The previous look is still running.")
            return DatabaseLook(name, error=_stalled(name, seconds))
        if now - began > _BEGINS_WITHIN_SECONDS:
            return DatabaseLook(name, put_off=_NEXT_TICK)
        try:
            return DatabaseLook(name, made=at(name))
        except OpsError as error:
            return DatabaseLook(name, error=error)
        except Exception as error:  # noqa: BLE001  # one database's trouble is not the others'
            shown = as_error(
                error,
                meaning="This look at the database failed; it is tried again at the next tick.",
                next_step="Report it with these lines.",
            )
            return DatabaseLook(name, error=shown)
        finally:
            with self._changing:
                del self._since[name]


def _outcome(name: str, look: Future[DatabaseLook[Made]], began: float) -> DatabaseLook[Made]:
    if look.cancelled():
        return DatabaseLook(name, put_off=_NEXT_TICK)
    if look.done():
        return look.result()
    return DatabaseLook(name, error=_stalled(name, time.monotonic() - began))


_NEXT_TICK: Final = "The others took too long: it's looked at first at the next tick."


def _stalled(name: str, seconds: float) -> Stalled:
    return Stalled(
        f"A look at {name or 'what is of no database'} has been running for {duration(seconds)}, and hangs.",
        meaning="Until it ends, nothing is noticed or started here for it. The other databases are unaffected.",
        next_step="Restart the code location. What was noticed is kept; what has happened since is noticed then.",
    )


def answered(
    context: dg.SensorEvaluationContext, looked: Sequence[DatabaseLook[list[dg.RunRequest] | str]]
) -> list[dg.RunRequest] | dg.SkipReason:
    """What a sensor answers after its looks: every run that was asked for, or why there is none.

    Args:
        context: the tick's; its log gets the errors, because a tick that starts runs can't fail.
        looked: per database the runs to start, or why none.

    Raises:
        OpsError: no run was asked for, and a look failed.
    """
    for each in looked:
        if each.error is not None:
            context.log.error(f"{each.database}: {each.error}")
    if requests := [request for each in looked if isinstance(each.made, list) for request in each.made]:
        return requests
    raise_errors(looked)
    return dg.SkipReason(sentences((each.database, said) for each in looked if (said := _said(each))))


def _said(looked: DatabaseLook[list[dg.RunRequest] | str]) -> str | None:
    return looked.put_off or (looked.made if isinstance(looked.made, str) else None)


def raise_errors(looked: Sequence[DatabaseLook[Made]]) -> None:
    """Fails the tick where a look has failed, after all the others have ended.

    Raises:
        OpsError: the error itself, or one that names all of them.
    """
    raise_together({each.database: each.error for each in looked if each.error is not None})


def raise_together(errors: Mapping[str, OpsError]) -> None:
    """Raises what went wrong with several databases as one error.

    Args:
        errors: by the database's name; empty for what is of no database.

    Raises:
        OpsError: the error itself where there is one, or one that names all of them.
    """
    if len(errors) == 1:
        [error] = errors.values()
        raise error
    if errors:
        raise RetryableError(
            "\n".join(f"{name or 'Of no database'}: {error.what}" for name, error in errors.items()),
            meaning=" ".join(dict.fromkeys(error.meaning for error in errors.values())),
            next_step=" ".join(dict.fromkeys(error.next_step for error in errors.values())),
        )


def sentences(said: Iterable[tuple[str, str]]) -> str:
    """A sentence per line, with the databases that it is true of.

    Args:
        said: a database's name, or an empty one, with what is to be said of it.
    """
    of: dict[str, list[str]] = {}
    for name, sentence in said:
        of.setdefault(sentence, []).append(name)
    return "\n".join(
        f"{', '.join(filter(None, names))}: {sentence}" if any(names) else sentence
        for sentence, names in of.items()
    )
