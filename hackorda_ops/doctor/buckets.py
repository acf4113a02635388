"""Whether the buckets keep copies safe: versions, locks, life cycles, who can read them, and whose they are."""

from collections.abc import Callable

from hackorda_ops.config.offsite import OFFSITE
from hackorda_ops.config.places import S3
from hackorda_ops.doctor.answer import Answer, Remedy, worst
from hackorda_ops.doctor.patient import Patient
from hackorda_ops.errors import OpsError
from hackorda_ops.retention.wanted import hiding_places
from hackorda_ops.stores.settings import Aspect, BucketSettings, ExpiryRule
from hackorda_ops.stores.store import Location, PlaceName, Store, folder_prefix
from hackorda_ops.words import counted, named


def exists(patient: Patient) -> Answer:
    """Whether every place is there and can be listed."""
    answers = []
    for place, store in patient.places.items():
        try:
            store.check()
        except OpsError as error:
            answers.append(Answer("problem", error.what, error.next_step))
        else:
            answers.append(Answer("ok", f"{place}: {store.describe()}."))
    policy = patient.protected.policy
    if not any(name in patient.places for name in policy.offsites):
        answers.append(
            Answer(
                "problem",
                "No off-site bucket is configured here.",
                "Set OFFSITE_BUCKET, OFFSITE_ACCESS_KEY_ID and OFFSITE_SECRET_ACCESS_KEY, or name other variables in "
                "databases.yaml.",
            )
        )
    else:
        answers += [
            Answer(
                "problem",
                f"The variables of the copy {name} aren't set here.",
                "Set them where the daemon runs; `hackorda-ops config show` names them.",
            )
            for name in policy.offsites
            if name not in patient.places
        ]
    return worst(answers)


def versions(patient: Patient) -> Answer:
    """Whether overwriting or deleting a copy loses it."""

    def judge(place: PlaceName, settings: BucketSettings) -> Answer:
        if settings.versioning == "on":
            return Answer("ok", f"{place} keeps versions.")
        return Answer(
            "attention",
            f"{place} keeps no versions: what is overwritten or deleted there is gone.",
            "Turn on the bucket's versioning at the provider; with object lock as well, a stolen key can't delete "
            "copies.",
        )

    return _each(patient, "versions", judge)


def lock(patient: Patient) -> Answer:
    """Whether copies can be locked against deletion, and are where that is configured."""

    def judge(place: PlaceName, settings: BucketSettings) -> Answer:
        policy = patient.protected.policy
        section = policy.offsites.get(place, policy.store)
        wanted = section.locked if isinstance(section, S3) else None
        if settings.lock and wanted:
            return Answer(
                "ok", f"{place} locks each file for {counted(wanted.days, 'day')}, in {wanted.mode} mode."
            )
        if settings.lock:
            return Answer(
                "attention",
                f"{place} can lock files, but lock isn't set, so nothing is locked.",
                "Set lock (mode and days) for this bucket in databases.yaml.",
            )
        if wanted:
            return Answer(
                "problem",
                f"{place} was made without object lock, and lock asks for {counted(wanted.days, 'day')}.",
                "Make a bucket with object lock, or remove lock from databases.yaml.",
            )
        return Answer(
            "attention",
            f"{place} can't lock files: whoever has its key can delete every copy.",
            "Make the off-site bucket with object lock, and set lock; or see to it that the key can't delete.",
        )

    return _each(patient, "lock", judge)


def hidden(patient: Patient) -> Answer:
    """Whether artifacts are hidden that retention would keep, and so didn't delete."""
    answers = [
        Answer(
            "unknown" if each.unread else "problem" if each.hidden else "ok", each.sentence, each.next_step
        )
        for each in hiding_places(patient.protected, now=patient.now)
    ]
    return worst(answers) if answers else Answer("none", "No place is a bucket.")


def life_cycle(patient: Patient) -> Answer:
    """Whether a rule of the bucket removes what retention keeps."""

    def judge(place: PlaceName, settings: BucketSettings) -> Answer:
        own = _folder(patient, place)
        removing = [each for each in settings.expiry or () if each.current and _concerns(each, own)]
        if not removing:
            return Answer("ok", f"No rule of {place} removes current files of this database.")
        when = named(
            "on a date" if each.days is None else f"after {counted(each.days, 'day')}" for each in removing
        )
        return Answer(
            "problem",
            f"By a rule of its life cycle {place} removes this database's files {when}, whatever retention keeps.",
            "Limit the rule to other prefixes, or remove it: `hackorda-ops prune` and the weekly retention delete what "
            "the policy doesn't keep.",
        )

    return _each(patient, "life cycle", judge)


