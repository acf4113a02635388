"""The command that shows how ready every database is: status."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import AsJson, ConfigPath, DatabaseName, choose_databases
from hackorda_ops.cli.printing import print_json
from hackorda_ops.readiness.assessment import Readiness, assess
from hackorda_ops.readiness.survey import read_survey
from hackorda_ops.retention.wanted import hidden_problems
from hackorda_ops.stores.disk_errors import disk_errors
from hackorda_ops.words import NOTHING, duration


def status(
    database: DatabaseName = None,
    config: ConfigPath = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the page there.")] = None,
    metrics: Annotated[
        Path | None,
        typer.Option("--metrics", metavar="FILE", help="Write metrics for Prometheus there (a .prom file)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how ready each database is for the day it's lost: by its schedule, its objectives, its last proof.

    Exit code 0: all are OK. 1: something is overdue, unproven or at risk. 3: no backup of a database was
    found, and not all places could be read.
    """
    databases, now = choose_databases(config, database), datetime.now(UTC)
    with terminal.progress_shown() as on_progress:
        found = [
            assess(
                read_survey(each, now=now, also=hidden_problems(each, now=now), on_progress=on_progress),
                each.policy,
            )
            for each in databases
        ]
    if html is not None:
        _write_page(html, found, now)
    if metrics is not None:
        from hackorda_ops.readiness.metrics import write_metrics  # noqa: PLC0415  # loads prometheus_client

        policies = {each.name: each.policy for each in databases}
        write_metrics(metrics, [each.standing for each in found], policies, now)
    if as_json:
        print_json(found)
    else:
        _show(found)
    words = {each.judgement.word for each in found}
    raise typer.Exit(0 if words == {"OK"} else 3 if "UNKNOWN" in words else 1)


def _show(found: list[Readiness]) -> None:
    def age(each: Readiness, kind: str) -> str:
        when = next((asked.newest_at for asked in each.asked if asked.kind == kind), None)
        return NOTHING if when is None else duration((each.at - when).total_seconds())

    def hours(each: Readiness) -> str:
        since = each.standing.hours_since_proven
        return NOTHING if since is None else f"{since:,.1f}"

    terminal.table(
        "Readiness",
        (
            "database",
            "verdict",
            "last night#",
            "last copy#",
            "last drill#",
            "hours since proven#",
            "recovery time#",
            "objective#",
        ),
        [
            (
                each.database,
                each.judgement.word,
                *(age(each, kind) for kind in ("night", "week", "quarter")),
                hours(each),
                NOTHING if each.recovery_seconds is None else duration(each.recovery_seconds),
                duration(each.recovery_time_objective_seconds),
            )
            for each in found
        ],
    )
    for each in found:
        terminal.out.print(f"{each.database}: {each.risk}", markup=False, soft_wrap=True)
        if (held := each.standing.counted) is not None:
            terminal.out.print(f"  {held.sentence}", markup=False, soft_wrap=True)
            for short in held.short:
                terminal.out.print(f"    {short.sentence} {short.next_step}", markup=False, soft_wrap=True)
        for reason in each.judgement.reasons:
            terminal.out.print(f"  {reason}", markup=False, soft_wrap=True)
        if each.judgement.next_step:
            terminal.out.print(f"  Next step: {each.judgement.next_step}", markup=False, soft_wrap=True)


def _write_page(path: Path, found: list[Readiness], now: datetime) -> None:
    # pandas and its like take a second to load, which the table should not wait for.
    from hackorda_ops.readiness.page import page  # noqa: PLC0415

    with disk_errors(f"write the page {path}"):
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(page(found, now), encoding="utf-8")
