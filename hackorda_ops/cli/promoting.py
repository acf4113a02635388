"""What `recover` does to the primary, each after asking: promote, put in place, take back; and discarding a branch."""

import shlex
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager

import typer

from hackorda_ops.artifacts.operations_log import LogLine
from hackorda_ops.cli import terminal
from hackorda_ops.cli.printing import note
from hackorda_ops.environment import Protected
from hackorda_ops.errors import TargetRefused, UsageError
from hackorda_ops.history.primary import LiveCopy, Primary
from hackorda_ops.hooks.hooks import HookRun
from hackorda_ops.point_in_time import changes, promotion
from hackorda_ops.point_in_time import recover as recovering
from hackorda_ops.point_in_time.record import duration_lines
from hackorda_ops.receipts.record import recorded


def require_verified(copy: LiveCopy, verified: bool) -> None:
    """Refuses to promote what nobody has checked.

    Raises:
        TargetRefused: nobody has.
    """
    if not verified:
        raise TargetRefused(
            f"The branch {copy.name} is not verified: no hook `verify` has succeeded on it.",
            meaning="The primary was not changed.",
            next_step="Configure recover.hooks.verify and run the same command again; or check the branch yourself, "
            "and add --checked-by-hand.",
        )


def promote(
    protected: Protected, primary: Primary, copy: LiveCopy, *, yes: bool, say: recovering.Say
) -> Sequence[HookRun]:
    """Makes a recovery's branch the primary, and says what the way back is. The hooks have run on it already.

    Args:
        protected: the database.
        primary: its branches.
        copy: the recovery's.
        yes: whether not to ask.
        say: called with what is done.

    Returns:
        The hooks that failed: none.
    """
    swap = promotion.forward(primary.now(), copy)
    lines(
        "",
        f"{swap.name} ({swap.incumbent_id}) will be renamed to {swap.aside}, and keeps all that it holds.",
        f"{copy.name} ({swap.candidate_id}) will be renamed to {swap.name}, made the default branch and protected.",
        "What was written to the old primary after that time is in the old primary only.",
    )
    _confirm(f"Make {copy.name} the primary?", yes=yes)
    again = _command(protected, copy, "--promote")
    swap, warnings = changes.promote(primary, copy, again=again, say=say)
    for each in warnings:
        note(each)
    terminal.verdict("PASS", f"{copy.copy_id} is the primary now, as {swap.name}.")
    lines(
        f"  Next: change the connection {protected.policy.source.describe()} to the new primary's address (until then "
        f"the nights read the old one), and confirm it once: hackorda-ops dump {protected.name} --new-source",
        "The way back (what was written since then stays in the recovered branch):",
        *(f"  {each}" for each in changes.way_back(primary, swap, database=protected.name, run=copy.run)),
    )
    return ()


def put_in_place(
    protected: Protected, primary: Primary, copy: LiveCopy, *, yes: bool, say: recovering.Say
) -> Sequence[HookRun]:
    """Puts the primary itself back to a recovery's time, keeps what it held elsewhere, and runs the hooks on it.

    Args:
        protected: the database.
        primary: its branches.
        copy: the recovery's, on which the hooks have succeeded.
        yes: whether not to ask.
        say: called with what is done.

    Returns:
        The hooks that failed on the primary.
    """
    lines(
        "",
        "The primary will hold what it held at that time; its name and its connection strings stay. "
        "Whoever is connected is disconnected.",
        f"What it holds now is kept in a branch whose name ends in {promotion.before('', copy.run)}.",
        "What the hooks wrote to the recovered branch is not part of it: they run again, on the primary.",
    )
    _confirm("Put the primary back to that time?", yes=yes)
    incumbent, kept = changes.promote_in_place(primary, copy, say=say)
    failed = _hooks_on(protected, primary, incumbent, say)
    _concluded(f"{incumbent.name} holds what it held at that time; what it held before is in {kept}", failed)
    lines(f"The way back: {_command(protected, copy, '--back')}")
    return failed


