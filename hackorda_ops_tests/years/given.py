"""Puts the product on a given clock, in one thread, with ids that a seed decides: what it decides can be repeated.

Nothing of what it decides is replaced. Documents are parsed once for the same bytes, which changes no answer.
"""

import functools
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from unittest.mock import patch

import hackorda_ops.engines.registry  # noqa: F401  # whose engines read manifests
from hackorda_ops.artifacts import catalog, ids
from hackorda_ops.artifacts.documents import Document
from hackorda_ops.calendar import due
from hackorda_ops.calendar.due import Due, DueKind
from hackorda_ops.config.models import Schedule
from hackorda_ops.receipts.record import Line
from hackorda_ops.retention import prune
from hackorda_ops.week import copied, week

# They write down when something was done. Whoever else asks the machine for the time decides by it.
_WRITE_DOWN = frozenset(
    {"hackorda_ops.artifacts.verifications", "hackorda_ops.week.copied", "hackorda_ops.week.week"}
)


class Clock:
    """What the machine of the daemon takes for the present.

    Attributes:
        now: aware.
        asked_by: who decided by the machine's clock instead of the moment that they were given.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.asked_by: set[str] = set()


class _Inline(ThreadPoolExecutor):
    """An executor that runs everything at once, in the caller's thread."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        pass

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        made: Future[Any] = Future()
        try:
            made.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001  # as a future does
            made.set_exception(error)
        return made

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], **_: Any) -> Iterator[Any]:
        return iter([fn(*each) for each in zip(*iterables, strict=False)])

    def shutdown(self, *_: Any, **__: Any) -> None:
        pass


def _datetime_of(clock: Clock) -> type[datetime]:
    class _Any(type(datetime)):  # type: ignore[misc]
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, datetime)

    class _Given(datetime, metaclass=_Any):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            caller = sys._getframe(1)
            asker = caller.f_globals["__name__"]
            if asker not in _WRITE_DOWN:
                clock.asked_by.add(f"{asker}:{caller.f_lineno}")
            return clock.now.astimezone(tz)

    return _Given


class _Digits:
    """The random digits of ids, in an order that a seed decides."""

    def __init__(self, seed: int) -> None:
        self._next = seed % 0xFFFFFF

    def token_hex(self, _bytes: int) -> str:
        self._next = (self._next * 1_103_515 + 12_345) % 0x1000000
        return f"{self._next:06x}"


@contextmanager
def _unrecorded(*_: Any, subject: str, **__: Any) -> Iterator[Line]:
    yield Line(subject)


def _one_by_one(source: Any, destinations: Mapping[str, Any], **rest: Any) -> dict[str, Any]:
    """Copies to one place after the other: what copies share needs a thread each."""
    made: dict[str, Any] = {}
    for name, store in destinations.items():
        made |= copied_to_all(source, {name: store}, **rest)
    return made


copied_to_all = copied.copy_to_all


@contextmanager
def given(clock: Clock, seed: int) -> Iterator[None]:
    """Runs the block on a clock.

    Args:
        clock: the machine's.
        seed: decides the random digits of ids.
    """
    with ExitStack() as patched:
        mine = _datetime_of(clock)
        for name, module in list(sys.modules.items()):
            if name.startswith("hackorda_ops."):
                if getattr(module, "ThreadPoolExecutor", None) is ThreadPoolExecutor:
                    patched.enter_context(patch.object(module, "ThreadPoolExecutor", _Inline))
                if getattr(module, "datetime", None) is datetime:
                    patched.enter_context(patch.object(module, "datetime", mine))
        calendar = _Calendar(clock.now)
        _everywhere(patched, due.newest_due, calendar.newest_due)
        _everywhere(patched, due.due_between, calendar.due_between)
        for module, name, instead in (
            (ids, "secrets", _Digits(seed)),
            (week, "recorded", _unrecorded),
            (prune, "recorded", _unrecorded),
            (copied, "copy_to_all", _one_by_one),
            (catalog, "from_bytes", functools.lru_cache(maxsize=4096)(catalog.from_bytes)),
            (Document, "from_bytes", _parsed_once(Document.from_bytes)),
        ):
            patched.enter_context(patch.object(module, name, instead))
        yield


def _everywhere(patched: ExitStack, what: Callable[..., Any], instead: Callable[..., Any]) -> None:
    """Replaces a function wherever it was imported by its name."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("hackorda_ops.", "hackorda_ops_tests.years.")) and (
            getattr(module, what.__name__, None) is what
        ):
            patched.enter_context(patch.object(module, what.__name__, instead))


class _Calendar:
    """The product's own calendar, asked once for all the years of a story; every 97th answer is asked for anew."""

    def __init__(self, begins: datetime) -> None:
        self._begins, self._ends = begins - timedelta(days=2), begins + timedelta(days=5 * 365)
        self._known: dict[tuple[DueKind, str], tuple[list[datetime], list[Due]]] = {}
        self._asked = 0
        self._newest_due, self._due_between = due.newest_due, due.due_between

    def newest_due(self, kind: DueKind, schedule: Schedule, now: datetime) -> Due | None:
        at, dues = self._all(kind, schedule)
        place = bisect_right(at, now)
        self._asked += 1
        if not (self._begins < now < self._ends) or self._asked % 97 == 0 or not place:
            found = self._newest_due(kind, schedule, now)
            if place and self._begins < now < self._ends and found != dues[place - 1]:
                raise AssertionError(
                    f"the calendar contradicts itself: {found} and {dues[place - 1]} at {now}"
                )
            return found
        return dues[place - 1]

    def due_between(
        self, kind: DueKind, schedule: Schedule, *, after: datetime, until: datetime
    ) -> Iterator[Due]:
        at, dues = self._all(kind, schedule)
        if not (self._begins < after and until < self._ends):
            return self._due_between(kind, schedule, after=after, until=until)
        return iter(dues[bisect_right(at, after) : bisect_right(at, until)])

    def _all(self, kind: DueKind, schedule: Schedule) -> tuple[list[datetime], list[Due]]:
        key = (kind, f"{due.cron_of(kind, schedule)} {schedule.timezone}")
        if key not in self._known:
            dues = list(self._due_between(kind, schedule, after=self._begins, until=self._ends))
            self._known[key] = ([each.at.astimezone(UTC) for each in dues], dues)
        return self._known[key]


def _parsed_once(parse: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[tuple[str, bytes], Any] = {}

    def parsed(self: Document[Any], data: bytes, *, origin: str) -> Any:
        key = (self.name, data)
        if key not in known:
            if len(known) > 4096:
                known.clear()
            known[key] = parse(self, data, origin=origin)
        return known[key]

    return parsed
