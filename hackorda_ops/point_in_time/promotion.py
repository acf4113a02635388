"""Makes a recovered branch the primary, and takes that back: one step at a time, looking before each.

What was done can be read off the branches' names, so a command that was interrupted, or whose answer was lost, goes on
where it stopped, on any machine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from hackorda_ops.errors import NeonRefused, OpsError, PromotionIncomplete, TargetRefused
from hackorda_ops.history.primary import LiveCopy, Primary

# Four steps, each of which may have to be looked at again.
_MOST_STEPS = 8


@dataclass(frozen=True)
class Swap:
    """Two branches that change places.

    Attributes:
        candidate_id: the branch that becomes the primary.
        incumbent_id: the one that is.
        name: the primary's name, before and after.
        aside: what the incumbent is called afterwards.
    """

    candidate_id: str
    incumbent_id: str
    name: str
    aside: str


@dataclass(frozen=True)
class RoleStep:
    """One call that a swap still needs."""

    copy_id: str
    change: Literal["rename", "default", "protect"]
    name: str = ""

    @property
    def words(self) -> str:
        """What it does, in words."""
        if self.change == "rename":
            return f"rename the branch {self.copy_id} to {self.name}"
        return (
            f"make the branch {self.copy_id} the default one"
            if self.change == "default"
            else (f"protect the branch {self.copy_id}")
        )


def before(name: str, run: str) -> str:
    """What the old primary is called once a recovery has taken its place. Pure."""
    return f"{name}-before-{run}"


def undone(name: str, run: str) -> str:
    """What a recovery is called once the old primary is back. Pure."""
    return f"{name}-recovered-{run}"


def forward(copies: Sequence[LiveCopy], copy: LiveCopy) -> Swap:
    """How a recovery becomes the primary, wherever an earlier attempt stopped. Pure.

    Args:
        copies: every branch there is.
        copy: the recovery's.

    Raises:
        TargetRefused: the primary isn't the branch that the recovery was made from.
    """
    suffix = before("", copy.run)
    if put_in_place(copies, copy) is not None:
        raise TargetRefused(
            f"What {copy.name} holds was put in the primary's place already.",
            meaning="Nothing was changed.",
            next_step="Take that back first (--back), or recover again.",
        )
    incumbent = next((each for each in copies if each.name.endswith(suffix)), None) or next(
        (each for each in copies if each.default), None
    )
    if incumbent is None or incumbent.copy_id == copy.copy_id:
        raise TargetRefused(
            f"{copy.name} is the primary already, and no branch ends in {suffix}.",
            meaning="Nothing was changed.",
            next_step="Look at the branches in the provider's console.",
        )
    if incumbent.copy_id != copy.parent_id:
        raise TargetRefused(
            f"The primary is {incumbent.name} ({incumbent.copy_id}), but {copy.name} was made from {copy.parent_id}.",
            meaning="Somebody has made another branch the primary since. Nothing was changed.",
            next_step="Find out who, and recover again from what is the primary now.",
        )
    name = incumbent.name.removesuffix(suffix)
    return Swap(copy.copy_id, incumbent.copy_id, name, before(name, copy.run))


def backward(copies: Sequence[LiveCopy], copy: LiveCopy) -> Swap:
    """How the old primary takes its place again, wherever an earlier attempt stopped. Pure.

    Args:
        copies: every branch there is.
        copy: the recovery's.

    Raises:
        TargetRefused: the recovery was not promoted, or the old primary is gone.
    """
    others = [each for each in copies if each.copy_id != copy.copy_id]
    put_aside, taken_back = before("", copy.run), undone("", copy.run)
    old = next((each for each in others if each.name.endswith(put_aside)), None)
    name = old.name.removesuffix(put_aside) if old else copy.name.removesuffix(taken_back)
    if old is None and copy.name.endswith(taken_back):
        old = next((each for each in others if each.name == name), None)
    if old is None:
        raise TargetRefused(
            f"{copy.name} was not made the primary, or the branch that was it before is gone.",
            meaning="There's nothing to take back. Nothing was changed.",
            next_step="Look at the branches in the provider's console.",
        )
    return Swap(old.copy_id, copy.copy_id, name, undone(name, copy.run))


def put_in_place(copies: Sequence[LiveCopy], copy: LiveCopy) -> LiveCopy | None:
    """What the primary held before a recovery was put in its place, without the two changing places; or None. Pure.

    Args:
        copies: every branch there is.
        copy: the recovery's.
    """
    suffix = before("", copy.run)
    return next(
        (each for each in copies if each.name.endswith(suffix) and not each.default and not copy.default),
        None,
    )


def next_step(swap: Swap, copies: Sequence[LiveCopy], *, protects: bool) -> RoleStep | None:
    """What a swap needs next; None where it is done. Pure.

    Args:
        swap: the two branches.
        copies: every branch there is, as they are now.
        protects: whether the candidate is protected in the end.

    Raises:
        TargetRefused: one of them is gone.
    """
    by_id = {each.copy_id: each for each in copies}
    for wanted in (swap.candidate_id, swap.incumbent_id):
        if wanted not in by_id:
            raise TargetRefused(
                f"The branch {wanted} is gone.",
                meaning="Somebody has deleted it meanwhile.",
                next_step="Look at the branches in the provider's console.",
            )
    candidate, incumbent = by_id[swap.candidate_id], by_id[swap.incumbent_id]
    if incumbent.name != swap.aside:
        return RoleStep(incumbent.copy_id, "rename", swap.aside)
    if candidate.name != swap.name:
        return RoleStep(candidate.copy_id, "rename", swap.name)
    if not candidate.default:
        return RoleStep(candidate.copy_id, "default")
    if protects and not candidate.protected:
        return RoleStep(candidate.copy_id, "protect")
    return None


def carry_out(
    primary: Primary, swap: Swap, *, protects: bool, again: str, say: Callable[[str], None]
) -> tuple[str, ...]:
    """Makes the candidate the primary: renames both, sets the default, protects.

    Args:
        primary: the branches.
        swap: which two.
        protects: whether the candidate is protected in the end; otherwise it stays as it is.
        again: the command that goes on where this one stops.
        say: called with each step that is done.

    Returns:
        Warnings: a protection that the plan doesn't have.

    Raises:
        PromotionIncomplete: it stopped between two steps; it says which are done and how to go on.
        OpsError: it stopped before the first.
    """
    done: list[str] = []
    warnings: list[str] = []
    try:
        for _ in range(_MOST_STEPS):
            step = next_step(swap, primary.now(), protects=protects)
            if step is None:
                return tuple(warnings)
            try:
                _take(primary, step)
            except NeonRefused as error:
                if step.change != "protect":
                    raise
                # It is the primary already; a plan without protected branches must not make that look unfinished.
                protects = False
                warnings.append(f"The branch {swap.name} is not protected: {error.what} {error.next_step}")
                continue
            done.append(step.words)
            say(f"done: {step.words}")
    except OpsError as error:
        if not done:
            raise
        raise _incomplete(done, error.what, again) from None
    raise _incomplete(done, "The branches do not keep what they are given.", again)


def _take(primary: Primary, step: RoleStep) -> None:
    if step.change == "rename":
        primary.rename(step.copy_id, step.name)
    elif step.change == "default":
        primary.make_primary(step.copy_id)
    else:
        primary.protect(step.copy_id)


def _incomplete(done: Sequence[str], why: str, again: str) -> PromotionIncomplete:
    return PromotionIncomplete(
        f"The promotion stopped halfway. Done so far: {'; '.join(done)}. Then: {why}",
        meaning="The branches have changed places in part. No data is lost, and every connection string still leads to "
        "the branch that it led to before.",
        next_step=f"Run `{again}`: it looks at the branches and goes on where this stopped.",
    )
