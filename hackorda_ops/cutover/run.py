"""Runs a cutover step by step, from wherever it stands, and stops with what that means and how to go on or back."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Final

from hackorda_ops.cutover import state as states
from hackorda_ops.cutover.emptying import empty
from hackorda_ops.cutover.site import Say, Site
from hackorda_ops.cutover.state import CutoverState, StepDone
from hackorda_ops.cutover.steps import BY_NAME, NAMES, CutoverStep, StepName, position
from hackorda_ops.cutover.target import plan_of, target_of
from hackorda_ops.cutover.work import WORK
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError, UsageError
from hackorda_ops.own_folders import private_folder
from hackorda_ops.progress import OnProgress
from hackorda_ops.receipts.record import recorded

Confirm = Callable[[CutoverStep, CutoverState], bool]
# The night, the restore and the comparison have lines of their own in the operations log.
_LOGGED: Final = ("quiesce", "repoint", "resume")


class NotConfirmed(UsageError):
    """What can't be undone comes next, and nobody has confirmed it."""


def run_cutover(
    protected: Protected,
    *,
    confirm: Confirm,
    on_progress: OnProgress,
    say: Say,
    restart: bool = False,
    until: StepName | None = None,
) -> CutoverState:
    """Runs every step that isn't finished, in order.

    Args:
        protected: the database.
        confirm: asks before the first step that can't be undone.
        on_progress: called at every stage, from more than one thread.
        say: shows a line.
        restart: begins a new cutover, and empties the new database of what an earlier one restored.
        until: the last step to do; None for all.

    Returns:
        The state afterwards.

    Raises:
        NotConfirmed: `confirm` said no.
        OpsError: a step failed; the message says where it stands, and how to go on or back.
    """
    begin(protected, restart=restart)
    for name in NAMES:
        perform(protected, name, confirm=confirm, on_progress=on_progress, say=say)
        if name == until:
            break
    found = states.load(protected)
    assert found is not None  # noqa: S101  # begun above
    return found


def begin(protected: Protected, *, restart: bool = False) -> CutoverState:
    """The state to go on from: the one that is there, or a new one.

    Args:
        protected: the database.
        restart: a new one in any case, with the new database emptied of what the last one restored.

    Raises:
        UsageError: the last one is finished, or too far to begin again.
        OpsError: the new database could not be emptied.
    """
    plan_of(protected)
    with states.alone(protected), _addresses(protected) as (source, target):
        found = states.load(protected)
        if found is not None and restart:
            _forget(protected, found)
            found = None
        if found is None:
            found = states.new_state(protected, source=source, target=target, now=datetime.now(UTC))
            states.save(protected, found)
        elif found.next_step is None:
            raise UsageError(
                f"{protected.name} was cut over to {found.target} (cutover {found.cutover_id}).",
                meaning="Nothing is left to do, and nothing was done.",
                next_step="Set the source's variables to the new database, and take a dump with --new-source. Another "
                f"cutover begins once {states.folder_of(protected) / protected.name}.json is removed.",
            )
        return found


def _forget(protected: Protected, found: CutoverState) -> None:
    if found.began == "repoint" or found.has("repoint"):
        raise UsageError(
            f"The cutover {found.cutover_id} of {protected.name} has begun to point the application at {found.target}.",
            meaning="What was written there since may be nowhere else, so the new database is not emptied.",
            next_step="Go on with `hackorda-ops cutover run`, or back as the rollback sheet says "
            f"({states.folder_of(protected) / protected.name}-rollback.md). Then empty the new database by hand, and "
            "remove the state file.",
        )
    if found.began == "restore" or found.has("restore"):
        with private_folder() as private:
            target = target_of(protected, private_folder=private)
            if target.describe() == found.target:
                # Interrupted now, a run without --restart must not take the new database for filled.
                states.save(protected, found.back_to("restore"))
                empty(target, protected.name, found.cutover_id)


