"""The drills of a database, read from the reports in a store. There's no other index to lose."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from hackorda_ops.artifacts.documents import read_own
from hackorda_ops.calendar.clocks import is_ahead
from hackorda_ops.drill.report import json_form
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.errors import ArtifactMissing
from hackorda_ops.stores.store import Store

DRILLS_FOLDER = "drills"
REPORT_NAME = "report.json"
PAGE_NAME = "report.html"

_READERS = 8
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UnreadReport:
    """A report that could not be read.

    Attributes:
        drill_id: the folder that it lies in.
        why: one sentence.
    """

    drill_id: str
    why: str


@dataclass(frozen=True)
class DrillHistory:
    """What a store knows of a database's drills, oldest first."""

    drills: tuple[DrillResult, ...]
    unread: tuple[UnreadReport, ...]

    def until(self, now: datetime | None = None) -> tuple[DrillResult, ...]:
        """The drills without those that are dated in the future (`clocks.is_ahead`).

        Args:
            now: the present, aware; None for this machine's.
        """
        return tuple(each for each in self.drills if not is_ahead(each.started_at, now))


def drill_prefix(database: str, drill_id: str) -> str:
    """A drill's place in a store: next to the artifacts, and never mistaken for one."""
    return f"{database}/{DRILLS_FOLDER}/{drill_id}"


def read_history(store: Store, database: str) -> DrillHistory:
    """Reads every report of a database's drills; what can't be read as one is reported, and not fatal.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed or read.
    """
    folder = f"{database}/{DRILLS_FOLDER}/"
    keys = sorted(
        entry.key
        for entry in store.list(folder)
        if entry.key.count("/") == folder.count("/") + 1 and entry.key.endswith(f"/{REPORT_NAME}")
    )

    def one(key: str) -> DrillResult | UnreadReport:
        drill_id = key.split("/")[-2]
        try:
            found = read_report(store, database, drill_id)
        except ArtifactMissing as error:
            found = error.what
        return UnreadReport(drill_id, found) if isinstance(found, str) else found

    with ThreadPoolExecutor(_READERS) as readers:
        found = list(readers.map(one, keys))
    drills = [each for each in found if isinstance(each, DrillResult)]
    return DrillHistory(
        drills=tuple(sorted(drills, key=lambda drill: (drill.started_at, drill.drill_id))),
        unread=tuple(each for each in found if isinstance(each, UnreadReport)),
    )


def read_report(store: Store, database: str, drill_id: str) -> DrillResult | str:
    """Reads the report of one drill; returns a sentence why where it can't be read.

    Args:
        store: the store to read from.
        database: the database's name in databases.yaml.
        drill_id: the drill's id.

    Raises:
        ArtifactMissing: there's none; a drill that was killed may have left its folder behind.
        StoreRefused, StoreUnreachable: the store can't be read.
    """
    key = f"{drill_prefix(database, drill_id)}/{REPORT_NAME}"
    return read_own(
        store,
        key,
        json_form.from_bytes,
        said=lambda result: (result.database, result.drill_id),
        wanted=(database, drill_id),
    )


def read_past(store: Store, database: str) -> tuple[DrillResult, ...]:
    """The drills of a database, oldest first, for the trend; logs which reports it had to skip.

    Those that are dated in the future are left out: they would stand behind the newest, and be taken for it.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed or read.
    """
    history = read_history(store, database)
    for unread in history.unread:
        _log.warning("A drill is missing from the trend of %s. %s", database, unread.why)
    past = history.until()
    for ahead in sorted({each.drill_id for each in history.drills} - {each.drill_id for each in past}):
        _log.warning(
            "The drill %s of %s is dated in the future, so the trend leaves it out. Check this machine's clock.",
            ahead,
            database,
        )
    return past
