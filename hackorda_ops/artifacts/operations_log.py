"""The operations log: one line per night, copy, drill, exercise, restore and deletion, in the store and off-site.

Buckets can't append, so each event is a small object of its own, never rewritten, which suits
versioning and object lock. A readable page is generated from them; losing it loses nothing. What
one store lacks, because it was unreachable or is new, is copied from the other at the next event.
"""

import logging
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from itertools import groupby, islice
from typing import Final, Literal

from pydantic import TypeAdapter

from hackorda_ops import local_trouble
from hackorda_ops.artifacts.documents import Advice, Document
from hackorda_ops.artifacts.ids import moment_before_hyphen, second
from hackorda_ops.artifacts.manifest import digest_of
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, OpsError, WrongUse
from hackorda_ops.markdown import escaped, table
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import LOOK_WHO_WRITES, Store
from hackorda_ops.unforeseen import described
from hackorda_ops.words import NOTHING, counted, duration, moment

EVENTS_FOLDER: Final = "operations"
PAGE_NAME: Final = "operations-log.md"
EVENT_VERSION: Final = 1

EventKind = Literal[
    "night",
    "proof",
    "copy",
    "drill",
    "exercise",
    "restore",
    "delete",
    "cutover",
    "maintenance",
    "pin",
    "unpin",
    "undelete",
]
EventOutcome = Literal["success", "failure", "PASS", "FAIL", "ERROR"]

