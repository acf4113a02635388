"""A week: the newest sound nightly of that week, copied to each bucket off-site and proven by reading it back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from hackorda_ops.artifacts import catalog, choosing
from hackorda_ops.artifacts.copying import CopyResult, end_abandoned_uploads
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.calendar.clocks import clock_concerns
from hackorda_ops.concerns import require_none
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactMissing, OpsError, PermanentError, RetryableError
from hackorda_ops.progress import OnProgress, ignore
from hackorda_ops.receipts.record import Line, recorded
from hackorda_ops.receipts.verify import Head
from hackorda_ops.safekeeping.locks import LocksReadBack, read_back
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import PlaceName, Store
from hackorda_ops.week.apart import require_copies, require_two_places
from hackorda_ops.week.copied import copied_to
from hackorda_ops.words import named, size


@dataclass(frozen=True)
class Mending:
    """An artifact that a place should have, and lacks or has damaged.

    Attributes:
        manifest: the artifact's.
        place: where it is to be mended.
        source: where a sound copy of it is.
        damaged: whether it's there, and damaged.
    """

    manifest: Manifest
    place: PlaceName
    source: PlaceName
    damaged: bool = True


@dataclass(frozen=True)
class Shipped:
    """What is off-site in one place now.

    Attributes:
        place: the bucket's name.
        location: where the copy lies, as people would name it.
        copy: how much was copied and read back.
        ended_uploads: abandoned multipart uploads of earlier runs that were ended.
        repaired: a sentence for each older copy there that was damaged or missing, and was repaired.
        not_repaired: a sentence for each that could not be, with the reason.
        locks: of the copy's files, read back; None where the bucket isn't to lock any.
    """

    place: PlaceName
    location: str
    copy: CopyResult
    ended_uploads: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    not_repaired: tuple[str, ...] = ()
    locks: LocksReadBack | None = None


@dataclass(frozen=True)
class NotShipped:
    """A place that has no copy of the artifact yet.

    Attributes:
        place: the bucket's name.
        error: why.
    """

    place: PlaceName
    error: OpsError


@dataclass(frozen=True)
class Week:
    """A finished week: at least one place has its copy.

    Attributes:
        manifest: the artifact that was copied.
        copies: each place that has it now.
        missing: each that was to get it, and has not.
        unchanged: each that had it already, and that nothing was asked for this time.
        receipt: the number and hash of its receipt; None where that waits.
    """

    manifest: Manifest
    copies: tuple[Shipped, ...]
    missing: tuple[NotShipped, ...] = ()
    unchanged: tuple[PlaceName, ...] = ()
    receipt: Head | None = None

    def in_place(self, place: PlaceName) -> Shipped | NotShipped | None:
        """What became of one place; None where nothing was to be copied there."""
        found: tuple[Shipped | NotShipped, ...] = (*self.copies, *self.missing)
        return next((each for each in found if each.place == place), None)

    @property
    def location(self) -> str:
        """Where the first of the copies lies."""
        return self.copies[0].location

    @property
    def copy(self) -> CopyResult:
        """How much was copied and read back, in the first of them."""
        return self.copies[0].copy

    @property
    def locks(self) -> LocksReadBack | None:
        """The locks of the copies that were to get any, read back: those of the first that lacks one, if any."""
        read = [each.locks for each in self.copies if each.locks is not None]
        return next((each for each in read if each.findings), read[0] if read else None)

    @property
    def repaired(self) -> tuple[str, ...]:
        """What was repaired anywhere, a sentence each."""
        return tuple(line for each in self.copies for line in each.repaired)

    @property
    def not_repaired(self) -> tuple[str, ...]:
        """What could not be, likewise."""
        return tuple(line for each in self.copies for line in each.not_repaired)


def ship_week(
    protected: Protected,
    *,
    week: date,
    passing_over: Collection[str] = (),
    mending: Iterable[Mending] = (),
    only: Collection[PlaceName] = (),
    now: datetime | None = None,
    on_progress: OnProgress = ignore,
) -> Week:
    """Copies a week's newest sound artifact to every bucket off-site, and mends older copies there.

    Args:
        protected: the database.
        week: the week's Monday.
        passing_over: ids of artifacts that are known not to restore, whatever their night found.
        mending: what is damaged or missing off-site, and sound elsewhere.
        only: the places to copy to; none for all.
        now: the present, aware; None for this machine's.
        on_progress: called at every stage, from more than one thread.

    Raises:
        ArtifactMissing: that week has no sound artifact.
        ConfigError: variables are missing, or off-site is the store itself: then there is nothing to copy.
        OpsError: whatever the store or the bucket says, where no place got its copy; what was copied so far is no
            artifact yet.
    """
    require_copies(protected)
    protected.require("store", *(() if protected.several_offsite else ("offsite",)))
    with recorded("copy", protected, subject=f"week of {week}") as line:
        listed = catalog.read(protected.store, protected.name, now=now)
        chosen = choosing.newest_sound_of_week(listed, week, passing_over)
        done = _shipped(protected, chosen, mending=mending, only=only, line=line, on_progress=on_progress)
    return replace(done, receipt=line.receipt)


def ship(
    protected: Protected,
    artifact: Manifest,
    *,
    mending: Iterable[Mending] = (),
    only: Collection[PlaceName] = (),
    on_progress: OnProgress = ignore,
) -> Week:
    """Copies one artifact off-site; see `ship_week`.

    Args:
        protected: the database.
        artifact: the artifact's manifest.
        mending: what is damaged or missing off-site, and sound elsewhere.
        only: the places to copy to; none for all.
        on_progress: called at every stage, from more than one thread.
    """
    require_copies(protected)
    protected.require("store", *(() if protected.several_offsite else ("offsite",)))
    with recorded("copy", protected, subject=artifact.artifact_id) as line:
        done = _shipped(protected, artifact, mending=mending, only=only, line=line, on_progress=on_progress)
    return replace(done, receipt=line.receipt)


def repair(
    protected: Protected,
    artifact: Manifest,
    *,
    source: PlaceName,
    place: PlaceName,
    on_progress: OnProgress = ignore,
) -> Week:
    """Copies an artifact over its twin in another place, which repairs that; see `ship_week`.

    Args:
        protected: the database.
        artifact: the artifact's manifest.
        source: where a sound copy of it is.
        place: where it's damaged, or missing.
        on_progress: called at every stage, from more than one thread.
    """
    require_copies(protected)
    store, destination = protected.place(source), protected.place(place)
    require_two_places(protected.name, store, destination)
    with recorded("copy", protected, subject=artifact.artifact_id) as line:
        result = copied_to({place: destination}, store, artifact, on_progress)[place]
        if isinstance(result, OpsError):
            raise result
        done = Week(artifact, (Shipped(place, f"{destination.describe()}/{artifact.prefix}", result),))
        _say(line, done, protected)
    return replace(done, receipt=line.receipt)


def _shipped(
    protected: Protected,
    artifact: Manifest,
    *,
    mending: Iterable[Mending],
    only: Collection[PlaceName],
    line: Line,
    on_progress: OnProgress,
) -> Week:
    wanted = [each for each in protected.policy.copied_to if not only or each in only]
    opened: dict[PlaceName, Store] = {}
    missing: dict[PlaceName, OpsError] = {}
    for place in wanted:
        try:
            opened[place] = _apart(protected, place, opened)
        except OpsError as error:
            missing[place] = error
    results = copied_to(opened, protected.store, artifact, on_progress, admit=_has_the_right_time)
    missing |= {place: result for place, result in results.items() if isinstance(result, OpsError)}
    if len(missing) == len(wanted):
        raise _none_shipped(missing)
    mending = tuple(mending)
    copies = [
        _mended(
            protected,
            # Housekeeping comes last: a key without the right to list uploads must not cost the week its copy.
            Shipped(
                place,
                f"{opened[place].describe()}/{artifact.prefix}",
                result,
                end_abandoned_uploads(opened[place], protected.name),
                locks=read_back(opened[place], artifact, now=datetime.now(UTC)),
            ),
            [
                each
                for each in mending
                if each.place == place and each.manifest.artifact_id != artifact.artifact_id
            ],
            on_progress,
        )
        for place, result in results.items()
        if not isinstance(result, OpsError)
    ]
    others = [place for place in protected.policy.copied_to if place not in wanted]
    missing |= {place: why for place in others if (why := _lacks(protected, place, artifact)) is not None}
    done = Week(
        artifact,
        tuple(copies),
        tuple(NotShipped(place, missing[place]) for place in protected.policy.copied_to if place in missing),
        tuple(place for place in others if place not in missing),
    )
    _say(line, done, protected)
    return done


def _apart(protected: Protected, place: PlaceName, others: Mapping[PlaceName, Store]) -> Store:
    """A place that a copy may go to: it's no other place of the database.

    Raises:
        ConfigError: it is, or variables are missing.
    """
    store = protected.place(place)
    for other in (protected.store, *others.values()):
        require_two_places(protected.name, other, store)
    return store


def _lacks(protected: Protected, place: PlaceName, artifact: Manifest) -> OpsError | None:
    """Why a place has no copy of an artifact, as far as its manifest says; None where it has one."""
    try:
        store = protected.place(place).with_patience(SOON)
        if next(catalog.read_each(store, protected.name, [artifact.artifact_id]), None) == artifact:
            return None
    except OpsError as error:
        return error
    return ArtifactMissing(
        f"{store.describe()} has no {artifact.artifact_id}.",
        meaning="There is one copy less.",
        next_step=f"`hackorda-ops copy {protected.name} --to {place}`",
    )


def _has_the_right_time(store: Store) -> None:
    """Makes sure that a bucket answers, and that its clock is right enough for its locks and life-cycle rules."""
    clocks = clock_concerns({"the bucket": store.clock_ahead()})
    require_none([each for each in clocks if each.severity == "stops the night"])


def _none_shipped(missing: Mapping[PlaceName, OpsError]) -> OpsError:
    """Why there is no copy at all, in one error."""
    first, *others = missing.values()
    if not others or all(each.what == first.what for each in others):
        return first
    kind = RetryableError if all(each.retryable for each in missing.values()) else PermanentError
    return kind(
        "No place off-site got its copy.\n"
        + "\n".join(f"  {place}: {each.what}" for place, each in missing.items()),
        meaning="Nothing new is off-site. What was copied so far is no artifact yet; the next attempt continues there.",
        next_step="\n".join(dict.fromkeys(each.next_step for each in missing.values())),
    )


def _mended(
    protected: Protected, shipped: Shipped, mending: Sequence[Mending], on_progress: OnProgress
) -> Shipped:
    """Copies once more what is damaged or missing in a place; what can't be must not cost the week its copy."""
    repaired: list[str] = []
    not_repaired: list[str] = []
    destination = protected.place(shipped.place)
    for each in mending:
        location = f"{destination.describe()}/{each.manifest.prefix}"
        was = "damaged" if each.damaged else "missing"
        try:
            source = protected.place(each.source)
            result = copied_to({shipped.place: destination}, source, each.manifest, on_progress)[
                shipped.place
            ]
        except OpsError as error:
            result = error
        if isinstance(result, OpsError):
            not_repaired.append(f"{location} is {was}, and was not repaired: {result.what}")
        elif each.damaged:
            repaired.append(f"{location} was damaged, and was repaired: {named(result.repaired)}")
        else:
            repaired.append(f"{location} was missing, and was copied from {source.describe()}")
    return replace(shipped, repaired=tuple(repaired), not_repaired=tuple(not_repaired))


def _say(line: Line, week: Week, protected: Protected) -> None:
    line.detail = _told(week)
    line.saw(protected.place(week.copies[0].place), week.manifest.prefix)
    if week.missing:
        # Nothing is known against the backup.
        line.outcome = "ERROR"


def _told(week: Week) -> str:
    said = [
        f"{each.location}: {each.copy.files} files, {size(each.copy.bytes_copied)} copied, "
        f"{size(each.copy.bytes_read_back)} read back and equal to the manifest."
        + (f" {each.locks.sentence}" if each.locks else "")
        for each in week.copies
    ]
    said += [f"Not copied to {each.place}: {each.error.what}" for each in week.missing]
    return " ".join((*said, *(f"{each}." for each in week.repaired), *week.not_repaired))
