"""Checks all that the next night and the next drill need: every problem at once, and nothing left behind."""

from collections.abc import Iterator
from pathlib import Path

from hackorda_ops.artifacts import room
from hackorda_ops.artifacts.elsewhere import night_before
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.concerns import Concern, Looked, concern_of, looked
from hackorda_ops.dagster_home.looking import look_at_dagster
from hackorda_ops.engines.engine import NightView
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.night.preflight import look_at_night
from hackorda_ops.own_folders import private_folder
from hackorda_ops.preflight.migrations import look_at_migrations
from hackorda_ops.preflight.offsite import look_at_offsite
from hackorda_ops.sealing import last_night
from hackorda_ops.sealing.preflight import look_at_encryption
from hackorda_ops.stores.staging import abandoned_bytes
from hackorda_ops.words import size


def preflight(protected: Protected) -> tuple[Looked, ...]:
    """Checks everything that a night, a week's copy and a drill of a database need.

    The source is only read. On a scratch server an empty database is made and dropped again.

    Args:
        protected: the database.

    Returns:
        What was checked, each with its concerns; no expected error is raised.
    """
    with private_folder() as private:
        night = look_at_night(protected, private_folder=private)
        return (*night.parts, *_look_at_drill(protected, night))


def _look_at_drill(protected: Protected, night: NightView) -> Iterator[Looked]:
    name, policy = protected.name, protected.policy
    yield from look_at_encryption(protected)
    offsite = look_at_offsite(protected)
    yield from offsite.parts
    yield from _look_at_night_before(protected, night)
    newest = offsite.newest
    yield looked(
        "work folder",
        "stops the drill",
        lambda: _look_for_room(name, policy.dump.work_folder, newest, night.source_bytes),
    )
    try:
        # What is sealed for this machine it doesn't need: it looks at the source itself.
        known, _ = last_night.known(protected, newest)
        yield from engine_of(policy).look_at_scratch(protected, night, known)
    except OpsError as error:
        yield Looked("scratch", "", (concern_of(error, "stops the drill"),))
    if policy.proof.every != "off" and policy.proof.where != "scratch":
        yield from engine_of(policy).look_at_proof(protected, night, newest)
    if policy.migrate is not None:
        yield look_at_migrations(policy.migrate, protected.environ)
    yield look_at_dagster(protected.environ, source=night.source)


def _look_at_night_before(protected: Protected, night: NightView) -> Iterator[Looked]:
    """What the next night will be compared with, and what that would find."""
    try:
        before, noted = night_before(protected, before=None)
    except OpsError:
        return  # what is wrong with the store is reported with the night
    concerns = [
        Concern(
            "worth knowing",
            note,
            "A backup in the wrong place is better than none, but it may be on a disk that wasn't intended.",
            "Mount the store's disk, or correct the store in databases.yaml.",
        )
        for note in noted
    ]
    known, _ = last_night.known(protected, before)
    if known is not None:
        other = engine_of(protected.policy).other_source(known, night)
        if other is not None:
            concerns.append(
                Concern(
                    "worth knowing",
                    f"The source differs from that of {known.artifact_id}: {other.observed}; "
                    f"expected was {other.expected}.",
                    "The next night's artifact will not be sound until somebody confirms the new source.",
                    other.next_step,
                )
            )
    if before is not None or concerns:
        seen = f"{before.artifact_id}, which the next one is compared with" if before else "none yet"
        yield Looked("night before", seen, tuple(concerns))


def _look_for_room(name: str, folder: Path, artifact: Manifest | None, source_bytes: int | None) -> Looked:
    free = room.free_bytes(folder) + abandoned_bytes(folder, name)
    concerns = room.drill_concerns(free, artifact, folder, source_bytes=source_bytes)
    return Looked("work folder", f"{size(free)} in {folder}", tuple(concerns))
