"""What is around the backups: who is told, what was left behind, and who may read what lies on this machine."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

from hackorda_ops.alerts import channels
from hackorda_ops.calendar.due import DueKind
from hackorda_ops.doctor.answer import Answer, Remedy, worst
from hackorda_ops.doctor.patient import Patient
from hackorda_ops.receipts.waiting import RECEIPTS_WAIT, waiting_sentence
from hackorda_ops.scratch.sweep import left_behind, sweep
from hackorda_ops.stores.disk_errors import disk_errors
from hackorda_ops.words import counted, named

_BUDGET_SECONDS: Final = 10.0
_OTHERS: Final = 0o077
_ENTERED_BY_OTHERS: Final = 0o011


def alarms(patient: Patient) -> Answer:
    """Whether anybody is told when something fails."""
    found = channels.configured(patient.alerts, patient.protected.environ)
    variables = named(f"${each}" for each in channels.variables(patient.alerts))
    if found:
        return Answer(
            "ok", f"{named(each.name for each in found)}; not tried here: `hackorda-ops alerts test` does"
        )
    return Answer(
        "problem",
        f"No channel is set: {variables}.",
        "Set one of them where Dagster runs, then try it with `hackorda-ops alerts test`. Until then a failed night is "
        "only in Dagster's log.",
    )


def heartbeats(patient: Patient) -> Answer:
    """Whether something outside notices that this machine, or Dagster, has stopped."""
    kinds: tuple[DueKind, ...] = get_args(DueKind)
    watched = [kind for kind in kinds if patient.protected.monitor(kind) is not None]
    if "night" in watched:
        return Answer("ok", f"an outside monitor hears of every {', '.join(watched)}")
    return Answer(
        "attention",
        "No outside monitor hears of the nights: if this machine stops, nobody is told.",
        "Make a check at a monitor (healthchecks.io, for example), put its URL into a variable, and name that in "
        "heartbeats.night_env.",
    )


def receipts(patient: Patient) -> Answer:
    """Whether the chain of receipts is whole, and none waits on this machine."""
    from hackorda_ops.receipts import reading  # noqa: PLC0415  # loads cryptography
    from hackorda_ops.receipts.keys import trusted_ids  # noqa: PLC0415

    protected, section = patient.protected, patient.protected.policy.receipts
    found = reading.check(protected, trusted=trusted_ids(section))
    look = f"`hackorda-ops receipts verify {protected.name}` says all of it; docs/receipts.md says what it means."
    if against := (*found.differences, *found.chain.problems):
        return Answer("problem", " ".join(against[:3]), look)
    if waits := waiting_sentence(protected):
        return Answer("attention", waits, RECEIPTS_WAIT.next_step)
    if found.unread:
        return Answer("unknown", " ".join(found.unread), "Make the place readable, then ask again.")
    number = counted(len(found.chain.receipts), "receipt")
    if not section.signs:
        return Answer(
            "ok", f"{number}, chained by hash and not signed (`hackorda-ops receipts key` makes a key)"
        )
    if found.chain.receipts and not found.chain.trusted:
        return Answer(
            "attention",
            f"{number}, whole; the key that they begin with is taken on trust: {found.chain.first_key}",
            "Compare it with the one that was noted when the key was made, and name its file in receipts.trusted_keys.",
        )
    return Answer("ok", f"{number}, whole and signed")


def leftovers(patient: Patient) -> Answer:
    """Whether killed runs left scratch databases or branches behind."""
    left = left_behind(patient.protected, budget_seconds=_BUDGET_SECONDS)
    if not left:
        return Answer("ok", "no killed run has left anything behind")

    def carry_out() -> str:
        return f"Removed {named(sweep(patient.protected)) or 'nothing: others did meanwhile'}."

    return Answer(
        "attention",
        f"Killed runs left {named(left)} behind.",
        "The next drill removes them, and so does `hackorda-ops sweep`.",
        Remedy(f"remove {named(left)}", carry_out),
    )


def own_folders(patient: Patient) -> Answer:
    """Whether only this user can reach what lies on this machine: dumps hold every row."""
    answers = [_of_folder(folder) for folder in _folders(patient)]
    return worst(answers) if answers else Answer("none", "Nothing lies on this machine yet.")


def _of_folder(folder: Path) -> Answer:
    with disk_errors(f"look at {folder}"):
        found = folder.stat()
        reachable = all(parent.stat().st_mode & _ENTERED_BY_OTHERS for parent in folder.resolve().parents)
    if not found.st_mode & _OTHERS or not reachable:
        return Answer("ok", f"{folder} is for its owner alone.")
    if found.st_uid != os.geteuid():
        return Answer(
            "attention",
            f"{folder} is open to other users, and isn't this user's.",
            f"Have its owner run: chmod 700 {folder}",
        )

    def close() -> str:
        with disk_errors(f"change the mode of {folder}"):
            before = folder.stat().st_mode & 0o7777
            folder.chmod(0o700)
        return f"{folder} had the mode {before:o}, and has 700 now."

    return Answer(
        "attention",
        f"Other users of this machine can reach {folder}, which is for dumps: these hold every row.",
        f"chmod 700 {folder}",
        Remedy(f"make {folder} its owner's alone (chmod 700)", close),
    )


def _folders(patient: Patient) -> Iterator[Path]:
    """This database's folder in a store on this machine, and the work folder, as far as they're there."""
    candidates = [patient.protected.policy.dump.work_folder]
    for store in patient.places.values():
        place = store.location()
        if place.provider == "this machine":
            candidates.append(Path(place.container) / place.folder / patient.protected.name)
    yield from (each for each in candidates if each.is_dir() and not each.is_symlink())
