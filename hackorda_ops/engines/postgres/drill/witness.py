"""The second witness of a drill whose scratch brings no branch along: a copy from the history that is configured."""

from datetime import UTC, datetime, timedelta
from typing import Final

from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.drilling.declaration import Drilling
from hackorda_ops.engines.postgres.drill.checks import branch_equals_manifest
from hackorda_ops.errors import OpsError
from hackorda_ops.evidence.manifest import of_postgres
from hackorda_ops.histories import registry
from hackorda_ops.history.alive import kept_alive
from hackorda_ops.history.base import History
from hackorda_ops.history.labels import DRILL
from hackorda_ops.history.points import AtLsn
from hackorda_ops.scratch.place import ComparableBranch

_EXPIRES_AFTER: Final = timedelta(hours=24)


def hear(drilling: Drilling) -> None:
    """Compares the artifact with what the source's history holds of its moment.

    What keeps the history from opening says nothing about the artifact: then nothing was measured.

    Args:
        drilling: the drill, with its artifact fetched; its policy names a history.
    """
    record = drilling.record
    try:
        with registry.history_of(drilling.protected, drilling.source) as history:
            record.remarks += [f"Removed what a killed run had left: {left}" for left in history.sweep()]
            if history.main() is None:
                record.not_measured(branch_equals_manifest.CHECK.name, history.not_main())
                return
            _compare(drilling, history)
    except OpsError as error:
        if not any(each.name == branch_equals_manifest.CHECK.name for each in record.checks):
            record.not_measured(branch_equals_manifest.CHECK.name, error.what)
        else:
            record.remarks.append(error.what)


def _compare(drilling: Drilling, history: History) -> None:
    record, manifest = drilling.record, of_postgres(drilling.manifest)
    run = new_id(datetime.now(UTC))

    def left(name: str, error: OpsError) -> None:
        record.remarks.append(
            f"The {history.traits.copy} {name} was not removed: {error.what} {error.next_step}"
        )

    with (
        kept_alive(drilling.source, run),
        history.opened(
            purpose=DRILL,
            run=run,
            point=AtLsn(manifest.lsn),
            expires_at=datetime.now(UTC) + _EXPIRES_AFTER,
            on_left=left,
        ) as copy,
    ):
        record.remarks += copy.warnings
        branch_equals_manifest.compare(drilling, ComparableBranch(copy.target, copy.lsn, reason=""))
