"""A third history, as somebody outside of the package would add it: base backups on a shelf, each of one position.

All that it takes is this file, and `registry.register("shelf", KIND)`. It holds only what somebody put there.
"""

import json
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from hackorda_ops.config.choice import HistorySection
from hackorda_ops.config.values import VariableName
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError, PointGone
from hackorda_ops.given import given
from hackorda_ops.histories.kind import HistoryKind
from hackorda_ops.history.alive import owner_lives
from hackorda_ops.history.base import HistoryMain, HistoryTraits, Reach, RecoveredSource
from hackorda_ops.history.labels import NIGHT, Label, source_id
from hackorda_ops.history.points import AtLsn, HistoryPoint
from hackorda_ops.local.postgres import PostgresServer, delete_server, running_postgres
from hackorda_ops.postgres.catalogs.same_database import require_elsewhere
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.processes import server_user

TRAITS = HistoryTraits(
    keeper="The shelf",
    kind="a shelf",
    copy="copy",
    lengthen="Put base backups on the shelf more often",
    correct="Correct history.shelf.folder_env",
    copies_act=False,
    every_night=False,
)
_STOPPING_SECONDS = 60


class ShelfSection(HistorySection):
    """Base backups in this folder."""

    folder_env: VariableName = "SHELF_FOLDER"

    def missing(self, at: str, environ: Mapping[str, str]) -> Iterator[str]:
        """See `KindSection.missing`."""
        if not given(environ, self.folder_env):
            yield f"{at}.folder_env: set {self.folder_env} to the folder with the base backups"


def put(source: PostgresServer, shelf: Path, lsn: str) -> None:
    """Puts a base backup on the shelf, which nothing was written to since a position."""
    data = shelf / lsn.replace("/", "-")
    program = source.bin_dir / "pg_basebackup"
    subprocess.run(
        [program, "--dbname", source.url(), "--pgdata", data, "--checkpoint", "fast"],
        check=True,
        capture_output=True,
    )


@dataclass(frozen=True)
class ShelfHistory:
    """See `History`. Its copies are servers of their own, each in a folder with its label."""

    name: str
    shelf: Path
    source: ConnectionTarget

    @property
    def traits(self) -> HistoryTraits:
        return TRAITS

    def reach(self) -> Reach:
        oldest = min(each.stat().st_mtime for each in self.shelf.iterdir())
        return Reach(round(time.time() - oldest) + 1, datetime.fromtimestamp(oldest, UTC), grows=True)

    def problems(self) -> tuple[str, ...]:
        return ()

    def main(self) -> HistoryMain | None:
        return HistoryMain(str(self.shelf), None)

    def not_main(self) -> str:
        return f"{self.source.describe()} is not what is on the shelf"

    @contextmanager
    def opened(
        self,
        *,
        purpose: str,
        run: str,
        point: HistoryPoint,
        expires_at: datetime | None,
        parent: RecoveredSource | None = None,
        on_left: Callable[[str, OpsError], None] | None = None,
    ) -> Iterator[RecoveredSource]:
        held = self.shelf / point.lsn.replace("/", "-") if isinstance(point, AtLsn) else None
        if held is None or not held.is_dir():
            raise PointGone(
                f"The shelf has nothing of {point}.",
                meaning="That moment can't be recovered.",
                next_step="Ask for a position that is on the shelf.",
            )
        folder = self._copies / f"copy-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        label = Label(self.name, source_id(self.source), run, purpose).annotation()
        (folder / "label.json").write_text(json.dumps(label))
        try:
            shutil.copytree(held, folder / "data")
            shutil.copy(self.shelf.parent / "superuser-password", folder)
            server_user.give_all(folder, server_user.server_user())
            with running_postgres(folder, settings={"fsync": "off"}) as server:
                there = {"host": "127.0.0.1", "port": str(server.port), "sslmode": "disable"}
                target = replace(self.source, parameters={**self.source.parameters, **there})
                require_elsewhere(self.source, target)
                yield RecoveredSource(str(folder), folder.name, target, point.lsn, None)
        finally:
            _delete(folder)

    def still_there(self, *, purpose: str, run: str) -> tuple[str, ...]:
        return tuple(each.name for each in self._ours(purpose=purpose, run=run))

    def delete_nights(self) -> Iterator[str]:
        for each in self._ours(purpose=NIGHT):
            _delete(each)
            yield each.name

    def left_behind(self, *, retry_budget_seconds: float) -> tuple[str, ...]:
        with (
            translated_errors(self.source, "Looking which runs live"),
            connect(
                self.source, application_name="shelf", retry_budget_seconds=retry_budget_seconds
            ) as connection,
        ):
            return tuple(each.name for each in self._ours() if not owner_lives(connection, _label(each)))

    def sweep(self) -> tuple[str, ...]:
        left = self.left_behind(retry_budget_seconds=60)
        for name in left:
            _delete(self._copies / name)
        return left

    @property
    def _copies(self) -> Path:
        return self.shelf.parent / "copies"

    def _ours(self, **wanted: str) -> list[Path]:
        of_source = {"database": self.name, "source": source_id(self.source)} | wanted
        found = sorted(self._copies.glob("copy-*"), key=lambda each: each.stat().st_ctime)
        return [each for each in found if of_source.items() <= _label(each).items()]


def _label(folder: Path) -> dict[str, str]:
    label: dict[str, str] = json.loads((folder / "label.json").read_text())
    return label


def _delete(folder: Path) -> None:
    # The server of a killed run is ended by its supervisor, a moment later.
    deadline = time.monotonic() + _STOPPING_SECONDS
    while (folder / "data" / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    delete_server(folder)


@contextmanager
def _opened(
    section: ShelfSection, protected: Protected, source: ConnectionTarget, budget_seconds: float | None
) -> Iterator[ShelfHistory]:
    yield ShelfHistory(protected.name, Path(given(protected.environ, section.folder_env)), source)


KIND = HistoryKind(ShelfSection, TRAITS, "postgres", _opened)
