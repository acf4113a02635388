"""Since when each database has been protected, so that its partitions begin there and not long before.

It's decided when Dagster first loads the definitions, and kept in Dagster's own storage: whatever loads them later (a
restarted code server, the worker of a run) has to come to the same partitions. `schedule.since` goes before it.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from typing import Final

from dagster import DagsterInstance

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.ids import id_is_ahead, moment_of
from hackorda_ops.calendar.partitions import night_of
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.in_time import within
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.assets import night_key
from hackorda_ops.stores.patience import SOON

# Once for each database, on its first day. Code servers have to load in a minute or so.
_LOOKING_SECONDS: Final = 5.0
_log = logging.getLogger(__name__)


def since_first_seen(config: Config) -> Config:
    """The configuration with a `schedule.since` for every database, as far as Dagster's storage can be reached.

    Args:
        config: as it was read.
    """
    unsaid = [name for name, policy in config.databases.items() if policy.schedule.since is None]
    if not unsaid:
        return config
    if not os.environ.get("DAGSTER_HOME"):
        # Nothing is remembered, so there is no past to show.
        return _with(config, {name: _today(config.databases[name]) for name in unsaid})
    try:
        with DagsterInstance.get() as instance:
            first = {
                name: _known(instance, name) or _first_look(instance, name, config.databases[name])
                for name in unsaid
            }
    except Exception as error:  # noqa: BLE001  # definitions load wherever they can, whatever the storage says
        # Its message may quote a connection string.
        _log.warning(
            "Dagster's storage could not be asked since when the databases are protected (%s). Their partitions "
            "begin earlier than they could, until the code location is loaded again.",
            type(error).__name__,
        )
        return config
    return _with(config, first)


def seen_earlier(instance: DagsterInstance, name: str, night: date) -> bool:
    """Remembers that a database was protected earlier than was known, for the next time the definitions are loaded.

    Args:
        instance: Dagster's.
        name: the database's name in databases.yaml.
        night: one that there is something of.

    Returns:
        Whether it is news.
    """
    known = _known(instance, name)
    if known is None or known <= night:
        return False
    _remember(instance, name, night)
    return True


def _first_look(instance: DagsterInstance, name: str, policy: Policy) -> date:
    # What an earlier release materialized, and what the command line did before there was a Dagster.
    made = map(date.fromisoformat, instance.get_materialized_partitions(night_key(name, policy)))
    first = min((_today(policy), *made, *_stored(Protected(name, policy, os.environ))))
    _remember(instance, name, first)
    return first


def _stored(protected: Protected) -> Iterator[date]:
    """The nights of the oldest artifacts, by their ids, which say when they were captured."""
    now = clock.now()
    for store in protected.known_stores:
        try:
            listing = partial(catalog.ids, store.with_patience(SOON), protected.name)
            ids = within(_LOOKING_SECONDS, f"Listing {store.describe()}", listing)
        except OpsError as error:
            _log.warning("%s was not asked for its oldest artifact: %s", store.describe(), error.what)
            continue
        for each in ids[-1:]:
            if (moment := moment_of(each)) is not None and not id_is_ahead(each, now):
                yield night_of(moment, protected.policy.schedule)


def _today(policy: Policy) -> date:
    return night_of(clock.now(), policy.schedule)


def _known(instance: DagsterInstance, name: str) -> date | None:
    stored = instance.daemon_cursor_storage.get_cursor_values({_key(name)}).get(_key(name))
    return date.fromisoformat(stored) if stored else None


def _remember(instance: DagsterInstance, name: str, first: date) -> None:
    instance.daemon_cursor_storage.set_cursor_values({_key(name): first.isoformat()})


def _key(name: str) -> str:
    return f"hackorda_ops/first seen/{name}"


def _with(config: Config, first: Mapping[str, date]) -> Config:
    databases = dict(config.databases)
    for name, since in first.items():
        schedule = databases[name].schedule.model_copy(update={"since": since})
        databases[name] = databases[name].model_copy(update={"schedule": schedule})
    return config.model_copy(update={"databases": databases})
