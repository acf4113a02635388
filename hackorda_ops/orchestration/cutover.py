"""The cutover as a job: the same steps as the command's, each an op with its log, on the same state."""

from collections.abc import Callable, Mapping

import dagster as dg

from hackorda_ops.config.models import Policy
from hackorda_ops.cutover.run import begin, perform
from hackorda_ops.cutover.steps import STEPS, CutoverStep
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.orchestration.failures import failure_of
from hackorda_ops.orchestration.jobs import EXECUTOR, NO_RUN_RETRIES
from hackorda_ops.orchestration.labels import labels
from hackorda_ops.orchestration.names import called
from hackorda_ops.progress_log import ProgressLog


def cutover(name: str, database: Policy) -> dg.JobDefinition:
    """Moves a database to another server, or goes on where an earlier run or the command line stopped.

    Args:
        name: the database's name in databases.yaml.
        database: its configuration.
    """
    ops = [_op(name, database, step) for step in STEPS]

    @dg.job(
        name=called(name, "cutover"),
        description=f"Moves {name} to the database in cutover.target, step by step. It stops before what can't be "
        "undone, unless the config of that op says confirmed: true; run again, it goes on there.",
        tags={**NO_RUN_RETRIES, **labels(name, "cutover")},
        executor_def=EXECUTOR,
    )
    def job() -> None:
        before = ops[0]()
        for op in ops[1:]:
            before = op(before)

    return job


def _op(name: str, database: Policy, step: CutoverStep) -> dg.OpDefinition:
    first = step is STEPS[0]
    # What follows it needs no further word: a cutover that got there goes on or back.
    asked = step.name == "repoint"
    schema = (
        {
            "confirmed": dg.Field(
                bool,
                default_value=False,
                is_required=False,
                description=f"Whether to go on. {step.undo}",
            )
        }
        if asked
        else {}
    )

    def work(context: dg.OpExecutionContext, environ: Mapping[str, str]) -> None:
        protected = Protected(name, database, environ)
        confirmed = bool(asked and context.op_config["confirmed"])
        try:
            if first:
                begin(protected)
            done = perform(
                protected,
                step.name,
                confirm=lambda _step, _state: confirmed,
                on_progress=ProgressLog(context.log.info),
                say=context.log.info,
            )
        except OpsError as error:
            raise failure_of(error) from None
        context.add_output_metadata({"what it saw": done.said, "seconds": done.seconds})

    return dg.op(
        name=called(name, f"cutover_{step.name}"),
        description=f"{step.does} Going back: {step.undo}",
        ins={} if first else {"before": dg.In(dg.Nothing)},
        out=dg.Out(dg.Nothing),
        config_schema=schema,
    )(_run(work))


def _run(work: Callable[[dg.OpExecutionContext, Mapping[str, str]], None]) -> Callable[..., None]:
    def run(context: dg.OpExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]) -> None:
        work(context, environ)

    return run
