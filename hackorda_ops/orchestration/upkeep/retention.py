"""Deletes every week what the policy doesn't keep: a job and its schedule, after the week's copy and drill."""

from collections.abc import Mapping
from typing import Final

import dagster as dg
from dagster import MetadataValue

from hackorda_ops.config.models import Policy, Schedule
from hackorda_ops.environment import Protected
from hackorda_ops.orchestration.failures import ends_the_step
from hackorda_ops.orchestration.jobs import of_op
from hackorda_ops.orchestration.labels import labels
from hackorda_ops.orchestration.names import called
from hackorda_ops.orchestration.schedules import without_catching_up
from hackorda_ops.retention import prune as pruning
from hackorda_ops.retention.plan import Decision
from hackorda_ops.retention.prune import Pruned
from hackorda_ops.words import size

KIND: Final = "retention"


def retention(name: str, database: Policy) -> dg.JobDefinition:
    """Deletes what a database's policy doesn't keep."""

    @dg.op(
        name=called(name, "delete_what_the_policy_lets_go"),
        # Never alongside a copy, which may continue with what looks left behind.
        pool=f"{name}_offsite",
        description="Makes a new plan, deletes each artifact manifest first, and says why the others are kept.",
    )
    def delete(context: dg.OpExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]) -> None:
        with ends_the_step(context):
            done = pruning.prune(Protected(name, database, environ))
        for decision in done.plan.decisions:
            context.log.info(told(decision))
        for leftover in done.plan.leftovers:
            word = "To be removed" if leftover.remove else "Kept for now"
            context.log.info(f"{word}: {leftover.subject} ({leftover.place}): {leftover.reason}.")
        for note in (*done.plan.notes, *done.not_allowed):
            context.log.warning(note)
        context.add_output_metadata(metadata_of(done))

    return of_op(
        delete,
        name=called(name, KIND),
        description=f"Deletes the artifacts of {name} that its policy doesn't keep, and says why the rest is kept. "
        "`hackorda-ops prune` shows what it would do.",
        tags=labels(name, KIND),
    )


def every_week(name: str, schedule: Schedule, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Requests it by `schedule.retention`. A missed run isn't caught up on: the next one makes a new plan.

    Args:
        name: the database's name in databases.yaml.
        schedule: the database's schedule.
        job: the job that deletes.
    """
    return without_catching_up(
        job,
        schedule.retention,
        timezone=schedule.timezone,
        name=called(name, "prune_every_week"),
        description=f"Deletes what the policy of {name} doesn't keep.",
        tags=labels(name, KIND),
    )


def told(decision: Decision) -> str:
    """A decision as a line of a run's log."""
    held = decision.held
    word = "Kept" if decision.keep else "To be deleted"
    return f"{word}: {held.artifact_id} ({held.place}, night {held.night}): {'; '.join(decision.reasons)}."


def metadata_of(done: Pruned) -> dict[str, MetadataValue]:
    """What a run shows of itself."""
    deleted = "\n".join(
        f"- `{each.artifact_id}` ({each.place}), night {each.night}, {size(each.size_bytes)}"
        for each in done.deleted
    )
    return {
        "kept": MetadataValue.int(sum(each.keep for each in done.plan.decisions)),
        "deleted": MetadataValue.int(len(done.deleted)),
        "leftovers removed": MetadataValue.int(len(done.removed)),
        "bytes freed": MetadataValue.int(done.freed_bytes),
        "bytes left as versions": MetadataValue.int(done.left_bytes),
        "locks extended": MetadataValue.int(len(done.extended)),
        "pins lifted": MetadataValue.int(len(done.lifted)),
        "abandoned uploads ended": MetadataValue.int(len(done.ended_uploads)),
        "what was deleted": MetadataValue.md(deleted or "nothing"),
        **{
            f"bytes in {stock.place}": MetadataValue.int(stock.size_bytes + stock.superseded_bytes)
            for stock in done.plan.stocks
        },
    }
