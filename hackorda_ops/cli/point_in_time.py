"""The command that recovers to a point in time: recover."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from hackorda_ops.cli import promoting, terminal
from hackorda_ops.cli.arguments import ConfigPath, DatabaseName, choose_database
from hackorda_ops.environment import Protected
from hackorda_ops.errors import UsageError
from hackorda_ops.history.primary import LiveCopy, Primary
from hackorda_ops.hooks.hooks import HookRun
from hackorda_ops.point_in_time import recover as recovering
from hackorda_ops.point_in_time import wanted
from hackorda_ops.point_in_time.record import RecoveryRecord, duration_lines
from hackorda_ops.words import duration, moment


def recover(
    database: DatabaseName = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="The moment to go back to, just before the damage, with its distance from UTC: "
            "2026-11-27T03:15:00+05:00.",
        ),
    ] = None,
    recovery: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The recovery to go on with; needed only where there are several."),
    ] = None,
    promote: Annotated[
        bool,
        typer.Option(
            "--promote", help="Make the recovered branch the primary, once verify has succeeded; asks first."
        ),
    ] = False,
    in_place: Annotated[
        bool,
        typer.Option(
            "--in-place",
            help="With --promote: put the primary itself back to that time instead. Its connection strings stay, and "
            "what it holds now is kept in a branch of its own.",
        ),
    ] = False,
    back: Annotated[
        bool,
        typer.Option("--back", help="Undo a promotion: the old primary takes its place again; asks first."),
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Delete a recovery's branch that was not promoted; asks first.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Run the hooks that have already succeeded, too.")
    ] = False,
    checked_by_hand: Annotated[
        bool,
        typer.Option(
            "--checked-by-hand",
            help="With --promote: you have checked the branch yourself; verify is not run.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    config: ConfigPath = None,
) -> None:
    """Recover a database to a point in time, from the provider's history (Neon).

    Makes a branch of the primary as it was at that time, and runs your hooks (recover.hooks in databases.yaml: rebind,
    deploy, verify) with the branch's URL in their environment. The primary stays as it is until you say --promote.
    Without any option: lists the recoveries there are.

    hackorda-ops recover shop --at 2026-11-27T03:15:00+05:00

    hackorda-ops recover shop --promote

    Whatever interrupts it: the same command goes on where it stopped. Exit code 1: a hook didn't succeed.
    """
    protected = choose_database(config, database)
    began = time.monotonic()

    def say(line: str) -> None:
        passed = int(time.monotonic() - began)
        terminal.err.print(f"[{passed // 60:02}:{passed % 60:02}] {line}", markup=False, soft_wrap=True)

    if sum((promote, back, discard)) > 1 or (in_place and not promote):
        raise UsageError(
            "--promote, --back and --discard exclude each other, and --in-place belongs to --promote.",
            meaning="Nothing was attempted.",
            next_step="Give one of them: --promote, --promote --in-place, --back or --discard.",
        )
    now = recovering.now_utc()
    moment_asked = (
        wanted.time_named(at, timezone=protected.policy.schedule.timezone, now=now)
        if at is not None
        else None
    )
    with recovering.opened(protected) as primary:
        if not (at or recovery or promote or back or discard):
            _list(protected, primary)
            return
        if back or discard:
            found = wanted.recoveries(primary.now(), protected.name)
            if back and recovery is None and at is None:
                # The one that was promoted last is what somebody wants to take back.
                recovery = next((copy.run for copy in found if copy.default), None)
            copy = wanted.chosen(found, recovery_id=recovery, time=moment_asked)
            if copy is None:
                raise UsageError(
                    "There is no recovery to that time.",
                    meaning="Nothing was changed.",
                    next_step=f"List them: hackorda-ops recover {protected.name}",
                )
            undo = promoting.take_back if back else promoting.discard
            raise typer.Exit(1 if undo(protected, primary, copy, yes=yes, say=say) else 0)
        planned = recovering.plan(protected, primary, time=moment_asked, recovery_id=recovery, now=now)
        _show(protected, planned, promote=promote, in_place=in_place)
        promoting.agree("Begin?", yes=yes)
        with promoting.in_log(protected, "a recovery") as line:
            recovered = recovering.bring_up(protected, primary, planned, now=now, say=say)
            line.subject = f"recovery {recovered.copy.run}"
            kept = recovering.put_to_use(
                protected, recovered, again=again, verifies=not checked_by_hand, say=say
            )
            verified = recovering.is_verified(protected, kept)
            failed = [
                run
                for run in kept.hooks
                if not run.succeeded and not (checked_by_hand and run.name == "verify")
            ]
            _conclude(protected, recovered.copy, kept, failed, verified=verified)
            line.detail = f"Branch {recovered.copy.name}. {'; '.join(duration_lines(kept.hooks))}"
            if failed:
                line.outcome = "failure"
            elif promote:
                promoting.require_verified(recovered.copy, verified or checked_by_hand)
                act = promoting.put_in_place if in_place else promoting.promote
                failed = list(act(protected, primary, recovered.copy, yes=yes, say=say))
                line.outcome = "failure" if failed else "success"
                line.detail += "; promoted in place" if in_place else "; promoted"
        raise typer.Exit(1 if failed else 0)


def _show(protected: Protected, planned: recovering.RecoveryPlan, *, promote: bool, in_place: bool) -> None:
    hooks = recovering.hook_lines(protected)
    zone = protected.policy.schedule.timezone
    at = (
        "an unknown time"
        if planned.time is None
        else f"{moment(planned.time)} ({_local(planned.time, zone)})"
    )
    branch = (
        f"goes on with the branch {planned.copy.name}"
        if planned.copy
        else f"makes a new branch of {planned.incumbent.name} ({planned.incumbent.copy_id})"
    )
    third = f"stops there: {planned.incumbent.name} stays the primary"
    if promote:
        what = (
            f"puts {planned.incumbent.name} itself back to that time" if in_place else "makes it the primary"
        )
        third = f"{what}, once it is verified and you have agreed"
    promoting.lines(
        f"Recovery of {protected.name} to {at}:",
        f"  1. {branch}, with its own address",
        "  2. runs these commands with its address; what they point at the branch uses it from then on:"
        if hooks
        else "  2. no hooks are configured (recover.hooks)",
        *(f"       {each}" for each in hooks),
        f"  3. {third}",
    )


def _conclude(
    protected: Protected, copy: LiveCopy, kept: RecoveryRecord, failed: Sequence[HookRun], *, verified: bool
) -> None:
    name, run = protected.name, copy.run
    promoting.lines(
        "",
        f"Recovery {run}, branch {copy.name} ({copy.copy_id})",
        *(f"  {each}" for each in duration_lines(kept.hooks)),
    )
    for each in failed:
        promoting.lines(f"  {each.name} said: {each.detail}")
    if failed:
        terminal.verdict(
            "FAIL",
            f"{failed[0].name} {failed[0].outcome}: the primary was not changed. Fix the cause, then go on with:",
        )
        promoting.lines(f"  hackorda-ops recover {name} --recovery {run}")
    elif verified and kept.verified_seconds is not None:
        objective = protected.policy.objectives.recovery_time_minutes * 60
        terminal.verdict(
            "PASS",
            f"verified after {duration(kept.verified_seconds)}; the objective is {duration(objective)}.",
        )
    if not failed and not copy.default:
        needed = "" if verified else " --checked-by-hand"
        promoting.lines(
            f"  to make it the primary: hackorda-ops recover {name} --recovery {run} --promote{needed}"
        )
    if not copy.default:
        promoting.lines(f"  to throw it away:       hackorda-ops recover {name} --recovery {run} --discard")


def _list(protected: Protected, primary: Primary) -> None:
    found = wanted.recoveries(primary.now(), protected.name)
    if not found:
        promoting.lines(
            f"There is no recovery of {protected.name}. To begin one: hackorda-ops recover {protected.name} --at TIME"
        )
        return
    rows = []
    for copy in found:
        at = wanted.asked_time(copy)
        rows.append(
            (
                copy.run,
                moment(at) if at else "unknown",
                copy.name,
                "the primary" if copy.default else "not the primary",
            )
        )
    terminal.table(f"{protected.name}, recoveries", ("recovery", "back to", "branch", "state"), rows)


def _local(when: datetime, zone: str) -> str:
    return f"{when.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} {zone}"
