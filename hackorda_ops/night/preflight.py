"""Checks what a night needs before it starts: the source, its engine's programs, the store. Leaves nothing behind."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hackorda_ops.artifacts import catalog, room
from hackorda_ops.concerns import Looked, concern_of, concerns_in, looked, require_none
from hackorda_ops.engines.engine import NightView
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError
from hackorda_ops.stores.staging import abandoned_bytes
from hackorda_ops.stores.store import Store


def look_at_night(protected: Protected, *, private_folder: Path) -> NightView:
    """Checks source, programs and store as the next night will find them.

    Args:
        protected: the database.
        private_folder: where the provider's CA bundle is written, if there's one.
    """
    view = engine_of(protected.policy).look(protected, private_folder=private_folder)
    return replace(view, parts=(*view.parts, *_look_at_store(protected, view.source_bytes)))


def require_store(protected: Protected, *, private_folder: Path) -> None:
    """Makes sure that an artifact can be stored, before the source is dumped.

    Raises:
        OpsError: it can't; anything else that stops the night is reported with it (`concerns.require_none`).
    """
    if looked("store", "stops the night", lambda: _look_at_place(protected.store)).concerns:
        # It ends here in any case, so there is time to check the rest.
        view = look_at_night(protected, private_folder=private_folder)
        require_none(concerns_in(view.parts, "stops the night"))


def _look_at_store(protected: Protected, source_bytes: int | None) -> Iterator[Looked]:
    try:
        store = protected.store
    except ConfigError as error:
        yield Looked("store", "", (concern_of(error, "stops the night"),))
        return
    place = looked("store", "stops the night", lambda: _look_at_place(store))
    yield place
    if not place.concerns:
        yield looked("room", "stops the night", lambda: _look_for_room(store, protected.name, source_bytes))


def _look_at_place(store: Store) -> Looked:
    store.check_writable()
    return Looked("store", store.describe())


def _look_for_room(store: Store, name: str, source_bytes: int | None) -> Looked:
    free = room.free_bytes(store.staging_root) + abandoned_bytes(store.staging_root, name)
    previous = catalog.read_newest(store, name)
    if source_bytes is None and previous is not None:
        source_bytes = previous.source_bytes
    # Somebody is there to make room: what is only likely not to fit is an error here, and a night tries it.
    return room.look_at_room(store.staging_root, free, source_bytes, previous, unmeasured="stops the night")
