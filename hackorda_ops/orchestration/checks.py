"""What each step proves, as Dagster's asset checks: their specs and results follow from the core's declarations."""

import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import dagster as dg
from dagster import AssetCheckResult, AssetCheckSeverity, AssetCheckSpec, AssetKey, MetadataValue

from hackorda_ops.errors import OpsError
from hackorda_ops.orchestration import metadata
from hackorda_ops.orchestration.failures import ends_the_step
from hackorda_ops.proof.check import Check, Declaration
from hackorda_ops.proof.step import StepCheck, refuted

Made = TypeVar("Made")


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
