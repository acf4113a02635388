"""Metrics for Prometheus, as a file that node_exporter's textfile collector reads."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from hackorda_ops.calendar.due import DueKind
from hackorda_ops.config.models import Policy
from hackorda_ops.readiness.judgement import judge
from hackorda_ops.readiness.overdue import OverdueKind
from hackorda_ops.readiness.standing import Standing
from hackorda_ops.stores.disk_errors import disk_errors

# Unlike everything else that is written here: node_exporter runs as another user, and the file has
# names, times and sizes in it, no row and no secret.
_READABLE: Final = 0o644


def write_metrics(
    path: Path, standings: Sequence[Standing], databases: Mapping[str, Policy], now: datetime
) -> None:
    """Writes the metrics of all databases; the file is never half written.

    Args:
        path: a ".prom" file in the collector's folder, which exists.
        standings: of each database.
        databases: the configuration, by name.
        now: aware.

    Raises:
        StoreRefused, StoreUnreachable, DiskFull: the operating system's error.
    """
    data = metrics_text(standings, databases, now)
    with disk_errors(f"write the metrics {path}"):
        # The collector reads no other names than "*.prom".
        descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                os.fchmod(file.fileno(), _READABLE)
            Path(unfinished).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(unfinished).unlink()
            raise


def metrics_text(standings: Sequence[Standing], databases: Mapping[str, Policy], now: datetime) -> bytes:
    """The metrics in Prometheus' text format. Pure. What isn't known has no sample, rather than a wrong one.

    Args:
        standings: how each database stands.
        databases: the databases' configurations, by name.
        now: the present, aware.
    """
    registry = CollectorRegistry()

    def gauge(name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"hackorda_ops_{name}", says, ("database", *labels), registry=registry)

    last_night = gauge("last_night_timestamp_seconds", "The moment that the newest sound night holds.")
    last_copy = gauge("last_copy_timestamp_seconds", "The moment that the newest off-site copy holds.")
    last_drill = gauge("last_proven_drill_timestamp_seconds", "When the last drill that passed was run.")
    proven_point = gauge(
        "last_proven_restore_point_timestamp_seconds", "The moment that the last proven artifact holds."
    )
    since_proven = gauge(
        "hours_since_proven", "Hours since a drill or the proof of a night last brought a backup back."
    )
    proof_passed = gauge(
        "last_night_proof_passed", "1 where the newest proof of a night passed, 0 otherwise."
    )
    recovery = gauge("recovery_seconds", "How long the recovery took in the last drill that passed.")
    time_objective = gauge("recovery_time_objective_seconds", "The recovery time objective.")
    point_objective = gauge("recovery_point_objective_seconds", "The recovery point objective.")
    night_size = gauge("night_size_bytes", "The size of the newest sound night as stored.")
    overdue = gauge("overdue", "1 where this kind is overdue, 0 where it is not.", "kind")
    unread = gauge("problems", "How many things are odd, or could not be read.")
    ready = gauge("ready", "1 where the verdict is OK, forecasts aside, and 0 where it is anything else.")
    _count_copies(standings, gauge)
    for standing in standings:
        name, database = standing.database, databases[standing.database]
        night, copy, proven = standing.newest_sound_night, standing.newest_copy, standing.last_proven
        if night is not None:
            last_night.labels(name).set(night.captured_at.timestamp())
            night_size.labels(name).set(night.size_bytes)
        if copy is not None:
            last_copy.labels(name).set(copy.captured_at.timestamp())
        if proven is not None:
            last_drill.labels(name).set(proven.drilled_at.timestamp())
            if proven.recovery_seconds is not None:
                recovery.labels(name).set(proven.recovery_seconds)
        if (point := standing.newest_proven) is not None:
            proven_point.labels(name).set(point.captured_at.timestamp())
        if (hours := standing.hours_since_proven) is not None:
            since_proven.labels(name).set(hours)
        if standing.last_proof is not None:
            proof_passed.labels(name).set(standing.last_proof.verdict == "PASS")
        time_objective.labels(name).set(database.objectives.recovery_time_minutes * 60)
        point_objective.labels(name).set(database.objectives.recovery_point_hours * 3600)
        late = {each.kind for each in standing.overdue}
        kinds: tuple[OverdueKind, ...] = (*get_args(DueKind), "proof")
        for kind in kinds:
            if kind in standing.judged:
                overdue.labels(name, kind).set(kind in late)
        unread.labels(name).set(len(standing.problems))
        ready.labels(name).set(judge(standing, database).word == "OK")
    written = Gauge(
        "hackorda_ops_readiness_timestamp_seconds", "When these metrics were written.", registry=registry
    )
    written.set(now.timestamp())
    return generate_latest(registry)


def _count_copies(standings: Sequence[Standing], gauge: Callable[[str, str], Gauge]) -> None:
    """What is counted of the newest sound artifact, where it was counted."""
    says = {
        "copies": "How many proven copies of the newest sound artifact there are.",
        "copy_providers": "With how many providers, or on how many media, those are.",
        "copies_off_site": "How many of them are off-site.",
        "copies_immutable": "How many of them object lock holds today.",
        "proof_errors": "How many errors proofs found in the copies.",
    }
    gauges = {name: gauge(name, said) for name, said in says.items()}
    for standing in standings:
        if (held := standing.counted) is not None:
            numbers = (held.copies, held.providers, held.off_site, held.immutable, len(held.errors))
            for each, number in zip(gauges.values(), numbers, strict=True):
                each.labels(standing.database).set(number)
