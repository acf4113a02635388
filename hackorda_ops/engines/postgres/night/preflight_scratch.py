"""Whether a Postgres database's scratch is as a drill needs it, and what that means for its nights."""

from collections.abc import Iterator, Sequence

from hackorda_ops.concerns import ConcernLevel, Looked, concern_of, concerns_in, looked
from hackorda_ops.engines.engine import NightView
from hackorda_ops.engines.postgres.night.origin import look_at_origin
from hackorda_ops.engines.postgres.night.preflight import look_at_clients
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.histories import registry as histories
from hackorda_ops.postgres.catalogs.inventory import Inventory
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.scratch import registry
from hackorda_ops.scratch.preflight import Wanted


def look_at_scratch(
    protected: Protected, view: NightView, newest: PostgresManifest | None
) -> Iterator[Looked]:
    """Whether the scratch is as a drill needs it, and what nights are read from.

    Args:
        protected: the database.
        view: what `look` found of the source.
        newest: the newest artifact off-site; None before the first.
    """
    source: ConnectionTarget | None = view.source if isinstance(view.source, ConnectionTarget) else None
    inventory: Inventory | None = view.seen or (newest.inventory if newest else None)
    wanted = Wanted(
        inventory,
        newest,
        source,
        lambda major: look_at_clients(protected, major),
        jobs=protected.policy.dump.jobs,
    )
    parts = tuple(registry.look(protected, wanted))
    yield from parts
    if protected.policy.keeps_history and source is not None:
        yield from _look_at_history(protected, source)
        yield from _look_at_nights(protected, source, parts)


def _look_at_history(protected: Protected, source: ConnectionTarget) -> Iterator[Looked]:
    try:
        yield from histories.look(protected, source)
    except OpsError as error:
        # Neither a night nor a drill ends for want of a history.
        yield Looked("history", "", (concern_of(error, "worth knowing"),))


def _look_at_nights(
    protected: Protected, source: ConnectionTarget, scratch: Sequence[Looked]
) -> Iterator[Looked]:
    policy = protected.policy
    insisted = policy.dump_from == "branch"

    def look() -> Looked:
        with histories.history_of(protected, source) as history:
            return look_at_origin(history, policy, source)

    # What keeps a drill from its branch keeps a night from one, and needn't be reported twice; but where nothing
    # but a branch will do, it stops the night as well. Elsewhere a night that gets none reads the source.
    if insisted or not concerns_in(scratch, "stops the drill"):
        severity: ConcernLevel = "stops the night" if insisted else "worth knowing"
        yield looked("nights", severity, look)
