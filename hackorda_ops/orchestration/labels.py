"""The tags by which Dagster's pages are filtered: of which database something is, of which kind, and how it ended."""

from collections.abc import Mapping
from typing import Final

import dagster as dg

DATABASE: Final = "hackorda_ops/database"
"""On assets, jobs, schedules and runs: the database's name in databases.yaml."""
KIND: Final = "hackorda_ops/kind"
"""What it makes or does: "night", "proof", "week", "quarter", "year", "history", "retention", "sweep"."""
VERDICT: Final = "hackorda_ops/verdict"
"""On the run of a proof, a drill or an exercise: PASS, FAIL or ERROR."""

ONLY_THERE: Final = "hackorda_ops/only_there"
"""On a run that makes up for a copy: the names of the places that lack it, with commas between them."""

Context = dg.OpExecutionContext | dg.AssetExecutionContext


def labels(database: str, kind: str) -> dict[str, str]:
    """The tags of what belongs to one database.

    Args:
        database: its name in databases.yaml.
        kind: what it makes or does.
    """
    return {DATABASE: str(database), KIND: kind}


def label_run(context: Context, database: str, kind: str) -> None:
    """Labels the run of a step, which a person may have started without any label.

    A run of several databases' assets is of none, and one of several assets of no kind.

    Args:
        context: the step's.
        database: its name in databases.yaml.
        kind: what the step makes or does.
    """
    assets = context.run.asset_selection or ()
    of_all = labels(database, kind)
    if len({tuple(asset.path[:-1]) for asset in assets}) > 1:
        return
    if len(assets) > 1:
        del of_all[KIND]
    if lacking := {tag: text for tag, text in of_all.items() if tag not in context.run.tags}:
        _put(context, lacking)


def label_verdict(context: Context, verdict: str) -> None:
    """Labels the run of a proof, a drill or an exercise with its outcome.

    Args:
        context: the step's.
        verdict: PASS, FAIL or ERROR.
    """
    _put(context, {VERDICT: verdict})


def only_there(run: dg.DagsterRun) -> tuple[str, ...]:
    """The places that a run is to copy to alone; none for all of them."""
    return tuple(each for each in run.tags.get(ONLY_THERE, "").split(",") if each)


def _put(context: Context, tags: Mapping[str, str]) -> None:
    context.instance.add_run_tags(context.run.run_id, dict(tags))