# Half a year of nights, and every drill there'll ever be: the page is for people, and generated every night.
_SHOWN_OF_EACH_KIND: Final = 200
_WORKERS: Final = 16
# The longest is a first run of retention; others might write to the bucket.
_EVENT_LIMIT_BYTES: Final = 1024 * 1024
_EVENT_NAME: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[a-z]+-[0-9a-f]{6}\.json")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """One line of the log.

    Attributes:
        kind: what was done.
        at: when it began, aware.
        outcome: "success", "failure" (it did not finish), or a verdict. A night's "FAIL" is a
            dump that is kept but isn't sound.
        subject: the partition or the artifact that it was about.
        detail: one sentence, without secrets.
        seconds: how long it took; None if not measured.
    """

    kind: EventKind
    at: datetime
    outcome: EventOutcome
    subject: str
    detail: str
    seconds: float | None = None
    event_version: Literal[1] = EVENT_VERSION


_DOCUMENT: Final = Document(
    name="event",
    adapter=TypeAdapter(Event),
    version_field="event_version",
    version=EVENT_VERSION,
    unreadable=Advice("It is missing from the operations log.", LOOK_WHO_WRITES),
)


@dataclass
class LogLine:
    """An event being recorded; the work that it's about fills it in.

    Attributes:
        subject, outcome, detail: as in `Event`, for work that finishes; the detail may show how far it
            got, for work that is interrupted.
    """

    subject: str
    outcome: EventOutcome = "success"
    detail: str = ""


@contextmanager
def logged(kind: EventKind, stores: Sequence[Store], database: str, line: LogLine) -> Iterator[None]:
    """Records what the block does, however it ends, and never changes how it ends.

    Usage errors aren't recorded: nothing was attempted. What can't be written goes to Python's log.

    Args:
        kind: what is done.
        stores: that keep the log: those of the database that are known (`Protected.known_stores`).
        database: its name in databases.yaml.
        line: what is said of it, which the block fills in.
    """
    at, began = datetime.now(UTC), time.monotonic()

    def write(outcome: EventOutcome, detail: str) -> None:
        seconds = round(time.monotonic() - began, 3)
        try:
            problems = record(stores, database, Event(kind, at, outcome, line.subject, detail, seconds))
        except Exception as error:  # noqa: BLE001  # a log that fails must not fail what it records
            problems = (f"{described(error)}.",)
        for problem in problems:
            _log.warning("The operations log of %s is missing a line for its %s. %s", database, kind, problem)

    try:
        yield
    except WrongUse:
        raise
    except OpsError as error:
        write("failure", error.what)
        raise
    except Exception as error:
        trouble = local_trouble.of_exception(error)
        what = trouble.what if trouble else f"Unexpected error: {described(error)}."
        write("failure", f"{what} {line.detail}".rstrip())
        raise
    except BaseException:
        write("failure", f"It was interrupted. {line.detail}".rstrip())
        raise
    write(line.outcome, line.detail)


def record(stores: Sequence[Store], database: str, event: Event) -> tuple[str, ...]:
    """Writes an event into each store, adds the events that only another store has, and regenerates the page.

    Args:
        stores: the nightly store and off-site, or what there is of them.
        database: whose log.
        event: what happened.

    Returns:
        A sentence for each store that could not be brought up to date.
    """
    key = f"{_folder(database)}{second(event.at)}-{event.kind}-{secrets.token_hex(3)}.json"
    data = _DOCUMENT.to_bytes(event)
    keys: dict[str, Store] = {}
    reached: list[tuple[Store, set[str]]] = []
    problems = []
    # The line must not delay the work that it is about.
    for store in (each.with_patience(SOON) for each in stores):
        try:
            _put(store, key, data)
            has = set(_keys(store, database))
        except OpsError as error:
            problems.append(error.what)
        else:
            reached.append((store, has))
            keys = dict.fromkeys(has, store) | keys
    try:
        text = _page(database, keys)
    except OpsError as error:
        return (*problems, error.what)
    for store, has in reached:
        try:
            _give(store, {lacking: keys[lacking] for lacking in keys.keys() - has})
            _put(store, f"{database}/{PAGE_NAME}", text)
        except OpsError as error:
            problems.append(error.what)
    return tuple(problems)


def read_log(store: Store, database: str) -> tuple[Event, ...]:
    """Every event of a database that a store knows, oldest first; logs which ones can't be read.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed or read.
    """
    events, unread = _read(dict.fromkeys(_keys(store, database), store))
    for why in unread:
        _log.warning("A line is missing from the operations log of %s. %s", database, why)
    return tuple(events)


def first_event_at(store: Store, database: str) -> datetime | None:
    """When a store's log of a database begins, by its file names alone; None if it's empty.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed.
    """
    moments = (moment_before_hyphen(key.rpartition("/")[2]) for key in _keys(store, database))
    return min((each for each in moments if each is not None), default=None)


def page(database: str, events: Sequence[Event], unread: Sequence[str], left_out: int) -> str:
    """The log as Markdown. Pure.

    Args:
        database: its name in databases.yaml.
        events: what is shown, in any order.
        unread: a sentence for each event that could not be read.
        left_out: how many older events aren't shown.
    """
    lines = table(
        ("When", "What", "Of", "Outcome", "Detail", "Took#"),
        [
            (
                moment(each.at),
                each.kind,
                each.subject,
                each.outcome,
                each.detail,
                NOTHING if each.seconds is None else duration(each.seconds),
            )
            for each in sorted(events, key=lambda event: event.at)
        ],
    )
    notes = [escaped(why) for why in unread]
    if left_out:
        notes.append(f"{counted(left_out, 'older event')} not shown here: they are in {EVENTS_FOLDER}/.")
    return (
        f"# Operations of {escaped(database)}\n\n"
        f"Generated from {EVENTS_FOLDER}/ after each operation; manual edits to this file are lost.\n\n"
        f"{lines}\n" + "".join(f"\n- {note}" for note in notes) + ("\n" if notes else "")
    )


def shown(keys: Iterable[str]) -> list[str]:
    """Which of the events the page shows: the newest of each kind. Pure."""

    def kind(key: str) -> str:
        return key.rsplit("-", 2)[-2]

    newest_first = sorted(keys, reverse=True)
    by_kind = groupby(sorted(newest_first, key=kind), key=kind)
    return [key for _, of_kind in by_kind for key in islice(of_kind, _SHOWN_OF_EACH_KIND)]


def _page(database: str, keys: Mapping[str, Store]) -> bytes:
    chosen = shown(keys)
    events, unread = _read({key: keys[key] for key in chosen})
    return page(database, events, unread, len(keys) - len(chosen)).encode()


def _read(keys: Mapping[str, Store]) -> tuple[list[Event], list[str]]:
    """The events under these keys, oldest first, and a sentence for each that can't be read."""

    def one(key: str) -> Event | str:
        try:
            return _DOCUMENT.from_bytes(keys[key].read_small(key, _EVENT_LIMIT_BYTES), origin=key)
        except (ArtifactDamaged, ArtifactMissing) as error:
            return error.what

    with ThreadPoolExecutor(_WORKERS) as readers:
        found = list(readers.map(one, sorted(keys)))
    events = [each for each in found if isinstance(each, Event)]
    return sorted(events, key=lambda event: event.at), [each for each in found if isinstance(each, str)]


def _give(store: Store, lacking: Mapping[str, Store]) -> None:
    def one(key: str) -> None:
        with suppress(ArtifactDamaged, ArtifactMissing):
            _put(store, key, lacking[key].read_small(key, _EVENT_LIMIT_BYTES))

    with ThreadPoolExecutor(_WORKERS) as writers:
        list(writers.map(one, lacking))


def _folder(database: str) -> str:
    return f"{database}/{EVENTS_FOLDER}/"


def _keys(store: Store, database: str) -> list[str]:
    folder = _folder(database)
    return [
        entry.key for entry in store.list(folder) if _EVENT_NAME.fullmatch(entry.key.removeprefix(folder))
    ]


def _put(store: Store, key: str, data: bytes) -> None:
    store.put(key, BytesIO(data), size_bytes=len(data), sha256=digest_of(data))
