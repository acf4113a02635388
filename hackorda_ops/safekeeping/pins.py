"""Pins: artifacts that people keep whatever retention's plan says, with a reason and until a date.

A pin is a small record in each place, beside the artifacts and not in them. In a bucket that locks files, it's a legal
hold on each file of the artifact as well. Whoever reads a record that isn't one keeps the artifact.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Final, Literal

from pydantic import TypeAdapter

from hackorda_ops.artifacts.documents import Advice, Document, read_own
from hackorda_ops.artifacts.ids import is_id
from hackorda_ops.artifacts.manifest import digest_of
from hackorda_ops.errors import ArtifactMissing, OpsError
from hackorda_ops.stores.locks import hold_each, locking
from hackorda_ops.stores.store import LOOK_WHO_WRITES, Store
from hackorda_ops.words import moment, visible

PINS_FOLDER: Final = "pins"

_READERS: Final = 8
_LIMIT_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class Pin:
    """Why somebody keeps an artifact, and until when.

    Attributes:
        database: the database's name in databases.yaml.
        artifact_id: the artifact's.
        reason: in their words.
        until: when it ends, aware.
        pinned_at: when it was made, aware.
    """

    database: str
    artifact_id: str
    reason: str
    until: datetime
    pinned_at: datetime
    pin_version: Literal[1] = 1

    @property
    def sentence(self) -> str:
        """As people read it, without a full stop."""
        return f"pinned until {moment(self.until)}: {visible(self.reason)}"


@dataclass(frozen=True)
class Pins:
    """The pins of a database in one place or in several, by artifact id.

    Attributes:
        found: the pins, whether they have ended or not.
        unread: why a record can't be read, for each that can't.
    """

    found: Mapping[str, Pin]
    unread: Mapping[str, str]

    def holding(self, now: datetime) -> dict[str, str]:
        """Why each artifact is kept by a pin at a moment. A record that can't be read has no end.

        Args:
            now: aware.
        """
        return {
            **{each.artifact_id: each.sentence for each in self.found.values() if each.until > now},
            **{
                artifact_id: f"pinned, until nobody knows when: {why}"
                for artifact_id, why in self.unread.items()
            },
        }

    def ended(self, now: datetime) -> tuple[Pin, ...]:
        """Those that are over at a moment.

        Args:
            now: aware.
        """
        return tuple(each for each in self.found.values() if each.until <= now)


NO_PINS: Final = Pins({}, {})

_DOCUMENT: Final = Document(
    name="pin",
    adapter=TypeAdapter(Pin),
    version_field="pin_version",
    version=1,
    unreadable=Advice("The artifact is kept until somebody removes the record.", LOOK_WHO_WRITES),
)


def read_pins(store: Store, database: str) -> Pins:
    """Reads the pins of a database in one place.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be read.
    """
    folder = f"{database}/{PINS_FOLDER}/"
    ids = [
        name.removesuffix(".json")
        for entry in store.list(folder)
        if (name := entry.key.removeprefix(folder)).endswith(".json") and is_id(name.removesuffix(".json"))
    ]

    def one(artifact_id: str) -> Pin | str | None:
        try:
            return read_own(
                store,
                _key(database, artifact_id),
                _DOCUMENT.from_bytes,
                said=lambda said: (said.database, said.artifact_id),
                wanted=(database, artifact_id),
                limit_bytes=_LIMIT_BYTES,
            )
        except ArtifactMissing:
            return None

    with ThreadPoolExecutor(_READERS, thread_name_prefix="pins") as readers:
        read = dict(zip(ids, readers.map(one, ids), strict=True))
    return Pins(
        {artifact_id: each for artifact_id, each in read.items() if isinstance(each, Pin)},
        {artifact_id: each for artifact_id, each in read.items() if isinstance(each, str)},
    )


def together(pins: Iterable[Pins]) -> Pins:
    """The pins of several places as one: of two for an artifact, the one that ends last. Pure."""
    every = list(pins)
    found = sorted((pin for each in every for pin in each.found.values()), key=lambda pin: pin.until)
    return Pins(
        {pin.artifact_id: pin for pin in found},
        {artifact_id: why for each in every for artifact_id, why in each.unread.items()},
    )


def is_pinned(stores: Iterable[Store], database: str, artifact_id: str, now: datetime) -> bool:
    """Whether a pin keeps an artifact at a moment, by the one record in each place.

    Args:
        stores: every place.
        database: the database's name in databases.yaml.
        artifact_id: the artifact's.
        now: aware.

    Raises:
        ArtifactDamaged, StoreRefused, StoreUnreachable: nobody knows.
    """
    for store in stores:
        try:
            data = store.read_small(_key(database, artifact_id), _LIMIT_BYTES)
        except ArtifactMissing:
            continue
        if _DOCUMENT.from_bytes(data, origin=_key(database, artifact_id)).until > now:
            return True
    return False


def pin(stores: Iterable[Store], made: Pin) -> tuple[str, ...]:
    """Keeps an artifact: writes the record into each place, and holds the files where the bucket can.

    Args:
        stores: every place that there is: the record is also where the artifact may be copied to later.
        made: the pin.

    Returns:
        A sentence for each place where it's less than it should be.

    Raises:
        StoreRefused, StoreUnreachable: a place did not take the record.
    """
    data = _DOCUMENT.to_bytes(made)
    notes: list[str] = []
    for store in stores:
        store.put(
            _key(made.database, made.artifact_id), BytesIO(data), size_bytes=len(data), sha256=digest_of(data)
        )
        notes += held(store, f"{made.database}/{made.artifact_id}", on=True)
    return tuple(notes)


def held(store: Store, prefix: str, *, on: bool) -> tuple[str, ...]:
    """Puts a legal hold on an artifact's files or lifts it, where the bucket locks files and has them.

    Args:
        store: the place.
        prefix: the artifact's: "<database>/<artifact id>".
        on: False: it's lifted.

    Returns:
        A sentence where it could not be; none where there's nothing to hold.
    """
    bucket = locking(store)
    if bucket is None:
        return ()
    try:
        hold_each(bucket, [entry.key for entry in store.list(f"{prefix}/")], on=on)
    except OpsError as error:
        doing = "held by the bucket" if on else "released by the bucket"
        return (f"{store.describe()}/{prefix} is not {doing}: {error.what} {error.next_step}",)
    return ()


def unpin(stores: Iterable[Store], database: str, artifact_id: str) -> tuple[str, ...]:
    """Keeps an artifact no longer: lifts the holds, and deletes the records.

    Args:
        stores: every place that there is.
        database: the database's name in databases.yaml.
        artifact_id: the artifact's.

    Returns:
        A sentence for each place where its files are still held.

    Raises:
        StoreRefused, StoreUnreachable: a record could not be deleted.
    """
    notes: list[str] = []
    for store in stores:
        notes += held(store, f"{database}/{artifact_id}", on=False)
        store.delete(_key(database, artifact_id))
    return tuple(notes)


def _key(database: str, artifact_id: str) -> str:
    return f"{database}/{PINS_FOLDER}/{artifact_id}.json"