def take_back(
    protected: Protected, primary: Primary, copy: LiveCopy, *, yes: bool, say: recovering.Say
) -> Sequence[HookRun]:
    """Undoes a promotion, of either kind, and runs the hooks on the primary as it is then.

    Args:
        protected: the database.
        primary: its branches.
        copy: the recovery's.
        yes: whether not to ask.
        say: called with what is done.

    Returns:
        The hooks that failed.
    """
    copies = primary.now()
    in_place = promotion.put_in_place(copies, copy)
    if in_place is not None:
        lines(
            f"The primary will hold what {in_place.name} holds. What it holds now is kept in a branch of its own."
        )
    else:
        swap = promotion.backward(copies, copy)
        lines(
            f"{swap.incumbent_id} will be renamed to {swap.aside}, and keeps all that was written to it.",
            f"{swap.candidate_id} will be {swap.name} and the default branch again. Then the hooks run on it.",
        )
    _confirm("Take the promotion back?", yes=yes)
    with in_log(protected, f"recovery {copy.run}") as line:
        line.detail = "The promotion was taken back."
        if in_place is not None:
            old = changes.take_back_in_place(primary, copy, in_place, say=say)
        else:
            changes.take_back(primary, copy, again=_command(protected, copy, "--back"), say=say)
            old = next(each for each in primary.now() if each.copy_id == swap.candidate_id)
        failed = _hooks_on(protected, primary, old, say)
        line.outcome = "failure" if failed else "success"
    _concluded(f"{old.copy_id} is the primary as before, as {old.name}", failed)
    return failed


def discard(
    protected: Protected, primary: Primary, copy: LiveCopy, *, yes: bool, say: recovering.Say
) -> Sequence[HookRun]:
    """Deletes a recovery's branch that was not promoted.

    Args:
        protected: the database.
        primary: its branches.
        copy: the recovery's.
        yes: whether not to ask.
        say: called with what is done.

    Returns:
        The hooks that failed: none.
    """
    _confirm(f"Delete the branch {copy.name} ({copy.copy_id}) and all that was written to it?", yes=yes)
    with in_log(protected, f"recovery {copy.run}") as line:
        primary.delete(copy.copy_id)
        line.detail = f"The branch {copy.name} was deleted."
    say(f"deleted {copy.name}")
    return ()


def in_log(protected: Protected, subject: str) -> AbstractContextManager[LogLine]:
    """A line of the operations log, around what is done."""
    return recorded("restore", protected, subject=subject)


def lines(*texts: str) -> None:
    """Lines on standard output."""
    for line in texts:
        terminal.out.print(line, markup=False, soft_wrap=True)


def _hooks_on(protected: Protected, primary: Primary, copy: LiveCopy, say: recovering.Say) -> list[HookRun]:
    """Runs all hooks on the primary, and returns those that failed."""
    there = recovering.of_primary(protected, primary, copy)
    kept = recovering.put_to_use(protected, there, again=True, verifies=True, say=say)
    lines(*(f"  {each}" for each in duration_lines(kept.hooks)))
    return [each for each in kept.hooks if not each.succeeded]


def _concluded(what: str, failed: Sequence[HookRun]) -> None:
    for each in failed:
        lines(f"  {each.name} said: {each.detail}")
    if failed:
        terminal.verdict("FAIL", f"{what}; but {failed[0].name} {failed[0].outcome}.")
    else:
        terminal.verdict("PASS", f"{what}.")


def _command(protected: Protected, copy: LiveCopy, what: str) -> str:
    return shlex.join(["hackorda-ops", "recover", protected.name, "--recovery", copy.run, what])


def agree(question: str, *, yes: bool) -> None:
    """Asks before anything begins, where somebody is there to be asked; the primary is asked for separately.

    Raises:
        UsageError: the answer was no.
    """
    if sys.stdin.isatty():
        _confirm(question, yes=yes)


def _confirm(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "Nobody is there to be asked: standard input is not a terminal.",
            meaning="The primary was not changed.",
            next_step="Run it on a terminal, or add --yes.",
        )
    if not typer.confirm(question, default=False, err=True):
        raise UsageError(
            "You said no.",
            meaning="Nothing was changed.",
            next_step="Run the same command again when you are ready.",
        )
