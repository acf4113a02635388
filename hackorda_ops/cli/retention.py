"""The command that deletes what the policy doesn't keep: prune."""

from typing import Annotated, Any

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath, DatabaseName, choose_database
from hackorda_ops.cli.printing import note, print_json
from hackorda_ops.retention import prune as pruning
from hackorda_ops.retention.plan import Decision
from hackorda_ops.retention.planning import RetentionPlan
from hackorda_ops.retention.prune import Pruned
from hackorda_ops.retention.stock import Stock
from hackorda_ops.words import counted, moment, size


def prune(
    database: DatabaseName = None,
    delete: Annotated[
        bool,
        typer.Option("--delete", help="Delete. Without this, the command only shows what it would do."),
    ] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Show which artifacts are kept and why, and which are deleted; delete them only with --delete.

    It never deletes what a drill last proved or found bad, the newest sound ones, what is younger than 7 days,
    what is pinned, what object lock holds, or what can't be read. Dagster does the same every week.
    """
    protected = choose_database(config, database)
    done: Pruned | None = None
    with terminal.progress_shown() as on_progress:
        if delete:
            done = pruning.prune(protected, on_progress=on_progress)
            plan = done.plan
        else:
            plan = pruning.plan_retention(protected, on_progress=on_progress)
    if as_json:
        print_json(_as_json(plan, done))
        return
    for stock in plan.stocks:
        _show(plan, stock)
    for line in plan.notes:
        note(line)
    for each in plan.to_extend if done is None else ():
        terminal.out.print(
            f"  extend the lock of {each.subject} ({each.place}), {counted(len(each.keys), 'file')}, to "
            f"{moment(each.until)}",
            markup=False,
            soft_wrap=True,
        )
    for pin in plan.over if done is None else ():
        terminal.out.print(
            f"  lift the pin of {pin.artifact_id}: {pin.sentence}", markup=False, soft_wrap=True
        )
    if done is not None:
        for line in done.not_allowed:
            note(f"not removed: {line}")
        terminal.out.print(pruning.sentence(done), markup=False, soft_wrap=True)
    elif plan.to_delete or plan.to_remove or plan.to_extend or plan.over:
        bytes_to_go = sum(each.held.size_bytes for each in plan.to_delete)
        terminal.out.print(
            f"With --delete: {counted(len(plan.to_delete), 'artifact')} of {size(bytes_to_go)} and "
            f"{counted(len(plan.to_remove), 'leftover')} of {size(sum(each.size_bytes for each in plan.to_remove))} "
            "would be deleted. Nothing was deleted.",
            markup=False,
            soft_wrap=True,
        )
    else:
        terminal.out.print("There is nothing to delete.")


def _show(plan: RetentionPlan, stock: Stock) -> None:
    decisions = [each for each in plan.decisions if each.held.place == stock.place]
    terminal.table(
        f"{plan.database}, {stock.place}: {stock.location}",
        ("night", "artifact!", "size#", "judgement", "", "why"),
        [
            (
                str(each.held.night),
                each.held.artifact_id,
                size(each.held.size_bytes),
                each.held.judgement,
                "keep" if each.keep else "delete",
                "; ".join(each.reasons),
            )
            for each in decisions
        ],
    )
    for leftover in (each for each in plan.leftovers if each.place == stock.place):
        word = "remove" if leftover.remove else "keep"
        terminal.out.print(
            f"  {word} {leftover.subject}, {size(leftover.size_bytes)}: {leftover.reason}",
            markup=False,
            soft_wrap=True,
        )
    behind = (
        f"{counted(stock.superseded, 'superseded version')} of {size(stock.superseded_bytes)}, "
        f"{counted(stock.markers, 'delete marker')}, "
        if stock.keeps_versions
        else ""
    )
    uploads = (
        "abandoned uploads not counted: the key has no right to list them"
        if stock.uploads is None
        else counted(len(stock.uploads), "abandoned upload")
    )
    terminal.out.print(f"  {size(stock.size_bytes)} in all; {behind}{uploads}", markup=False, soft_wrap=True)


def _as_json(plan: RetentionPlan, done: Pruned | None) -> dict[str, Any]:
    return {
        "database": plan.database,
        "artifacts": [_decision(each) for each in plan.decisions],
        "leftovers": [
            {
                "place": each.place,
                "subject": each.subject,
                "size_bytes": each.size_bytes,
                "remove": each.remove,
                "reason": each.reason,
            }
            for each in plan.leftovers
        ],
        "places": plan.stocks,
        "notes": plan.notes,
        "locks_to_extend": plan.to_extend,
        "pins_over": plan.over,
        "done": done
        and {
            "deleted": [{"place": each.place, "artifact_id": each.artifact_id} for each in done.deleted],
            "removed": [each.subject for each in done.removed],
            "freed_bytes": done.freed_bytes,
            "left_bytes": done.left_bytes,
            "ended_uploads": done.ended_uploads,
            "not_allowed": done.not_allowed,
            "locks_extended": [{"place": each.place, "subject": each.subject} for each in done.extended],
            "pins_lifted": [each.artifact_id for each in done.lifted],
        },
    }


def _decision(decision: Decision) -> dict[str, Any]:
    held = decision.held
    return {**vars(held), "keep": decision.keep, "reasons": decision.reasons}
