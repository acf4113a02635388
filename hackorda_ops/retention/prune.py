"""Retention at work: plans, and deletes. What Dagster and the command line both call."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from hackorda_ops.artifacts.copying import end_abandoned_uploads
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError, PermanentError, RetryableError, StoreRefused, StoreUnreachable
from hackorda_ops.progress import OnProgress, ignore
from hackorda_ops.receipts.record import Line, recorded
from hackorda_ops.retention.deletion import delete_artifact, remove_leftover
from hackorda_ops.retention.leftovers import Leftover
from hackorda_ops.retention.locking import LockExtension
from hackorda_ops.retention.plan import StoredArtifact
from hackorda_ops.retention.planning import RetentionPlan, open_places, read_plan
from hackorda_ops.safekeeping.pins import Pin, is_pinned, unpin
from hackorda_ops.stores.locks import lock_each_until, locking
from hackorda_ops.stores.store import PlaceName, Store
from hackorda_ops.words import counted, named, size


@dataclass(frozen=True)
class Pruned:
    """What a run of retention did.

    Attributes:
        plan: the one that it followed.
        deleted: the artifacts that are deleted.
        removed: the leftovers that are removed.
        freed_bytes: what is free again.
        left_bytes: what stays as versions behind delete markers, until a later run or the bucket's own rules.
        ended_uploads: what killed uploads had left behind, and is gone.
        not_allowed: leftovers that the store refuses to delete, a sentence each; a bucket's own rules may do it.
        extended: the locks that last longer now.
        lifted: the pins that are over, and were lifted.
    """

    plan: RetentionPlan
    deleted: tuple[StoredArtifact, ...]
    removed: tuple[Leftover, ...]
    freed_bytes: int
    left_bytes: int
    ended_uploads: tuple[str, ...]
    not_allowed: tuple[str, ...]
    extended: tuple[LockExtension, ...] = ()
    lifted: tuple[Pin, ...] = ()


def plan_retention(
    protected: Protected, *, now: datetime | None = None, on_progress: OnProgress = ignore
) -> RetentionPlan:
    """Reads what there is, and plans, as `prune` does. Deletes nothing.

    Args:
        protected: the database.
        now: the present, aware; None for this machine's clock.
        on_progress: called for the manifests that this machine hasn't read before, from several threads.

    Raises:
        ConfigError, StoreRefused, StoreUnreachable: as `prune` does.
    """
    return read_plan(protected, open_places(protected), now=now or datetime.now(UTC), on_progress=on_progress)


def prune(protected: Protected, *, now: datetime | None = None, on_progress: OnProgress = ignore) -> Pruned:
    """Plans, and deletes what the plan doesn't keep. One artifact that can't be deleted doesn't stop the others.

    Args:
        protected: the database.
        now: the present, aware; None for this machine's clock.
        on_progress: called for the manifests that this machine hasn't read before, from several threads.

    Raises:
        ConfigError: variables are missing.
        StoreRefused, StoreUnreachable: a place can't be read; nothing was deleted.
        PermanentError: artifacts could not be deleted, each is named; RetryableError where that may pass.
    """
    moment = now or datetime.now(UTC)
    places = open_places(protected)
    try:
        plan = read_plan(protected, places, now=moment, on_progress=on_progress)
    except (StoreRefused, StoreUnreachable) as error:
        raise type(error)(
            error.what,
            meaning="Nothing was deleted: without this place there's no knowing what must be kept.",
            next_step=error.next_step,
        ) from None
    if not (plan.to_delete or plan.to_remove or plan.to_extend or plan.over):
        return _carried_out(plan, protected.policy, places, Line("retention"), now=moment)
    with recorded("delete", protected, subject="retention", stores=tuple(places.values())) as line:
        return _carried_out(plan, protected.policy, places, line, now=moment)


def _carried_out(
    plan: RetentionPlan, policy: Policy, places: Mapping[PlaceName, Store], line: Line, *, now: datetime
) -> Pruned:
    """Deletes, and keeps the log's line up to date: what is gone must be logged however this ends."""
    done = Pruned(plan, (), (), 0, 0, (), ())
    errors: list[OpsError] = []
    keeps_versions = {stock.place: stock.keeps_versions for stock in plan.stocks}
    # What is kept is safe before anything else is deleted.
    done = _locks_extended(done, places, errors)
    for held in (decision.held for decision in plan.to_delete):
        try:
            if is_pinned(places.values(), plan.database, held.artifact_id, now):
                continue  # since the plan was made
            gone_bytes = delete_artifact(places[held.place], plan.database, held.artifact_id, now=now)
        except OpsError as error:
            errors.append(error)
            continue
        if gone_bytes is not None:
            done = _counted(
                replace(done, deleted=(*done.deleted, held)), gone_bytes, left=keeps_versions[held.place]
            )
            line.detail, line.deleted = (
                sentence(done),
                [f"{each.artifact_id} ({each.place})" for each in done.deleted],
            )
    for leftover in plan.to_remove:
        try:
            remove_leftover(places[leftover.place], leftover)
        except OpsError as error:
            if leftover.of_files:
                errors.append(error)
            else:
                told = f"{leftover.subject}: {leftover.reason}: {error.what}"
                done = replace(done, not_allowed=(*done.not_allowed, told))
        else:
            done = _counted(
                replace(done, removed=(*done.removed, leftover)),
                leftover.size_bytes,
                left=leftover.of_files and keeps_versions[leftover.place],
            )
            line.detail = sentence(done)
    done = _pins_lifted(done, places, errors)
    ended = [
        upload
        for place, store in places.items()
        if policy.keep_in(place) is not None and place not in plan.unread
        for upload in end_abandoned_uploads(store, plan.database)
    ]
    done = replace(done, ended_uploads=tuple(ended))
    if errors:
        raise _not_all(done, errors)
    return done


