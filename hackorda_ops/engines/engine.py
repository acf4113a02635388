"""What an engine brings along: what a night, a proof, a restore and a drill are for one kind of database.

Everything else (shipping, retention, readiness, alarms) works on any artifact and asks the engine, by `registry`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

from hackorda_ops.artifacts.damage import FileSeen
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.concerns import Looked
from hackorda_ops.drilling.declaration import DrillCheck, Drilling
from hackorda_ops.drilling.result import ByHand
from hackorda_ops.engines.contents import Definition, LiveContents, LiveView
from hackorda_ops.engines.orders import NightOrder, Restored, RestoreOrder, Taken
from hackorda_ops.engines.suggested import Suggested
from hackorda_ops.environment import Protected
from hackorda_ops.findings import Finding
from hackorda_ops.progress import OnProgress
from hackorda_ops.scratch.place import Place, Scratch
from hackorda_ops.sealing.opening import OpenArtifact
from hackorda_ops.stores.store import Store

Fact = int | float | str | tuple[str, ...]
"""What Dagster's pages show of something: a number, a text, or a list of lines."""


FILES_READ_BACK: Final = "files_read_back"
ROWS_EQUAL_SNAPSHOT: Final = "rows_equal_snapshot"
NO_COLLAPSE: Final = "no_collapse"
"""What each night proves, as Dagster's asset checks are called."""


class Target(Protocol):
    """A server and a database on it, as an engine knows how to reach them."""

    def describe(self) -> str:
        """Where it is, in words, without secrets."""


@dataclass(frozen=True)
class NightView:
    """What was found of the source and of the programs that a night needs.

    Attributes:
        parts: each with its concerns.
        source: where the source answered; None where it didn't.
        source_bytes: how large it is; None where it couldn't be read.
        seen: what else the engine saw, for its own further questions.
    """

    parts: tuple[Looked, ...]
    source: Target | None
    source_bytes: int | None
    seen: Any = None