def perform(
    protected: Protected, name: StepName, *, confirm: Confirm, on_progress: OnProgress, say: Say
) -> StepDone:
    """Does one step, unless it's finished.

    Args:
        protected: the database.
        name: of the step; those before it are finished.
        confirm: asks before what can't be undone.
        on_progress: called at every stage, from more than one thread.
        say: shows a line.

    Raises:
        NotConfirmed: `confirm` said no.
        OpsError: it failed; the message says where the cutover stands, and how to go on or back.
    """
    step = BY_NAME[name]
    with states.alone(protected), private_folder() as private:
        state = states.load(protected)
        if state is None:
            raise UsageError(
                f"No cutover of {protected.name} has begun.",
                meaning="Nothing was done.",
                next_step="Begin with `hackorda-ops cutover run`, or with the whole job in Dagster.",
            )
        if done := next((each for each in state.done if each.name == name), None):
            say(f"{name}: already done at {done.at:%Y-%m-%d %H:%M:%S} UTC. {done.said}")
            return done
        if state.next_step != name:
            raise UsageError(
                f"{name} comes after {state.next_step}, which isn't finished.",
                meaning="Nothing was done.",
                next_step=f"Do {state.next_step} first.",
            )
        _require_same(protected, state, step)
        if step.final and not state.has("repoint") and not confirm(step, state):
            raise _not_confirmed(step, protected, state)
        say(f"{name} ({position(name)}): {step.does}")
        site = Site(protected, state, private, on_progress, say)
        states.save(protected, state.beginning(name))
        line = recorded("cutover", protected, subject=name) if name in _LOGGED else nullcontext()
        began = time.monotonic()
        try:
            with line as noted:
                outcome = WORK[name](site)
                if noted is not None:
                    noted.detail = outcome.said
        except OpsError as error:
            raise _stopped(error, step, protected) from None
        done = StepDone(name, datetime.now(UTC), round(time.monotonic() - began, 3), outcome.said)
        states.save(protected, state.finishing(done, **outcome.changes))
    say(f"{name}: {done.said}")
    return done


@contextmanager
def _addresses(protected: Protected) -> Iterator[tuple[str, str]]:
    with private_folder() as private:
        yield (
            protected.source(private_folder=private).describe(),
            target_of(protected, private_folder=private).describe(),
        )


def _require_same(protected: Protected, state: CutoverState, step: CutoverStep) -> None:
    """The variables may have been changed in between. After repointing the source's are the new database's."""
    needs_source = not step.final or (step.name == "repoint" and state.began != "repoint")
    with _addresses(protected) as (source, target):
        changed = [
            f"{what} was {was} and is {now}"
            for what, was, now in (
                *((("the old database", state.source, source),) if needs_source else ()),
                ("the new database", state.target, target),
            )
            if was != now
        ]
    if changed:
        raise UsageError(
            f"The cutover {state.cutover_id} is of other databases than are named now: {'; '.join(changed)}.",
            meaning="Nothing was done: what was proven before is true of the others.",
            next_step="Correct the variables, or begin again with --restart.",
        )


def _not_confirmed(step: CutoverStep, protected: Protected, state: CutoverState) -> NotConfirmed:
    sheet = states.folder_of(protected) / f"{protected.name}-rollback.md"
    return NotConfirmed(
        f"The cutover stopped before {step.name}, which nobody has confirmed.",
        meaning=f"{step.does} {step.undo} Until then nothing is lost: {state.target} is complete, and the application "
        "can be started again on the old database.",
        next_step="Go on with `hackorda-ops cutover run` (--yes where nobody can be asked), in Dagster with confirmed: "
        f"true. The way back is in {sheet}.",
    )


def _stopped(error: OpsError, step: CutoverStep, protected: Protected) -> OpsError:
    """The step's own error, with where the cutover stands now."""
    sheet = states.folder_of(protected) / f"{protected.name}-rollback.md"
    back = f"{step.undo} ({sheet})" if step.final else step.undo
    kind = type(error)
    return kind(
        f"The cutover of {protected.name} stopped at {step.name} ({position(step.name)}). {error.what}",
        meaning=f"{error.meaning} The steps before it are done and stay done.",
        next_step=f"{error.next_step}\n  To go on: run the same again, it continues at {step.name}.\n"
        f"  To go back: {back}",
    )
