"""The ways in which a damage is made. Each lets the product itself say what it makes of it."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.night.night import take_night
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import bring_back
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.builders import restoring
from hackorda_ops_tests.drill.fixtures import PROGRAMS, Night
from hackorda_ops_tests.gallery.artifact import OffsiteArtifact
from hackorda_ops_tests.gallery.damages import Outcome, outcome_of
from hackorda_ops_tests.gallery.gallery import Gallery, after_restore, configured, run
from hackorda_ops_tests.postgres.awkward import target_of


@dataclass(frozen=True)
class InTheCopy:
    """A restore that leaves something else: the real one, and then SQL in the restored database."""

    statements: str
    place: ClassVar[str] = "in the restored copy"

    def inflicted(self, gallery: Gallery) -> Outcome:
        """Drills with a pg_restore that leaves the damage."""
        return InsteadOfRestore(after_restore(self.statements)).inflicted(gallery)


@dataclass(frozen=True)
class InsteadOfRestore:
    """Another program in the place of pg_restore, or of pg_restore and psql."""

    script: str
    place: ClassVar[str] = "by the tool that restores"

    def inflicted(self, gallery: Gallery) -> Outcome:
        """Drills with that program."""
        tools = gallery.tools(pg_restore=self.script)
        return outcome_of(gallery.protected.changed(source={"client_folders": [str(tools)]}).drill())


@dataclass(frozen=True)
class AmongEveryKind:
    """Altered in a restored copy together with objects of every other kind: one drill has to name them all."""

    kind: str
    place: ClassVar[str] = "in the restored copy"

    def inflicted(self, gallery: Gallery) -> Outcome:
        """Drills once for all of them."""
        return outcome_of(gallery.altered_in_every_kind)


@dataclass(frozen=True)
class InTheArtifact:
    """Files off-site that are altered, and a manifest whose hashes fit them."""

    alter: Callable[[OffsiteArtifact, Gallery], None]
    policy: Mapping[str, Any] = field(default_factory=dict)
    place: ClassVar[str] = "in the artifact off-site"

    def inflicted(self, gallery: Gallery) -> Outcome:
        """Drills the altered artifact."""
        artifact = OffsiteArtifact(gallery.shipped(gallery.night, **self.policy))
        self.alter(artifact, gallery)
        return outcome_of(artifact.protected.drill())


@dataclass(frozen=True)
class InTheRows:
    """A table's data off-site with other rows in it; as COPY text it is sound."""

    table: str
    alter: Callable[[list[bytes]], list[bytes]]
    place: ClassVar[str] = "in the artifact off-site"

    def inflicted(self, gallery: Gallery) -> Outcome:
        """Drills the altered artifact."""
        return InTheArtifact(lambda artifact, _: artifact.alter_rows(self.table, self.alter)).inflicted(
            gallery
        )


@dataclass(frozen=True)
class InsteadOfDump:
    """Another program in the place of pg_dump."""

    script: str
    place: ClassVar[str] = "by the tool that dumps"

    def inflicted(self, gallery: Gallery) -> Outcome:
        """Takes a night with that program, and drills what came of it."""
        store = gallery.new_folder()
        database = configured(store, [gallery.tools(pg_dump=self.script)])
        try:
            taken = take_night(Protected("hackorda", database, {**PROGRAMS, "DATABASE_URL": gallery.url}))
        except OpsError as error:
            return Outcome("NO ARTIFACT", (), error.what)
        night = Night(gallery.url, FolderStore(store), taken.manifest)
        return outcome_of(gallery.shipped(night).drill())


