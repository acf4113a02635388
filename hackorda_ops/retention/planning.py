"""Reads what a database has in both places, and plans what becomes of it. Deletes nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import combinations
from typing import Final

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.catalog import CatalogOf
from hackorda_ops.artifacts.summaries import Summary
from hackorda_ops.config.offsite import STORE
from hackorda_ops.config.retention import Keep
from hackorda_ops.drill.report.history import read_history
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError, StoreRefused
from hackorda_ops.hidden.seen import undelete_command
from hackorda_ops.judgement.artifact import Sayings, judge
from hackorda_ops.judgement.reading import answering, proofs_in, proofs_said, together, verified_in
from hackorda_ops.progress import OnProgress, ignore
from hackorda_ops.retention.deletion import last_lock
from hackorda_ops.retention.leftovers import Leftover, leftovers, remains
from hackorda_ops.retention.locking import LockExtension, extensions
from hackorda_ops.retention.plan import Decision, StoredArtifact, decide, kept, locked_sentence
from hackorda_ops.retention.proven import proven
from hackorda_ops.retention.stock import Stock, keeps_versions, stock_of
from hackorda_ops.safekeeping.pins import Pin, read_pins
from hackorda_ops.safekeeping.pins import together as together_pinned
from hackorda_ops.stores.store import READINESS_PAGE, PlaceName, Store, StoredVersion, versions_or_files
from hackorda_ops.week.apart import require_two_places
from hackorda_ops.words import named

_UNKNOWN: Final = "the report of a drill that may have proven this one can't be read"
_WAITS: Final = "not deleted while {} can't be read: what is there counts"
_STORE_ALONE: Final = (
    "Off-site isn't configured: none of its variables is set. The plan uses the store alone, and what drills "
    "proved by the reports in it."
)
_NEVER_DELETED: Final = (
    "The nights go straight to the off-site bucket, and nothing is ever deleted there: set retention.offsite, or a "
    "life-cycle rule of the bucket's own."
)


@dataclass(frozen=True)
class RetentionPlan:
    """What becomes of everything that a database has in both places.

    Attributes:
        database: its name.
        decisions: one for each artifact with a readable manifest, newest first in each place.
        leftovers: what no artifact needs any more.
        stocks: what each place holds.
        notes: what somebody should look at, a sentence each: it's kept.
        to_extend: the locks that are extended.
        over: the pins that have ended, and are lifted.
        unread: the places that can't be read now: nothing is deleted there, or in any other place off-site.
    """

    database: str
    decisions: tuple[Decision, ...]
    leftovers: tuple[Leftover, ...]
    stocks: tuple[Stock, ...]
    notes: tuple[str, ...]
    to_extend: tuple[LockExtension, ...] = ()
    over: tuple[Pin, ...] = ()
    unread: tuple[PlaceName, ...] = ()

    @property
    def to_delete(self) -> tuple[Decision, ...]:
        """The artifacts to delete, oldest first: a run that is cut short has then deleted the least wanted."""
        going = [each for each in self.decisions if not each.keep]
        return tuple(sorted(going, key=lambda each: each.held.captured_at))

    @property
    def to_remove(self) -> tuple[Leftover, ...]:
        """The leftovers to remove."""
        return tuple(each for each in self.leftovers if each.remove)


def open_places(protected: Protected) -> dict[PlaceName, Store]:
    """The nightly store and off-site; off-site alone where the nights go straight there.

    The store alone where off-site isn't configured at all. That is safe even if only this shell lacks off-site's
    variables: reports of drills are in both places, and drills prove what lies off-site, where nothing is deleted then.

    Raises:
        ConfigError: variables are missing, or both are the same place.
    """
    # Half of what off-site takes is a mistake, which is refused.
    kept_off_site = any(protected.policy.keep_in(name) for name in protected.policy.offsites)
    if not (protected.mentions_offsite or kept_off_site):
        return {STORE: protected.store}
    protected.require("store", "offsite")
    places = {name: protected.place(name) for name in protected.place_names}
    for one, other in combinations(places.values(), 2):
        require_two_places(protected.name, one, other)
    return places


def read_plan(
    protected: Protected,
    places: Mapping[PlaceName, Store],
    *,
    now: datetime,
    on_progress: OnProgress = ignore,
) -> RetentionPlan:
    """Reads what there is, and plans.

    Args:
        protected: the database.
        places: as `open_places` gives them.
        now: the present, aware.
        on_progress: called for the manifests that this machine hasn't read before, from several threads.

    Raises:
        StoreRefused, StoreUnreachable: a place can't be read. Without it there's no knowing what must be kept.
    """
    name, policy = protected.name, protected.policy
    places, unread = _readable(protected, places)
    policies = {place: policy.keep_in(place) for place in places}
    listed, not_seen = _listed(name, places, policies)
    catalogs = {
        place: catalog.summarise(store, name, now=now, listed=listed[place], on_progress=on_progress)
        for place, store in places.items()
    }
    ids = {each.artifact_id for found in catalogs.values() for each in found.artifacts}
    proofs = [proofs_in(store, name, ids) for store in places.values()]
    drills = proven(
        [read_history(store, name) for store in places.values()],
        now=now,
        proofs=proofs_said(found for found, _ in proofs),
    )
    verifications = [verified_in(store, name, ids) for store in places.values()]
    sayings = Sayings(drills.said, together(found for found, _ in verifications))
    pins = together_pinned(read_pins(store, name) for store in places.values())
    pinned = pins.holding(now)
    held = {place: _held(place, catalogs[place], listed[place], sayings, now) for place in places}
    decisions = decide(
        [each for here in held.values() for each in here],
        policies,
        proven=drills.artifact_ids,
        proven_nights=drills.night_ids,
        pinned=pinned,
        now=now,
    )
    if drills.unknown:
        decisions = kept(
            decisions,
            {(each.held.place, each.held.artifact_id): _UNKNOWN for each in decisions},
            held_back=False,
        )
    else:
        decisions = kept(decisions, _locked(name, decisions, places, listed, now), held_back=True)
    if unread:
        # The store would fill up. Off-site, what the missing place has counts for what the others may delete.
        waits = _WAITS.format(named(unread))
        off_site = [each.held for each in decisions if each.held.place != protected.nights_in]
        decisions = kept(
            decisions, {(each.place, each.artifact_id): waits for each in off_site}, held_back=True
        )
    to_extend, not_extended = extensions(name, places, decisions, listed, now)
    # What has a manifest in one place may be copied off-site at any time; to the store, only what somebody asks for.
    whole = {place: _with_manifests(found) for place, found in catalogs.items()}
    left = [
        _for_now(each, places[place], drills.unknown, now)
        for place, keep in policies.items()
        if keep is not None and (not unread or place == protected.nights_in)
        for each in leftovers(
            name,
            place,
            (*listed[place], *(_readiness_page(places[place]) if keeps_versions(listed[place]) else ())),
            wanted=_wanted(
                remains(place, listed[place], policy.schedule),
                held[place],
                partial(
                    decide,
                    policies={place: keep},
                    proven=drills.artifact_ids,
                    proven_nights=drills.night_ids,
                    pinned=pinned,
                    now=now,
                ),
            ),
            may_come=[each for other in places if other != place for each in whole[other]]
            if place in policy.copied_to
            else (),
            now=now,
        )
    ]
    return RetentionPlan(
        database=name,
        decisions=decisions,
        leftovers=tuple(left),
        unread=tuple(unread),
        stocks=tuple(stock_of(place, store, name, listed[place]) for place, store in places.items()),
        notes=(
            *((_STORE_ALONE,) if set(places) == {STORE} else ()),
            *((_NEVER_DELETED,) if protected.straight_offsite and not policy.deletes else ()),
            *(_unread_sentence(place, error) for place, error in unread.items()),
            *not_seen,
            *not_extended,
            *dict.fromkeys(why for _, unread in (*verifications, *proofs) for why in unread),
            *(f"Kept, whatever it is: {each}" for found in catalogs.values() for each in found.damaged),
            *(
                f"Kept, because it is dated in the future: {each.prefix}"
                for found in catalogs.values()
                for each in found.ahead
            ),
            *(f"Nothing is deleted while this can't be read: {each}" for each in drills.unknown),
            *(
                f"Of {each.subject} ({each.place}) there are only {each.reason}{_how_back(each)}"
                for each in left
                if each.missed
            ),
        ),
        to_extend=to_extend,
        over=pins.ended(now),
    )


def _how_back(left: Leftover) -> str:
    """What brings it back, where its versions are still there."""
    if left.of_files:
        return ""
    database, _, artifact_id = left.subject.partition("/")
    command = undelete_command(database, left.place, artifact_id)
    return f". `{command}` brings it back as long as its versions are kept"


def _readable(
    protected: Protected, places: Mapping[PlaceName, Store]
) -> tuple[dict[PlaceName, Store], dict[PlaceName, OpsError]]:
    """The places that can be read now, and why the others can't: of several off-site, one may be missing.

    Raises:
        StoreRefused, StoreUnreachable: the nights can't be read, or nothing off-site.
    """
    if not protected.several_offsite:
        return dict(places), {}
    read, unread = answering(places)
    if protected.nights_in in unread:
        raise unread[protected.nights_in]
    if len(read) == 1 and unread:
        raise next(iter(unread.values()))
    return read, unread


def _unread_sentence(place: PlaceName, error: OpsError) -> str:
    return f"{place} can't be read, so nothing is deleted there or in any other place off-site: {error.what}"


def _with_manifests(found: CatalogOf[Summary]) -> list[str]:
    """The ids of all that has a manifest, whatever is wrong with it."""
    ids = [each.artifact_id for each in (*found.artifacts, *found.ahead)]
    return ids + [each.prefix.rpartition("/")[2] for each in found.damaged]


def _listed(
    name: str, places: Mapping[PlaceName, Store], policies: Mapping[PlaceName, Keep | None]
) -> tuple[dict[PlaceName, tuple[StoredVersion, ...]], list[str]]:
    """All versions in each place, and a sentence for each where the key has no right to.

    Where nothing is to be deleted that does no harm: the best off-site key has few rights.
    """
    listed: dict[PlaceName, tuple[StoredVersion, ...]] = {}
    not_seen = []
    for place, store in places.items():
        if policies[place] is not None:
            listed[place] = tuple(store.versions(f"{name}/"))
            continue
        listed[place], seen = versions_or_files(store, f"{name}/")
        if not seen:
            not_seen.append(
                f"This key has no right to list versions in {store.describe()}: older versions there aren't counted."
            )
    return listed, not_seen


def _wanted(
    gone: Sequence[StoredArtifact],
    held: Sequence[StoredArtifact],
    decided: Callable[[Sequence[StoredArtifact]], Sequence[Decision]],
) -> dict[str, str]:
    """Why artifacts of which only remains exist would be kept if they were whole, by id."""
    together = decided([*held, *gone]) if gone else ()
    ids = {each.artifact_id for each in gone}
    return {
        each.held.artifact_id: "; ".join(each.reasons)
        for each in together
        if each.keep and each.held.artifact_id in ids
    }


def _held(
    place: PlaceName,
    found: CatalogOf[Summary],
    listed: Sequence[StoredVersion],
    sayings: Sayings,
    now: datetime,
) -> list[StoredArtifact]:
    files: dict[str, list[StoredVersion]] = {}
    for version in listed:
        if version.is_file:
            files.setdefault("/".join(version.key.split("/")[:2]), []).append(version)

    def held(each: Summary) -> StoredArtifact:
        written_at = max(file.modified_at for file in files[each.prefix])
        judgement = judge(
            each, f"{found.location}/{each.prefix}", sayings, now=now, written_at=lambda: written_at
        )
        return StoredArtifact(
            place=place,
            artifact_id=each.artifact_id,
            night=each.night,
            captured_at=each.captured_at,
            sound=judgement.usable,
            size_bytes=sum(file.size_bytes for file in files[each.prefix]),
            written_at=written_at,
            found_bad=judgement.found_bad,
            judgement=judgement.sentence,
        )

    # One that came after the listing is too new to be judged.
    return [held(each) for each in found.artifacts if each.prefix in files]


def _locked(
    database: str,
    decisions: Iterable[Decision],
    places: Mapping[PlaceName, Store],
    listed: Mapping[PlaceName, Sequence[StoredVersion]],
    now: datetime,
) -> dict[tuple[PlaceName, str], str]:
    """Why those that were to go stay, where object lock holds any of their files."""
    going = {
        (each.held.place, each.held.artifact_id): list[StoredVersion]() for each in decisions if not each.keep
    }
    for place, versions in listed.items():
        for version in versions:
            folder, artifact_id, *_ = (*version.key.split("/", 2), "", "")
            if version.is_file and folder == database and (place, artifact_id) in going:
                going[place, artifact_id].append(version)
    why: dict[tuple[PlaceName, str], str] = {}
    for (place, artifact_id), files in going.items():
        until = last_lock(places[place], files)
        if until is not None and until > now:
            why[place, artifact_id] = locked_sentence(until)
    return why


def _for_now(leftover: Leftover, store: Store, unknown: Sequence[str], now: datetime) -> Leftover:
    """What is left, which stays where object lock holds it, or while it's unknown what drills have proven."""
    if not leftover.remove:
        return leftover
    if unknown:
        return replace(leftover, remove=False, reason=_UNKNOWN)
    until = last_lock(store, leftover.versions)
    if until is None or until <= now:
        return leftover
    return replace(leftover, remove=False, reason=f"{leftover.reason}; {locked_sentence(until)}")


def _readiness_page(store: Store) -> tuple[StoredVersion, ...]:
    """Every version of the readiness page; none where the key sees no more than the database's folder."""
    with suppress(StoreRefused):
        return tuple(version for version in store.versions("") if version.key == READINESS_PAGE)
    return ()
