"""What each step proves, as Dagster's asset checks: their specs and results follow from the core's declarations."""

import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import dagster as dg
from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    MetadataValue,
)

from hackorda_ops.drill.quarter import Quarter
from hackorda_ops.drill.report.words import meaning, next_step
from hackorda_ops.errors import OpsError
from hackorda_ops.orchestration import drill_metadata, metadata
from hackorda_ops.orchestration.failures import ends_the_step
from hackorda_ops.proof.check import Check, Declaration
from hackorda_ops.proof.step import StepCheck, refuted
from hackorda_ops.readiness.assessment import Readiness
from hackorda_ops.readiness.judgement import Word

Made = TypeVar("Made")

VERDICT: Final = Declaration(
    name="verdict",
    title="The drill passed",
    description="The drill's verdict: FAIL is about the backup or what depends on it, and an error. ERROR means that "
    "the drill could not judge: a warning, and no word against the backup.",
)
"""What a drill comes to; its report's first check."""
_READY: Final[Mapping[Word, tuple[bool, AssetCheckSeverity]]] = {
    "OK": (True, AssetCheckSeverity.ERROR),
    "AT RISK": (False, AssetCheckSeverity.WARN),
    "OVERDUE": (False, AssetCheckSeverity.ERROR),
    "UNKNOWN": (False, AssetCheckSeverity.ERROR),
    "UNPROTECTED": (False, AssetCheckSeverity.ERROR),
}


def specs_of(
    declared: Iterable[Declaration], asset: AssetKey, partitions: dg.PartitionsDefinition[str] | None = None
) -> list[AssetCheckSpec]:
    """The checks of what proves something: a night, a week, a drill, an exercise, or a look at the history.

    Args:
        declared: the checks, in order.
        asset: the asset's key.
        partitions: the asset's partitions; None if it has none.
    """
    # Without partitions of their own a backfilled old week or quarter would overwrite the newest state. They
    # are a "preview" in Dagster 1.13.
    with warnings.catch_warnings(action="ignore", category=dg.PreviewWarning):
        return [
            AssetCheckSpec(each.name, asset=asset, description=each.description, partitions_def=partitions)
            for each in declared
        ]


def results_of(
    checks: Sequence[Check], specs: Iterable[AssetCheckSpec], shown: Mapping[str, MetadataValue] | None = None
) -> Iterator[AssetCheckResult]:
    """The outcomes of checks, as far as there are specs of them; what was not made is a warning, and no pass.

    Args:
        checks: all of them, one at least for each spec.
        specs: as the asset declares them.
        shown: as metadata of each.
    """
    made = {check.name: check for check in checks}
    for spec in specs:
        check = made[spec.name]
        yield AssetCheckResult(
            passed=check.outcome == "passed",
            check_name=check.name,
            asset_key=spec.asset_key,
            severity=AssetCheckSeverity.ERROR if check.made else AssetCheckSeverity.WARN,
            description=check.summary,
            metadata=shown,
        )


def of_a_report(
    held: Quarter, specs: Sequence[AssetCheckSpec], where: metadata.Metadata
) -> Iterator[AssetCheckEvaluation]:
    """What a drill says, for the checks of its report: the verdict first, then what failed, then what passed.

    What was not looked at is left out: Dagster then shows it as not evaluated. As results of the step that drills it
    would be "failed" whenever that step fails.

    Args:
        held: the drill.
        specs: the checks of the report, as Dagster knows them.
        where: the report's pages, and a link.
    """
    result, partition = held.result, held.result.quarter.isoformat()
    key, declared, step = specs[0].asset_key, {spec.name for spec in specs}, next_step(result)
    yield AssetCheckEvaluation(
        asset_key=key,
        check_name=VERDICT.name,
        passed=result.verdict == "PASS",
        severity=AssetCheckSeverity.WARN if result.verdict == "ERROR" else AssetCheckSeverity.ERROR,
        description=f"{result.verdict}: {meaning(result)}" + (f" Next step: {step}" if step else ""),
        metadata=drill_metadata.of_verdict(held, where),
        partition=partition,
    )
    for outcome in ("failed", "passed"):
        for check in result.checks:
            if check.outcome == outcome and check.name in declared:
                yield AssetCheckEvaluation(
                    asset_key=key,
                    check_name=check.name,
                    passed=outcome == "passed",
                    description=check.summary,
                    metadata={},
                    partition=partition,
                )


def specs_of_readiness(databases: Iterable[str], asset: AssetKey) -> list[AssetCheckSpec]:
    """A check per database, called like it.

    Args:
        databases: their names in databases.yaml.
        asset: the asset's key.
    """
    return [
        AssetCheckSpec(
            name,
            asset=asset,
            description=f"Whether {name} could be recovered right now. AT RISK is a warning; OVERDUE, UNKNOWN and "
            "UNPROTECTED are errors.",
        )
        for name in databases
    ]


def of_readiness(found: Iterable[Readiness]) -> Iterator[AssetCheckResult]:
    """How ready each database is, with the reasons and what to do first."""
    for each in found:
        judged = each.judgement
        passed, severity = _READY[judged.word]
        step = f" Next step: {judged.next_step}" if judged.next_step else ""
        yield AssetCheckResult(
            passed=passed,
            check_name=each.database,
            severity=severity,
            description=" ".join((f"{judged.word}:", *(judged.reasons or (each.risk,)))) + step,
            metadata=metadata.of_judgement(each),
        )


def results_of_a_step(declared: Iterable[StepCheck[Made]], made: Made) -> Iterator[AssetCheckResult]:
    """What a finished step has proven.

    Args:
        declared: the step's checks.
        made: its result.
    """
    for check in declared:
        seen = check.judge(made)
        found = {} if seen.findings is None else {"found": metadata.of_findings(seen.findings)}
        yield AssetCheckResult(
            passed=seen.passed,
            check_name=check.name,
            description=seen.summary or None,
            metadata={**seen.numbers, **found},
        )


def done_in_a_step(
    declared: Iterable[StepCheck[Made]], context: dg.AssetExecutionContext, work: Callable[[], Made]
) -> Generator[AssetCheckResult, None, Made]:
    """The core's work on a partition: for `yield from`, which returns its result.

    An error ends the step (`ends_the_step`), after the checks that it has failed are yielded.

    Args:
        declared: the step's checks.
        context: the context of the asset's step.
        work: calls the core.
    """
    with ends_the_step(context):
        try:
            return work()
        except OpsError as error:
            for check in refuted(declared, error):
                yield AssetCheckResult(passed=False, check_name=check.name, description=check.summary)
            raise
