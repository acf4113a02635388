"""A database as the doctor looks at it: each thing is read once, when the first question asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from hackorda_ops.concerns import Looked
from hackorda_ops.config.alerts import Alerts
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.histories import registry
from hackorda_ops.history.base import Reach
from hackorda_ops.own_folders import private_folder
from hackorda_ops.preflight.preflight import preflight
from hackorda_ops.readiness.assessment import Readiness, assess
from hackorda_ops.readiness.survey import read_survey
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.settings import BucketSettings, TellsSettings
from hackorda_ops.stores.store import PlaceName, Store

_HISTORY_BUDGET_SECONDS = 20.0


@dataclass(frozen=True)
class Patient:
    """What the doctor asks about.

    Attributes:
        protected: the database.
        alerts: where alarms go.
        now: aware.
    """

    protected: Protected
    alerts: Alerts
    now: datetime

    @cached_property
    def readiness(self) -> Readiness:
        """How the database stands against its schedule; raises no expected error."""
        return assess(read_survey(self.protected, now=self.now), self.protected.policy)

    @cached_property
    def parts(self) -> tuple[Looked, ...]:
        """What a preflight sees; raises no expected error."""
        return preflight(self.protected)

    @cached_property
    def server(self) -> tuple[Looked, ...]:
        """What the engine sees of the live server beyond a preflight.

        Raises:
            OpsError: it can't be reached or read.
        """
        with private_folder() as private:
            engine = engine_of(self.protected.policy)
            return tuple(engine.examine(self.protected, private_folder=private, today=self.now.date()))

    @cached_property
    def reach(self) -> Reach:
        """How far back the source's history goes; only where one is kept.

        Raises:
            OpsError: its keeper, or the source, can't be asked.
        """
        with private_folder() as private:
            source = self.protected.source(private_folder=private)
            with registry.history_of(
                self.protected, source, budget_seconds=_HISTORY_BUDGET_SECONDS
            ) as history:
                return history.reach()

    @cached_property
    def places(self) -> Mapping[PlaceName, Store]:
        """The stores whose variables are set; each place once."""
        if not self.protected.several_offsite:
            return self.protected.places
        # Each thing that is asked of one that doesn't answer would take minutes.
        return {name: store.with_patience(SOON) for name, store in self.protected.places.items()}

    @cached_property
    def buckets(self) -> Mapping[PlaceName, "BucketSettings | OpsError"]:
        """The settings of the places that are buckets, or why they can't be read."""
        found: dict[PlaceName, BucketSettings | OpsError] = {}
        for place, store in self.places.items():
            if isinstance(store, TellsSettings):
                try:
                    found[place] = store.settings()
                except OpsError as error:
                    found[place] = error
        return found
