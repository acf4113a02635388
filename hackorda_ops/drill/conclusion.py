"""What a drill's record comes to: its result. Pure."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from importlib.metadata import version

from hackorda_ops.artifacts.sealed import is_sealed
from hackorda_ops.config.models import Policy
from hackorda_ops.drill import judgement
from hackorda_ops.drill.by_hand import instead_commands, must_not_be_restored, needs_another
from hackorda_ops.drilling.record import Record
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.engines.registry import engine_of


@dataclass(frozen=True)
class Drill:
    """Which drill it was.

    Attributes:
        drill_id: "YYYYMMDDTHHMMSSZ-xxxxxx", when it began.
        database: the protected database's name.
        quarter: the partition: first day of the quarter.
        started_at, finished_at: aware, UTC.
        run: the link to the run that drilled, or its id; None where no run did.
    """

    drill_id: str
    database: str
    quarter: date
    started_at: datetime
    finished_at: datetime
    run: str | None = None


def conclude(record: Record, drill: Drill, policy: Policy) -> DrillResult:
    """Judges a record, and says nothing of a bad artifact that only holds of a good one.

    Args:
        record: of a drill that has ended, wherever it did.
        drill: which it was.
        policy: the database's.
    """
    checks = judgement.complete(record.checks, policy.engine)
    verdict, problem = judgement.judge(checks, record.findings, record.problem, policy.engine)
    if verdict == "FAIL":
        record.remark_early_end()
    result = DrillResult(
        drill_id=drill.drill_id,
        database=drill.database,
        quarter=drill.quarter,
        started_at=drill.started_at,
        finished_at=drill.finished_at,
        verdict=verdict,
        error=problem,
        findings=tuple(record.findings),
        artifact=record.artifact(),
        scratch=record.scratch,
        checks=checks,
        stages=tuple(record.stages),
        tables=record.tables(),
        sequences_compared=record.sequences_compared,
        key_tables=record.key_tables,
        migration=record.migration,
        branch_migration=record.branch_migration,
        not_compared=tuple(record.not_compared),
        warnings=tuple(record.remarks),
        recovery_seconds=record.recovery_seconds,
        recovery_objective_seconds=policy.objectives.recovery_time_minutes * 60,
        data_loss_seconds=record.data_loss_seconds,
        recovery_point_objective_seconds=policy.objectives.recovery_point_hours * 3600,
        how_to_repeat=record.how_to_repeat,
        by_hand=engine_of(policy).by_hand(record.manifest)
        if record.manifest and not is_sealed(record.manifest)
        else (),
        engine=policy.engine,
        run=drill.run,
        product_version=version("hackorda-ops"),
    )
    if must_not_be_restored(result):
        result = replace(result, data_loss_seconds=None)
    if needs_another(result):
        result = replace(result, how_to_repeat=instead_commands(result), by_hand=())
    return result
