"""Each bucket off-site: what is in it, whether it takes and gives up files, and whether it is another place."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.catalog import Catalog
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.calendar.clocks import clock_concerns
from hackorda_ops.concerns import Concern, ConcernLevel, Looked, concern_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, OpsError
from hackorda_ops.stores.locks import locking
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.settings import TellsSettings
from hackorda_ops.stores.store import PlaceName, Store
from hackorda_ops.week import apart
from hackorda_ops.words import counted


@dataclass(frozen=True)
class OffsiteView:
    """What was found off-site.

    Attributes:
        parts: each with its concerns.
        newest: the artifact that a drill would restore; None where there is none, or nothing could be read.
    """

    parts: tuple[Looked, ...]
    newest: Manifest | None


def look_at_offsite(protected: Protected) -> OffsiteView:
    """Checks each bucket off-site as the next copy, the next drill and retention will find it."""
    names = tuple(protected.policy.offsites)
    with ThreadPoolExecutor(len(names), thread_name_prefix="look") as looking:
        views = list(looking.map(lambda name: _look_at_one(protected, name), names))
    # Without any copy a drill has nothing to restore; one that is missing leaves the others.
    none_answers = all(isinstance(each, OpsError) for each in views)
    stops: ConcernLevel = "stops the drill" if none_answers else "worth knowing"
    found = [
        OffsiteView((Looked(_called(protected, name), "", (concern_of(each, stops),)),), None)
        if isinstance(each, OpsError)
        else each
        for name, each in zip(names, views, strict=True)
    ]
    newest = [each.newest for each in found if each.newest is not None]
    return OffsiteView(
        (*(part for each in found for part in each.parts), *look_at_deletion(protected)),
        max(newest, key=lambda each: (each.captured_at, each.artifact_id), default=None),
    )


def _called(protected: Protected, name: PlaceName) -> str:
    return f"off-site: {name}" if protected.several_offsite else "off-site"


def _look_at_one(protected: Protected, name: PlaceName) -> OffsiteView | OpsError:
    several = protected.several_offsite
    try:
        offsite = protected.place(name)
        (offsite.with_patience(SOON) if several else offsite).check()
        found = catalog.read(offsite, protected.name)
    except OpsError as error:
        return error
    locks, lock_concerns = _locking(offsite)
    seen = f"{offsite.describe()}, {len(found.artifacts)} artifact(s){locks}"
    concerns = (
        *_writing_concerns(offsite),
        *lock_concerns,
        *catalog_concerns(found),
        *_concerns_of_two(protected, name),
        *_clock_concerns(offsite),
    )
    return OffsiteView((Looked(_called(protected, name), seen, concerns),), found.newest)


def _writing_concerns(offsite: Store) -> Iterator[Concern]:
    try:
        offsite.check_writable()
    except OpsError as error:
        yield concern_of(error, "stops the copy")


def _locking(offsite: Store) -> tuple[str, tuple[Concern, ...]]:
    """Whether the bucket locks files, in a few words, and what to change where it is to and can't."""
    if not isinstance(offsite, TellsSettings):
        return "", ()
    try:
        able = offsite.settings().lock
    except OpsError:
        # Whatever keeps it from being asked is a concern of its own.
        return "", ()
    wanted = locking(offsite)
    if wanted is not None and wanted.lock is not None and able is False:
        return ", no object lock", (
            Concern(
                "stops the copy",
                f"{offsite.describe()} was made without object lock, and lock asks for "
                f"{counted(wanted.lock.days, 'day')} in {wanted.lock.mode} mode.",
                "The provider refuses each file, or stores it unlocked.",
                "Make a bucket with object lock, or remove lock from databases.yaml.",
            ),
        )
    if wanted is not None:
        return ", locks each file" if able else ", whether it locks files is not known", ()
    return (", no object lock" if able is False else ", nothing is locked"), ()


def look_at_deletion(protected: Protected) -> Iterator[Looked]:
    """Whether retention may delete what it has to, in each place that it deletes from: tried on a probe of our own."""
    # A place whose variables are missing is reported with the night, or off-site.
    for name, place in protected.places.items():
        if protected.policy.keep_in(name) is None:
            continue
        if protected.several_offsite:
            place = place.with_patience(SOON)  # noqa: PLW2901  # the same place
        try:
            untried = place.try_deleting()
        except OpsError as error:
            concern = Concern(
                "worth knowing",
                error.what,
                f"Retention can't delete from {place.describe()}: what it doesn't keep stays, and is paid for.",
                "Allow this access key to delete objects and their versions below the prefix, or keep everything "
                "there: null in place of the policy under retention.",
            )
            yield Looked("deletion", "", (concern,))
        else:
            seen = (
                f"not tried in {place.describe()}: {untried}" if untried else f"works in {place.describe()}"
            )
            yield Looked("deletion", seen)


def _concerns_of_two(protected: Protected, name: PlaceName) -> Iterator[Concern]:
    # A store whose variables aren't set is reported with the night.
    with suppress(ConfigError):
        offsite = protected.place(name)
        if name != protected.nights_in:
            yield from apart.concerns(protected.name, protected.store, offsite)
            for earlier in protected.policy.offsites:
                if earlier == name:
                    break
                if earlier != protected.nights_in and earlier in protected.places:
                    yield from apart.concerns(protected.name, protected.place(earlier), offsite)
        elif not protected.policy.keeps_history and not protected.policy.has_weeks:
            yield Concern(
                "worth knowing",
                "The nights go straight to the off-site bucket, and nothing keeps a history of the source beside it.",
                "There is one copy: a closed account or a stolen key would take it.",
                "Name the provider of the source that keeps a history, or set copies to weekly and name a store.",
            )


def _clock_concerns(offsite: Store) -> Iterator[Concern]:
    try:
        yield from clock_concerns({"the bucket": offsite.clock_ahead()})
    except OpsError as error:
        yield concern_of(error, "stops the drill")


def catalog_concerns(offsite: Catalog) -> Iterator[Concern]:
    """Whether there is something off-site that a drill can restore. Pure."""
    if not offsite.artifacts:
        yield Concern(
            "worth knowing",
            f"{offsite.location} has no artifact yet.",
            "A drill has nothing to restore before the first week's copy.",
            "Take a dump and copy it: hackorda-ops dump, hackorda-ops copy.",
        )
    for ahead in offsite.ahead:
        yield Concern(
            "worth knowing",
            f"{ahead.artifact_id} off-site is dated in the future.",
            "A clock was wrong when it was made; it is never taken for the newest.",
            "Set the source's clock. Restore it by its id (--artifact) if it is needed.",
        )
    for artifact in offsite.damaged:
        yield Concern(
            "worth knowing",
            artifact.problem,
            "That artifact can't be restored; a drill takes the newest one that can be read.",
            "Find out who can write to the bucket, and copy that artifact again while the store has it.",
        )