def _locks_extended(done: Pruned, places: Mapping[PlaceName, Store], errors: list[OpsError]) -> Pruned:
    for each in done.plan.to_extend:
        bucket = locking(places[each.place])
        if bucket is None:
            continue
        try:
            *files, last = each.keys
            lock_each_until(bucket, files, each.until)
            bucket.lock_until(last, each.until)
        except OpsError as error:
            errors.append(error)
        else:
            done = replace(done, extended=(*done.extended, each))
    return done


def _pins_lifted(done: Pruned, places: Mapping[PlaceName, Store], errors: list[OpsError]) -> Pruned:
    for pin in done.plan.over:
        try:
            left = unpin(places.values(), pin.database, pin.artifact_id)
        except OpsError as error:
            errors.append(error)
        else:
            done = replace(done, lifted=(*done.lifted, pin), not_allowed=(*done.not_allowed, *left))
    return done


def _counted(done: Pruned, size_bytes: int, *, left: bool) -> Pruned:
    if left:
        return replace(done, left_bytes=done.left_bytes + size_bytes)
    return replace(done, freed_bytes=done.freed_bytes + size_bytes)


def sentence(done: Pruned) -> str:
    """What a run did, in a sentence."""
    names = ", ".join(f"{each.artifact_id} ({each.place})" for each in done.deleted)
    left = f"; {size(done.left_bytes)} stay as versions behind delete markers" if done.left_bytes else ""
    kept = "".join(
        (
            f" Locks extended: {named(each.subject for each in done.extended)}." if done.extended else "",
            f" Pins that are over: {named(each.artifact_id for each in done.lifted)}." if done.lifted else "",
        )
    )
    return (
        f"{counted(len(done.deleted), 'artifact')} deleted{f': {names}' if names else ''}; "
        f"{counted(len(done.removed), 'leftover')} removed; {size(done.freed_bytes)} freed{left}.{kept}"
    )


def _not_all(done: Pruned, errors: list[OpsError]) -> OpsError:
    kind = RetryableError if all(error.retryable for error in errors) else PermanentError
    return kind(
        f"{counted(len(errors), 'step')} of retention failed. {sentence(done)}\n"
        + "\n".join(f"  {error.what}" for error in errors),
        meaning="What was to go takes up room, and what was to be locked for longer isn't; both are planned again the "
        "next time. Nothing was deleted that the plan keeps.",
        next_step="\n".join(dict.fromkeys(error.next_step for error in errors)),
    )
