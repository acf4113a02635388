"""The window itself: one small document in the nightly store, where the command line and Dagster both look.

While it is open, nothing starts by itself on the database, and nothing is reported as overdue. It ends by itself at its
end, so a forgotten one silences nobody for long.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Final, Literal

from pydantic import TypeAdapter

from hackorda_ops.artifacts.documents import Advice, Document
from hackorda_ops.artifacts.manifest import digest_of
from hackorda_ops.calendar.clocks import is_ahead
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, OpsError
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import LOOK_WHO_WRITES, Store

WINDOW_VERSION: Final = 1
LONGEST: Final = timedelta(hours=24)
"""How long a window may be: longer than that nobody is at work on a database."""


@dataclass(frozen=True)
class Window:
    """A window, open or not.

    Attributes:
        database: the name in databases.yaml.
        reason: what for, in the words of whoever opened it.
        opened_at: aware.
        ends_at: when it ends by itself, aware.
        before_id: the artifact that was taken first; None where none was.
        closed_at: when somebody closed it; None if nobody has.
    """

    database: str
    reason: str
    opened_at: datetime
    ends_at: datetime
    before_id: str | None = None
    closed_at: datetime | None = None
    window_version: Literal[1] = WINDOW_VERSION

    def is_open(self, now: datetime) -> bool:
        """Whether it holds schedules and alarms at a moment. One that was opened in the future doesn't."""
        length = self.ends_at - self.opened_at
        return (
            self.closed_at is None
            and not is_ahead(self.opened_at, now)
            and now < self.ends_at
            and length <= LONGEST
        )

    def closed(self, now: datetime) -> "Window":
        """The same, closed."""
        return replace(self, closed_at=now)


_DOCUMENT: Final = Document(
    name="maintenance window",
    adapter=TypeAdapter(Window),
    version_field="window_version",
    version=WINDOW_VERSION,
    unreadable=Advice("No window counts as open: schedules and alarms go on.", LOOK_WHO_WRITES),
)


def read(store: Store, database: str) -> Window | None:
    """The newest window of a database, open or not; None if there never was one.

    Raises:
        ArtifactDamaged: it can't be read.
        StoreRefused, StoreUnreachable: the store can't.
    """
    key = _key(database)
    try:
        data = store.read_small(key)
    except ArtifactMissing:
        return None
    return _DOCUMENT.from_bytes(data, origin=f"{store.describe()}/{key}")


def write(store: Store, window: Window) -> None:
    """Puts a window in the place of the one before.

    Raises:
        OpsError: the store refused or could not be reached.
    """
    data = _DOCUMENT.to_bytes(window)
    store.put(_key(window.database), BytesIO(data), size_bytes=len(data), sha256=digest_of(data))


def held(protected: Protected, now: datetime) -> Window | None:
    """The window that is open now. None where none is, or where that can't be read: trouble silences nobody.

    Args:
        protected: the database.
        now: aware.
    """
    try:
        window = read(protected.store.with_patience(SOON), protected.name)
    except (OpsError, ArtifactDamaged):
        return None
    return window if window is not None and window.is_open(now) else None


def words(window: Window) -> str:
    """An open window, in a sentence."""
    what = f" ({window.reason})" if window.reason else ""
    return f"A maintenance window{what} is open until {window.ends_at:%Y-%m-%d %H:%M} UTC."


def _key(database: str) -> str:
    return f"{database}/maintenance/window.json"