@dataclass(frozen=True)
class InsteadOfDumpOf:
    """Another program in the place of pg_dump, with a source of its own, to which it or others may do something."""

    statements: tuple[str, ...]
    script: str
    place: ClassVar[str] = "by the tool that dumps"

    def inflicted(self, gallery: Gallery) -> Outcome:
        """Takes a night of that source with that program."""
        database = configured(gallery.new_folder(), [gallery.tools(pg_dump=self.script)])
        with gallery.variant(*self.statements) as url:
            try:
                taken = take_night(Protected("hackorda", database, {**PROGRAMS, "DATABASE_URL": url}))
            except OpsError as error:
                return Outcome("NO ARTIFACT", (), error.what)
        return Outcome("SOUND" if taken.manifest.sound else "NOT SOUND", taken.manifest.findings)


@dataclass(frozen=True)
class SinceTheNightBefore:
    """Something that happens to the source between two nights."""

    statements: str
    place: ClassVar[str] = "in the source, before a night"

    def inflicted(self, gallery: Gallery) -> Outcome:
        """Takes a night, does it, and takes another."""
        database = configured(gallery.new_folder())
        with gallery.variant() as url:
            environ = {**PROGRAMS, "DATABASE_URL": url}
            take_night(Protected("hackorda", database, environ))
            run(url, self.statements)
            night = take_night(Protected("hackorda", database, environ))
        return Outcome("SOUND" if night.manifest.sound else "NOT SOUND", night.manifest.findings)


@dataclass(frozen=True)
class InProduction:
    """Something that happens to the source after the night, or a backup that was never of this source."""

    statements: str
    policy: Mapping[str, Any] = field(default_factory=lambda: {"key_tables": ["orders"]})
    place: ClassVar[str] = "in production, after the night"

    def inflicted(self, gallery: Gallery) -> Outcome:
        """Drills with the changed source as production."""
        with gallery.variant(self.statements) as url:
            return outcome_of(gallery.protected.changed(environ={"DATABASE_URL": url}, **self.policy).drill())


@dataclass(frozen=True)
class ByMigrations:
    """A migration command that does this to the restored copy, and then ends with an exit code."""

    statements: str
    exit_code: int = 0
    place: ClassVar[str] = "by the migrations"

    def inflicted(self, gallery: Gallery) -> Outcome:
        """Drills with that command."""
        folder = gallery.new_folder()
        (folder / "migrate.py").write_text(
            "import os, sys, psycopg\n"
            "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
            f"    connection.execute({self.statements!r})\n"
            f"sys.exit({self.exit_code})\n"
        )
        migrate = {"command": f"{sys.executable} migrate.py", "working_directory": str(folder)}
        return outcome_of(gallery.protected.changed(migrate=migrate).drill())


@dataclass(frozen=True)
class OntoAnother:
    """A restore into a database that has something in it."""

    statements: str
    place: ClassVar[str] = "by who restores"

    def inflicted(self, gallery: Gallery) -> Outcome:
        """Restores into it."""
        with gallery.other(self.statements) as url:
            return _brought_back(gallery, url)


@dataclass(frozen=True)
class OntoTheSource:
    """A restore into the source itself."""

    place: ClassVar[str] = "by who restores"

    def inflicted(self, gallery: Gallery) -> Outcome:
        """Restores into it."""
        return _brought_back(gallery, gallery.url)


@dataclass(frozen=True)
class Untouched:
    """No damage; the drill may be configured otherwise."""

    dump: Mapping[str, Any] = field(default_factory=dict)
    place: ClassVar[str] = "nowhere"

    def inflicted(self, gallery: Gallery) -> Outcome:
        """Drills."""
        protected = gallery.protected
        return outcome_of(protected.changed(dump={**protected.written["dump"], **self.dump}).drill())


def _brought_back(gallery: Gallery, url: str) -> Outcome:
    try:
        done = bring_back(
            restoring(gallery.new_folder(), PROGRAMS, jobs=1),
            gallery.night.store,
            gallery.night.manifest,
            target_of(url),
            source=target_of(gallery.url),
            on_progress=ignore,
        )
    except OpsError as error:
        return Outcome("REFUSED", (), error.what)
    return Outcome(done.verdict, done.findings)
