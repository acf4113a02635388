"""Checks all that the next night and the next drill need: every problem at once, and nothing left behind."""

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from hackorda_ops.artifacts import catalog, room
from hackorda_ops.artifacts.catalog import Catalog
from hackorda_ops.artifacts.elsewhere import night_before
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.calendar.clocks import clock_concerns
from hackorda_ops.concerns import Concern, Looked, concern_of, looked
from hackorda_ops.config.expectations import Migrate
from hackorda_ops.engines.engine import NightView
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, OpsError
from hackorda_ops.night.preflight import look_at_night
from hackorda_ops.redaction.passwords import without_passwords
from hackorda_ops.stores.staging import abandoned_bytes
from hackorda_ops.stores.store import Store
from hackorda_ops.week import apart
from hackorda_ops.words import size


def preflight(protected: Protected) -> tuple[Looked, ...]:
    """Checks everything that a night, a week's copy and a drill of a database need.

    The source is only read. On a scratch server an empty database is made and dropped again.

    Args:
        protected: the database.

    Returns:
        What was checked, each with its concerns; no expected error is raised.
    """
    with tempfile.TemporaryDirectory(prefix="hackorda_ops-") as private:
        night = look_at_night(protected, private_folder=Path(private))
        return (*night.parts, *_look_at_drill(protected, night))


def _look_at_drill(protected: Protected, night: NightView) -> Iterator[Looked]:
    name, policy = protected.name, protected.policy
    found: Catalog | None = None
    try:
        offsite = protected.offsite
        offsite.check()
        found = catalog.read(offsite, name)
    except OpsError as error:
        yield Looked("off-site", "", (concern_of(error, "stops the drill"),))
    else:
        seen = f"{offsite.describe()}, {len(found.artifacts)} artifact(s)"
        yield Looked(
            "off-site",
            seen,
            (
                *catalog_concerns(found),
                *_concerns_of_two(protected),
                *_clock_concerns(offsite),
            ),
        )
    yield from _look_at_night_before(protected, night)
    newest = found.newest if found else None
    if newest is not None:
        artifact = newest
        yield looked(
            "work folder", "stops the drill", lambda: _look_for_room(name, policy.dump.work_folder, artifact)
        )
    try:
        yield from engine_of(policy).look_at_scratch(protected, night, newest)
    except OpsError as error:
        yield Looked("scratch", "", (concern_of(error, "stops the drill"),))
    if policy.migrate is not None:
        yield look_at_migrations(policy.migrate, protected.environ)


def _concerns_of_two(protected: Protected) -> Iterator[Concern]:
    # A store whose variables aren't set is reported with the night.
    with suppress(ConfigError):
        if not protected.straight_offsite:
            yield from apart.concerns(protected.name, protected.store, protected.offsite)
        elif not protected.policy.keeps_history:
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
    if before is not None:
        other = engine_of(protected.policy).other_source(before, night)
        if other is not None:
            concerns.append(
                Concern(
                    "worth knowing",
                    f"The source differs from that of {before.artifact_id}: {other.observed}; "
                    f"expected was {other.expected}.",
                    "The next night's artifact will not be sound until somebody confirms the new source.",
                    other.next_step,
                )
            )
    if before is not None or concerns:
        seen = f"{before.artifact_id}, which the next one is compared with" if before else "none yet"
        yield Looked("night before", seen, tuple(concerns))


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


def _look_for_room(name: str, folder: Path, artifact: Manifest) -> Looked:
    free = room.free_bytes(folder) + abandoned_bytes(folder, name)
    return Looked(
        "work folder", f"{size(free)} in {folder}", tuple(room.drill_concerns(free, artifact, folder))
    )


def look_at_migrations(migrate: Migrate, environ: Mapping[str, str]) -> Looked:
    """Whether the team's migration command can be started: its folder, its program, its variables."""
    return Looked(
        "migrations", without_passwords(migrate.command, ()), tuple(_migration_concerns(migrate, environ))
    )


def _migration_concerns(migrate: Migrate, environ: Mapping[str, str]) -> Iterator[Concern]:
    folder = migrate.working_directory
    if not folder.is_dir():
        yield Concern(
            "stops the drill",
            f"The migration command's folder {folder} does not exist.",
            "A drill can't migrate the restored copy.",
            "Correct migrate.working_directory in databases.yaml, or check the application's code out there.",
        )
    elif migrate.folder is not None and not (folder / migrate.folder).is_dir():
        yield Concern(
            "worth knowing",
            f"The folder of the migrations {folder / migrate.folder} does not exist.",
            "A drill can't name the migrations that are pending.",
            "Correct migrate.folder in databases.yaml, or remove it: known tools' files are found by themselves.",
        )
    program = _program(migrate.command)
    if program is None:
        yield Concern(
            "stops the drill",
            f"The migration command names no program: {without_passwords(migrate.command, ())}",
            "A drill can't migrate the restored copy.",
            "Correct migrate.command in databases.yaml: shell words, with every quote closed.",
        )
    elif not _is_found(program, folder, environ):
        yield Concern(
            "stops the drill",
            f"The migration command's program {program} is not found.",
            "A drill can't migrate the restored copy.",
            "Install it where drills run, or correct migrate.command in databases.yaml.",
        )
    unset = [variable for variable in migrate.pass_env if variable not in environ]
    if unset:
        yield Concern(
            "worth knowing",
            f"The migration command expects variables that are not set here: {', '.join(unset)}.",
            "It runs without them.",
            "Set them where drills run, or remove them from migrate.pass_env in databases.yaml.",
        )


def _program(command: str) -> str | None:
    try:
        return next(iter(shlex.split(command)), None)
    except ValueError:
        return None


def _is_found(program: str, folder: Path, environ: Mapping[str, str]) -> bool:
    if "/" in program:
        return (folder / program).is_file() and os.access(folder / program, os.X_OK)
    return shutil.which(program, path=environ.get("PATH", os.defpath)) is not None
