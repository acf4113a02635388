"""An engine that the package doesn't know: a database is one SQLite file, and so is its artifact."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from hackorda_ops.artifacts.damage import FileSeen, all_hashed, file_findings
from hackorda_ops.artifacts.damage import hashed as hashed_file
from hackorda_ops.artifacts.elsewhere import night_before
from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.artifacts.manifest import FileEntry, Manifest, Part
from hackorda_ops.artifacts.recorded import recorded
from hackorda_ops.calendar import partitions
from hackorda_ops.concerns import Looked
from hackorda_ops.config.choice import ScratchSection
from hackorda_ops.drilling import within_recovery_time_objective
from hackorda_ops.drilling.declaration import RESTORED, DrillCheck, Drilling
from hackorda_ops.drilling.result import ByHand
from hackorda_ops.engines.engine import FILES_READ_BACK, NO_COLLAPSE, ROWS_EQUAL_SNAPSHOT, Fact, NightView
from hackorda_ops.engines.orders import NightOrder, Restored, RestoreOrder, Taken
from hackorda_ops.environment import Protected
from hackorda_ops.errors import TargetRefused
from hackorda_ops.findings import Finding
from hackorda_ops.progress import OnProgress
from hackorda_ops.scratch.place import Place
from hackorda_ops.scratch.provider import Provider
from hackorda_ops.stores.staging import staged_folder

FILE = "dump/data.sqlite"


@dataclass(frozen=True)
class SqliteFile:
    path: Path

    def describe(self) -> str:
        return f"the SQLite file {self.path}"


@dataclass(frozen=True)
class Counted:
    name: str
    rows: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class SqliteManifest(Manifest):
    counted: tuple[Counted, ...]
    engine: str = "sqlite"

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(Part(each.name, each.rows, each.digest, each.rows) for each in self.counted)

    @property
    def contents(self) -> str:
        return f"{self.rows:,} rows in {len(self.counted)} tables"

    @property
    def server_version(self) -> str:
        return sqlite3.sqlite_version

    @property
    def source_bytes(self) -> int:
        return self.size_bytes

    def contradictions(self) -> Iterator[str]:
        if [each.path for each in self.files] != [FILE]:
            yield "it lists another file than the database"


def read(path: Path) -> tuple[Counted, ...]:
    with closing(sqlite3.connect(path)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = []
        for name in sorted(names):
            rows = sorted(map(repr, database.execute(f'SELECT * FROM "{name}"')))
            found.append(Counted(name, len(rows), sha256("\n".join(rows).encode()).hexdigest()[:32]))
    return tuple(found)


def differing(manifest: Manifest, there: tuple[Counted, ...]) -> tuple[Finding, ...]:
    assert isinstance(manifest, SqliteManifest)
    return tuple(
        Finding("content differs", each.name, str(each.rows), "something else", "Use another artifact.")
        for each in manifest.counted
        if each not in there
    )


def copied(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)


class Engine:
    name = "SQLite"
    kind = "sqlite"
    night_asset = "sqlite_copy"
    night_description = "A copy of {name}."
    night_checks: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (FILES_READ_BACK, ROWS_EQUAL_SNAPSHOT, NO_COLLAPSE), "It is."
    )
    manifest: type[Manifest] = SqliteManifest
    checks: Sequence[DrillCheck] = (
        DrillCheck(
            name=RESTORED,
            title="The restored database is what the manifest says",
            description="Every table is.",
            essential=True,
            each_night=True,
        ),
    )

    def source(self, protected: Protected, *, private_folder: Path) -> SqliteFile:
        return SqliteFile(Path(protected.environ[protected.policy.source.url_env]))

    def target(self, url: str, *, origin: str) -> SqliteFile:
        return SqliteFile(Path(url))

    def without_password_in_url(self, url: str, environ: Mapping[str, str]) -> SqliteFile:
        return SqliteFile(Path(url))

    def observed(self, protected: Protected) -> Mapping[str, Fact]:
        return {}

    def observed_by(self, manifest: Manifest) -> Mapping[str, Fact]:
        return {}

    def look(self, protected: Protected, *, private_folder: Path) -> NightView:
        source = self.source(protected, private_folder=private_folder)
        return NightView((Looked("source", source.describe()),), source, source.path.stat().st_size)

    def look_at_scratch(
        self, protected: Protected, view: NightView, newest: Manifest | None
    ) -> Iterator[Looked]:
        yield Looked("scratch", "a folder")

    def other_source(self, before: Manifest, view: NightView) -> Finding | None:
        return None

    @contextmanager
    def night(self, order: NightOrder) -> Iterator[Taken]:
        protected, now = order.protected, datetime.now(UTC)
        before, _ = night_before(protected, before=None)
        artifact_id = new_id(now)
        with staged_folder(protected.store.staging_root, protected.name, artifact_id) as staged:
            (staged / FILE).parent.mkdir()
            copied(self.source(protected, private_folder=order.private_folder).path, staged / FILE)
            file = hashed_file(staged, FILE)
            assert file is not None
            counted = read(staged / FILE)
            lost = [
                Finding("table collapsed", part.name, f"{part.rows} rows", "fewer", "Look into it.")
                for part in (before.parts if before else ())
                if part.rows > 2 * next((each.rows for each in counted if each.name == part.name), 0)
            ]
            manifest = SqliteManifest(
                artifact_id=artifact_id,
                database=protected.name,
                night=order.night or partitions.night_of(now, protected.policy.schedule),
                captured_at=now,
                late=False,
                reason=order.reason,
                files=(FileEntry(FILE, file.size_bytes, file.sha256),),
                findings=tuple(lost),
                warnings=(),
                timings_seconds={},
                counted=counted,
            )
            yield Taken(
                replace(manifest, evidence=recorded(manifest)), staged, before.artifact_id if before else None
            )

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
        changed = tuple(file_findings(manifest, all_hashed(folder, manifest)))
        return changed or differing(manifest, read(folder / FILE))

    @contextmanager
    def admitted(self, order: RestoreOrder) -> Iterator[Callable[[Path], Restored]]:
        if order.source == order.target:
            raise TargetRefused(
                "It is the source itself.", meaning="Nothing was done.", next_step="Name another."
            )
        if order.target.path.exists():
            raise TargetRefused("It is not empty.", meaning="Nothing was done.", next_step="Name another.")

        def restored(folder: Path) -> Restored:
            begun = time.monotonic()
            copied(folder / FILE, order.target.path)
            return Restored(time.monotonic() - begun, differing(order.manifest, read(order.target.path)), ())

        yield restored

    def local_scratch(self, protected: Protected) -> "Shelf":
        return Shelf(protected.policy.dump.work_folder)

    def look_at_proof(
        self, protected: Protected, view: NightView, newest: Manifest | None
    ) -> Iterator[Looked]:
        yield Looked("proof", "a folder")

    def drill(self, drilling: Drilling, place: Place, checks: Sequence[DrillCheck]) -> None:
        record = drilling.record
        with record.stage("restore", in_recovery=True):
            target = place.new_database("restore")
            copied(drilling.folder / FILE, target.path)
        record.recovered = True
        within_recovery_time_objective.hold_against_objective(drilling, checks)
        found = read(target.path)
        record.restored = {each.name: each for each in found}
        record.check(RESTORED, differing(drilling.manifest, found), passed="It is equal.", failed="It is not")

    def by_hand(self, manifest: Manifest) -> tuple[ByHand, ...]:
        return ()

    def facts(self, manifest: Manifest) -> Mapping[str, Fact]:
        return {}

    def details(self, manifest: Manifest) -> Mapping[str, Any]:
        return {}

    def in_json(self, manifest: Manifest) -> Mapping[str, Any]:
        return {}

    def notes(self, manifest: Manifest) -> Sequence[str]:
        return ()


class SqliteSection(ScratchSection):
    engine = "sqlite"


class Shelf:
    """A folder of the work folder for each drill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def left_behind(self, *, retry_budget_seconds: float) -> tuple[str, ...]:
        return ()

    def sweep(self) -> tuple[str, ...]:
        return ()

    @contextmanager
    def opened(self, manifest: Manifest, drill_id: str) -> Iterator[Place]:
        yield Place("a folder", lambda purpose: SqliteFile(self.folder / f"{purpose}-{drill_id}"), None)


@contextmanager
def _opened(
    section: SqliteSection, protected: Protected, source: Any, budget_seconds: float | None
) -> Iterator[Shelf]:
    yield Shelf(protected.policy.dump.work_folder)


def _look(section: SqliteSection, protected: Protected, wanted: Any) -> Iterator[Looked]:
    yield Looked("scratch", "a folder")


SCRATCH = Provider(SqliteSection, "drill", _opened, _look)
