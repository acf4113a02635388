"""A third provider, as somebody outside of the package would add it: for each drill a server of its own, thrown away.

All that it takes is this file, and `registry.register("throwaway", PROVIDER)`.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.concerns import Looked
from hackorda_ops.config.choice import ScratchSection
from hackorda_ops.config.values import VariableName
from hackorda_ops.environment import Protected
from hackorda_ops.given import given
from hackorda_ops.history.alive import kept_alive, lives
from hackorda_ops.local.postgres import delete_server, running_postgres
from hackorda_ops.postgres.catalogs.same_database import require_elsewhere
from hackorda_ops.postgres.restoring.target import create_like
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse, with_database
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.scratch.place import Place
from hackorda_ops.scratch.preflight import Wanted
from hackorda_ops.scratch.provider import Provider

_STOPPING_SECONDS = 60


class ThrowawaySection(ScratchSection):
    """A drill restores on a server of its own in this folder."""

    folder_env: VariableName = "THROWAWAY_FOLDER"

    def missing(self, at: str, environ: Mapping[str, str]) -> Iterator[str]:
        """See `ScratchSection.missing`."""
        if not given(environ, self.folder_env):
            yield f"{at}.folder_env: set {self.folder_env} to the folder that servers are made in"


@dataclass(frozen=True)
class ThrowawayScratch:
    """A folder with a folder for each drill, which is named after the database and the drill."""

    name: str
    folder: Path
    source: ConnectionTarget

    def left_behind(self, *, retry_budget_seconds: float) -> tuple[str, ...]:
        """See `Scratch.left_behind`."""
        with (
            translated_errors(self.source, "Looking which drills live"),
            connect(
                self.source, application_name="throwaway", retry_budget_seconds=retry_budget_seconds
            ) as connection,
        ):
            there = sorted(self.folder.glob(f"{self.name} *"))
            return tuple(each.name for each in there if not lives(connection, each.name.split(" ")[-1]))

    def sweep(self) -> tuple[str, ...]:
        """See `Scratch.sweep`."""
        left = self.left_behind(retry_budget_seconds=60)
        for name in left:
            _delete(self.folder / name)
        return left

    @contextmanager
    def opened(self, manifest: Manifest, drill_id: str) -> Iterator[Place]:
        """See `Scratch.opened`."""
        folder = self.folder / f"{self.name} {drill_id}"
        with kept_alive(self.source, drill_id):
            try:
                with running_postgres(folder, settings={"fsync": "off"}) as server:
                    admin = parse(server.url(), origin="the throwaway server")
                    require_elsewhere(self.source, admin)

                    def new_database(purpose: str) -> ConnectionTarget:
                        create_like(admin, purpose, manifest.inventory.source)
                        return with_database(admin, purpose)

                    yield Place(f"a throwaway server in {folder}", new_database, branch=None)
            finally:
                _delete(folder)


def _delete(folder: Path) -> None:
    # The server of a killed drill is ended by its supervisor, a moment later.
    deadline = time.monotonic() + _STOPPING_SECONDS
    while (folder / "data" / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    delete_server(folder)


def _folder(section: ThrowawaySection, protected: Protected) -> Path:
    return Path(given(protected.environ, section.folder_env))


@contextmanager
def _opened(
    section: ThrowawaySection, protected: Protected, source: ConnectionTarget, budget_seconds: float | None
) -> Iterator[ThrowawayScratch]:
    yield ThrowawayScratch(protected.name, _folder(section, protected), source)


def _look(section: ThrowawaySection, protected: Protected, wanted: Wanted) -> Iterator[Looked]:
    yield Looked("scratch", f"throwaway servers in {_folder(section, protected)}")


PROVIDER = Provider(ThrowawaySection, "drill", _opened, _look)