class Engine(Protocol):
    """One kind of database. Every method raises errors of the `OpsError` tree."""

    @property
    def name(self) -> str:
        """As people call it ("Postgres")."""

    @property
    def kind(self) -> str:
        """What Dagster's pages show it as ("postgres")."""

    @property
    def night_asset(self) -> str:
        """What Dagster calls the asset of its nights ("nightly_dump")."""

    @property
    def night_description(self) -> str:
        """What that asset's page says; `{name}` is the database's name."""

    @property
    def night_checks(self) -> Mapping[str, str]:
        """What a night proves: a sentence each for FILES_READ_BACK, ROWS_EQUAL_SNAPSHOT and NO_COLLAPSE."""

    @property
    def manifest(self) -> type[Manifest]:
        """What holds its evidence."""

    @property
    def checks(self) -> Sequence[DrillCheck]:
        """What its drills prove, in the order of the report, without what every drill does."""

    def source(self, protected: Protected, *, private_folder: Path) -> Target:
        """The live database.

        Args:
            protected: the database.
            private_folder: for files that must not be read by others.

        Raises:
            ConfigError: variables are missing, or don't have the form that they must.
        """

    def target(self, url: str, *, origin: str) -> Target:
        """A database to restore into.

        Args:
            url: its connection string.
            origin: where that was given, for the message.

        Raises:
            ConfigError: it isn't a connection string.
        """

    def without_password_in_url(self, url: str, environ: Mapping[str, str]) -> Target:
        """A database to restore into, by a URL that other users can read.

        Args:
            url: its connection string.
            environ: where the engine looks its password up.

        Raises:
            UsageError: the URL contains a password.
            ConfigError: it isn't a connection string.
        """

    def observed(self, protected: Protected) -> Mapping[str, Fact]:
        """A look at the live database, for its page: version, size, what it holds."""

    def observed_by(self, manifest: Manifest) -> Mapping[str, Fact]:
        """The same, as a night saw it."""

    def look(self, protected: Protected, *, private_folder: Path) -> NightView:
        """Checks the source and the programs as the next night will find them; raises no expected error.

        Args:
            protected: the database.
            private_folder: for files that must not be read by others.
        """

    def look_at_scratch(
        self, protected: Protected, view: NightView, newest: Manifest | None
    ) -> Iterator[Looked]:
        """Whether the scratch is as a drill needs it, and what else follows for nights.

        Args:
            protected: the database.
            view: what was found of the source.
            newest: the newest artifact off-site; None before the first.
        """

    def other_source(self, before: Manifest, view: NightView) -> Finding | None:
        """A finding if the source isn't that of the previous night; None if it is, as far as is known.

        Args:
            before: the previous night's manifest.
            view: what was found of the source.
        """

    def night(self, order: NightOrder) -> AbstractContextManager[Taken]:
        """Takes a night: reads the source, writes the files, reads them back, and compares with the night before.

        When the block ends, however it ends, the staged folder is gone.
        """

    def judge(
        self,
        protected: Protected,
        folder: Path,
        manifest: Manifest,
        *,
        jobs: int,
        on_progress: OnProgress,
        part: Manifest | None = None,
        hashed: Mapping[str, FileSeen] | None = None,
    ) -> tuple[Finding, ...]:
        """Compares the files of a fetched artifact, and all that is in them, with its manifest.

        Where `hashed` has the manifest's SHA-256 for each file, an engine may leave it at that: the manifest's digests
        were made from those very bytes, and the comparison after a restore reads them in any case.

        Args:
            protected: the database.
            folder: where the artifact was fetched to.
            manifest: its manifest.
            jobs: how many processes read.
            on_progress: called with the bytes read, from more than one thread.
            part: the manifest of the part that was fetched (`part_of`); None for all of it.
            hashed: the files as they were fetched; None to read everything.

        Raises:
            ArtifactDamaged: it can't be read completely.
        """

    def part_of(self, manifest: Manifest, names: Sequence[str]) -> Manifest:
        """The manifest of some of an artifact's parts only: what a restore of them fetches and compares. Pure.

        Args:
            manifest: the artifact's.
            names: the parts' names.

        Raises:
            UsageError: there are no such parts, or the engine can't restore parts.
        """

    def admitted(self, order: RestoreOrder) -> AbstractContextManager[Callable[[Path], Restored]]:
        """Opens a restore target, if it may take this artifact: a wrong one should fail in seconds.

        Returns:
            What restores the artifact from the folder that it was fetched to, and compares the result.

        Raises:
            TargetRefused: it is the source, isn't empty, or can't take this artifact.
        """

    def local_scratch(self, protected: Protected) -> Scratch:
        """The servers that can be started on this machine, for the proof of a night.

        Opening one raises ClientMissing, TargetRefused or DiskFull where it can't hold the artifact.

        Args:
            protected: the database.

        Raises:
            ClientMissing: there's no program to start.
        """

    def look_at_proof(
        self, protected: Protected, view: NightView, newest: Manifest | None
    ) -> Iterator[Looked]:
        """Whether the proof of a night has what it needs on this machine.

        Args:
            protected: the database.
            view: what was found of the source.
            newest: the newest artifact off-site; None before the first.
        """

    def drill(self, drilling: Drilling, place: Place, checks: Sequence[DrillCheck]) -> None:
        """Restores a fetched artifact on scratch and runs the checks, writing down what they see.

        Args:
            drilling: the drill, with its artifact fetched and read.
            place: its scratch.
            checks: all checks of this database's drill, in the order of the report.

        Raises:
            OpsError: a step could not be done.
        """

    def examine(self, protected: Protected, *, private_folder: Path, today: date) -> Iterator[Looked]:
        """What else matters of the live server, beyond a preflight: its version's end of life, its connections.

        Args:
            protected: the database.
            private_folder: for files that must not be read by others.
            today: the local date.

        Raises:
            OpsError: it can't be reached or read.
        """

    def suggest(self, protected: Protected, *, private_folder: Path) -> Suggested:
        """Looks at a database that nobody has configured yet; read-only.

        Args:
            protected: the database, with nothing but its source.
            private_folder: for files that must not be read by others.

        Raises:
            OpsError: it can't be reached or read.
        """

    @property
    def views(self) -> Mapping[str, str]:
        """The looks at a live database that there are: by name, what each shows."""

    def look_at(self, protected: Protected, view: str, *, private_folder: Path, rows: int) -> LiveView:
        """Takes one of `views`: read-only, within seconds, and without any value of a row.

        Args:
            protected: the database.
            view: its name.
            private_folder: for files that must not be read by others.
            rows: how many are shown.

        Raises:
            UsageError: there's no such view.
        """

    def definitions(
        self, protected: Protected, store: Store, artifact: OpenArtifact, *, private_folder: Path
    ) -> Mapping[str, Definition]:
        """The schema in an artifact, by kind and name, without fetching what it holds; empty where it has none.

        Args:
            protected: the database.
            store: where the artifact lies.
            artifact: the artifact.
            private_folder: an empty one, for files that must not be read by others.

        Raises:
            ArtifactDamaged, ArtifactMissing: it can't be read as its manifest says.
            ClientMissing: no program here can read it.
        """

    def live(
        self,
        protected: Protected,
        manifest: Manifest,
        *,
        private_folder: Path,
        limit_seconds: float,
        on_progress: OnProgress,
    ) -> LiveContents:
        """Reads the live database, part by part like an artifact of it; writes nothing and keeps nobody waiting.

        Args:
            protected: the database.
            manifest: the artifact's that it is compared with.
            private_folder: an empty one, for files that must not be read by others.
            limit_seconds: how long its parts may be read.
            on_progress: called after each part.

        Raises:
            UsageError: the engine can't read a live database like that.
        """

    def by_hand(self, manifest: Manifest) -> tuple[ByHand, ...]:
        """What is left to do after a plain restore of an artifact."""

    def facts(self, manifest: Manifest) -> Mapping[str, Fact]:
        """What the page of a night shows of its evidence, beyond what every night has."""

    def details(self, manifest: Manifest) -> Mapping[str, Any]:
        """The evidence in a few lines of JSON."""

    def in_json(self, manifest: Manifest) -> Mapping[str, Any]:
        """What commands print of an artifact with --json, beyond what every artifact has."""

    def notes(self, manifest: Manifest) -> Sequence[str]:
        """What `dump` prints below its verdict."""
