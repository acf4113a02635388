"""What is done to the primary: a recovered branch takes its place, or it goes back itself; and both taken back."""

from collections.abc import Callable, Sequence

from hackorda_ops.errors import TargetRefused
from hackorda_ops.history.primary import LiveCopy, Primary
from hackorda_ops.point_in_time import promotion, wanted

Say = Callable[[str], None]


def promote(
    primary: Primary, copy: LiveCopy, *, again: str, say: Say
) -> tuple[promotion.Swap, tuple[str, ...]]:
    """Makes a recovery's branch the primary.

    Args:
        primary: the branches.
        copy: the recovery's.
        again: the command that goes on where this one stops.
        say: called with each step that is done.

    Returns:
        What changed places, and warnings.

    Raises:
        PromotionIncomplete: it stopped halfway, and says where.
        TargetRefused: the primary isn't the branch that the recovery was made from.
    """
    swap = promotion.forward(primary.now(), copy)
    return swap, promotion.carry_out(primary, swap, protects=True, again=again, say=say)


def promote_in_place(primary: Primary, copy: LiveCopy, *, say: Say) -> tuple[LiveCopy, str]:
    """Has the primary itself hold what it held at a recovery's time. What it holds now stays, in a branch of its own.

    The primary keeps its name, its protection and its connection strings. Where that was done already, it is not
    done again.

    Args:
        primary: the branches.
        copy: the recovery's, which has been verified.
        say: called with what is done.

    Returns:
        The primary, and the name of the branch that holds what it held.

    Raises:
        TargetRefused: the primary isn't the branch that the recovery was made from.
        OpsError: the provider refused.
    """
    copies, time = primary.now(), wanted.asked_time(copy)
    kept = promotion.put_in_place(copies, copy)
    if kept is not None:
        return wanted.require_incumbent(copies), kept.name
    swap = promotion.forward(copies, copy)
    if time is None:
        raise TargetRefused(
            f"It's unknown to which time {copy.name} goes back.",
            meaning="The primary was not changed.",
            next_step="Recover again with --at, or promote this branch without --in-place.",
        )
    say(f"putting {swap.name} back to {time.isoformat()}; what it holds now is kept as {swap.aside}")
    primary.replace(swap.incumbent_id, by=swap.incumbent_id, keep_as=swap.aside, time=time)
    return wanted.require_incumbent(primary.now()), swap.aside


def take_back_in_place(primary: Primary, copy: LiveCopy, kept: LiveCopy, *, say: Say) -> LiveCopy:
    """Has the primary hold again what it held before `promote_in_place`; what it holds now is kept as well.

    Args:
        primary: the branches.
        copy: the recovery's.
        kept: the branch with what it held (`promotion.put_in_place`).
        say: called with what is done.
    """
    incumbent = wanted.require_incumbent(primary.now())
    keep_as = promotion.undone(incumbent.name, copy.run)
    say(f"putting back what {kept.name} holds; what {incumbent.name} holds now is kept as {keep_as}")
    primary.replace(incumbent.copy_id, by=kept.copy_id, keep_as=keep_as)
    return wanted.require_incumbent(primary.now())


def take_back(primary: Primary, copy: LiveCopy, *, again: str, say: Say) -> promotion.Swap:
    """Makes the branch that was the primary before a recovery the primary again.

    Args:
        primary: the branches.
        copy: the recovery's.
        again: the command that goes on where this one stops.
        say: called with each step that is done.

    Raises:
        PromotionIncomplete: it stopped halfway, and says where.
        TargetRefused: the recovery was not promoted.
    """
    swap = promotion.backward(primary.now(), copy)
    promotion.carry_out(primary, swap, protects=False, again=again, say=say)
    return swap


def way_back(primary: Primary, swap: promotion.Swap, *, database: str, run: str) -> Sequence[str]:
    """The commands that undo a promotion, with this product and without it.

    Args:
        primary: the branches.
        swap: what the promotion does.
        database: its name in databases.yaml.
        run: the recovery's id.
    """
    return (
        f"hackorda-ops recover {database} --back --recovery {run}",
        "or, without this product, these three and then the application's own binding to the old branch:",
        primary.rename_by_hand(swap.candidate_id, promotion.undone(swap.name, run)),
        primary.rename_by_hand(swap.incumbent_id, swap.name),
        primary.make_primary_by_hand(swap.incumbent_id),
    )