def private(patient: Patient) -> Answer:
    """Whether nobody else can read the buckets."""

    def judge(place: PlaceName, settings: BucketSettings) -> Answer:
        if not settings.public:
            return Answer("ok", f"{place} isn't public.")
        return Answer(
            "problem",
            f"Everybody can read {place}: every row of every backup is in it.",
            "Block public access at the provider now, and treat the data as disclosed.",
        )

    return _each(patient, "public access", judge)


def another_account(patient: Patient) -> Answer:
    """Whether losing one account would leave the other copy."""
    places = patient.places
    if len(places) < 2:
        if patient.protected.straight_offsite:
            return Answer("none", "There is one bucket; the source's history is the other copy.")
        return Answer("unknown", "Not both places are configured here.", "Set the variables of both.")
    # Of several copies, it's enough if any is out of the others' reach; each that is here is no copy at all.
    first, *others = places
    answers = [_of_two(patient, first, other) for other in others]
    if patient.protected.several_offsite and any(each.outcome == "ok" for each in answers):
        return next(
            (each for each in answers if each.outcome == "problem"),
            next(each for each in answers if each.outcome == "ok"),
        )
    return worst(answers)


def _of_two(patient: Patient, home: PlaceName, other_one: PlaceName) -> Answer:
    store, offsite = patient.places[home].location(), patient.places[other_one].location()
    called = "off-site" if other_one == OFFSITE else other_one
    if _is_here(offsite):
        return Answer(
            "problem",
            f"{called[0].upper()}{called[1:]} is kept by {offsite.provider}: on this machine.",
            "Give off-site a bucket at a provider: a fire or a thief would take this machine with everything on it.",
        )
    if store.provider != offsite.provider:
        return Answer("ok", f"the store is kept by {store.provider}, {called} by {offsite.provider}")
    one, other = patient.buckets.get(home), patient.buckets.get(other_one)
    if isinstance(one, BucketSettings) and isinstance(other, BucketSettings) and one.owner and other.owner:
        if one.owner != other.owner:
            return Answer("ok", f"both are at {store.provider}, in different accounts")
        return Answer(
            "attention",
            f"The store and {called} belong to one account at {store.provider}.",
            "Move off-site to another account or provider: a closed account or a stolen login would take both copies.",
        )
    return Answer(
        "unknown",
        f"Both are at {store.provider}, which doesn't say whose they are.",
        "See to it that they are in different accounts.",
    )


def _is_here(place: Location) -> bool:
    host = place.provider.partition("/")[0].removesuffix("]").removeprefix("[")
    return place.provider == "this machine" or host.startswith(("127.", "localhost", "::1"))


def abandoned_uploads(patient: Patient) -> Answer:
    """Whether killed uploads are still paid for."""
    answers = []
    for place, store in patient.places.items():
        try:
            left = store.abandoned_uploads(f"{patient.protected.name}/")
        except OpsError as error:
            answers.append(Answer("unknown", error.what, error.next_step))
            continue
        if left:
            answers.append(
                Answer(
                    "attention",
                    f"{place} has {counted(len(left), 'unfinished upload')} of killed runs, older than a day: they "
                    "aren't listed, and are paid for.",
                    "The weekly retention ends them, and so does `hackorda-ops doctor --fix`.",
                    Remedy(
                        f"end {counted(len(left), 'abandoned upload')} in {store.describe()}",
                        _ending(store, patient.protected.name),
                    ),
                )
            )
        else:
            answers.append(Answer("ok", f"{place} has none."))
    return worst(answers) if answers else Answer("unknown", "No place is configured here.")


def _ending(store: Store, name: str) -> Callable[[], str]:
    return lambda: (
        f"Ended {counted(len(store.end_abandoned_uploads(f'{name}/')), 'upload')} in {store.describe()}."
    )


def _each(patient: Patient, aspect: Aspect, judge: Callable[[PlaceName, BucketSettings], Answer]) -> Answer:
    answers = []
    for place, settings in patient.buckets.items():
        if isinstance(settings, OpsError):
            answers.append(Answer("unknown", settings.what, settings.next_step))
        elif aspect in settings.unknown:
            answers.append(
                Answer(
                    "unknown",
                    f"{place}: {settings.unknown[aspect]}.",
                    "Look at the provider's console, or give the key the right to read the bucket's settings.",
                )
            )
        else:
            answers.append(judge(place, settings))
    return worst(answers) if answers else Answer("none", "No place is a bucket that can be asked.")


def _folder(patient: Patient, place: PlaceName) -> str:
    return folder_prefix(patient.places[place].location().folder, patient.protected.name)


def _concerns(rule: ExpiryRule, own: str) -> bool:
    return own.startswith(rule.prefix) or rule.prefix.startswith(own)
