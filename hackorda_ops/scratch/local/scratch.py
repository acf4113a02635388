"""A scratch on this machine: databases on a server of our own, restored by a role that may do nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from psycopg import sql

from hackorda_ops import own_folders
from hackorda_ops.artifacts import room
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.environment import Protected
from hackorda_ops.errors import DiskFull
from hackorda_ops.evidence.manifest import PostgresManifest, of_postgres
from hackorda_ops.postgres.restoring.target import create_like
from hackorda_ops.postgres.servers import programs
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.scratch.extensions import Refusing
from hackorda_ops.scratch.local import server
from hackorda_ops.scratch.local.server import LocalServer
from hackorda_ops.scratch.place import Place
from hackorda_ops.scratch.restorer import WHOSE_CODE, hand_over, make_role
from hackorda_ops.words import size

RESTORER: Final = "hackorda_ops_restorer"
_FOLDER: Final = "local-servers"
_APPLICATION_NAME: Final = "hackorda_ops scratch"
# Those of a restore and its comparison, beside one for each job.
_BESIDE_THE_JOBS: Final = 12
# An empty cluster, and the write-ahead log that a restore leaves unfinished.
OF_ITS_OWN_BYTES: Final = 300_000_000


@dataclass(frozen=True)
class LocalScratch:
    """Servers of our own on this machine.

    The dump holds the source's code: its functions run as whoever restores. So that is a role without any right
    beyond its database; only what the server's own package ships is created by the superuser.

    Attributes:
        name: the protected database's name in databases.yaml.
        root: where their folders are.
        jobs: how many processes restore and compare.
        folders: configured folders of Postgres programs.
        environ: of this process, for PATH.
    """

    name: str
    root: Path
    jobs: int
    folders: Sequence[Path]
    environ: Mapping[str, str] = field(repr=False)

    def left_behind(self, *, retry_budget_seconds: float = 0) -> tuple[str, ...]:  # noqa: ARG002  # nobody is asked
        """See `Scratch.left_behind`. A file lock, which ends with its process, shows whose server is in use."""
        return tuple(map(_named, own_folders.abandoned(self.root / self.name)))

    def sweep(self) -> tuple[str, ...]:
        """See `Scratch.sweep`."""
        return tuple(map(_named, own_folders.remove_abandoned(self.root / self.name, remove=server.delete)))

    @contextmanager
    def opened(self, manifest: Manifest, drill_id: str) -> Iterator[Place]:
        """See `Scratch.opened`.

        Raises:
            ClientMissing: there's no server of that major version on this machine.
            TargetRefused: it can't hold what the source holds.
            DiskFull: there isn't enough room.
        """
        artifact = of_postgres(manifest)
        major = artifact.inventory.source.server_version_number // 10_000
        folder_of_programs = programs.find(major, folders=self.folders, environ=self.environ)
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with own_folders.own_folder(self.root / self.name, drill_id, remove=server.delete) as folder:
            _require_room(server.disk_of(folder), artifact)
            with server.running(
                folder, folder_of_programs, connections=self.jobs + _BESIDE_THE_JOBS
            ) as running:
                yield self._place(running, artifact, major)

    def _place(self, running: LocalServer, artifact: PostgresManifest, major: int) -> Place:
        inventory = artifact.inventory
        refusing = Refusing(
            f"The Postgres {major} on this machine",
            f"Install their packages for Postgres {major} here (on Debian postgresql-{major}-NAME)",
            "Or set proof.where to scratch, with a server that can have them.",
        )
        restorer = make_role(running.admin, RESTORER, label="of this server's one restore")
        with (
            translated_errors(running.admin, "Making the roles that policies name"),
            connect(running.admin, application_name=_APPLICATION_NAME) as connection,
        ):
            for role in inventory.left_out.required_roles:
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))

        def new_database(purpose: str) -> ConnectionTarget:
            create_like(running.admin, purpose, inventory.source)
            return hand_over(running.admin, restorer, purpose, inventory.extensions, refusing)

        return Place(
            description=f"a server of Postgres {major} of our own on this machine, a new database",
            new_database=new_database,
            branch=None,
            administrator=running.admin,
            more_rights=f"{WHOSE_CODE}If it is meant, set proof.where to scratch, with a server whose "
            "administrator may restore (scratch.server.restore_as_admin).",
            interrupt=running.end,
        )


def scratch_of(protected: Protected) -> LocalScratch:
    """The servers that can be started on this machine for a database."""
    policy = protected.policy
    return LocalScratch(
        protected.name,
        policy.dump.work_folder / _FOLDER,
        policy.dump.jobs,
        policy.source.client_folders,
        protected.environ,
    )


def needed_bytes(artifact: Manifest) -> int:
    """How much room the restored database takes. Pure."""
    return artifact.source_bytes + OF_ITS_OWN_BYTES


def _named(folder: Path) -> str:
    return f"the local server {folder.name}"


def _require_room(folder: Path, artifact: PostgresManifest) -> None:
    free, needed = room.free_bytes(folder), needed_bytes(artifact)
    if free < needed:
        raise DiskFull(
            f"{folder} has {size(free)} free, and the restored database needs about {size(needed)}.",
            meaning="Nothing was restored, so nothing is known against the backup.",
            next_step="Free some room on that disk, put dump.work_folder on a larger one, or set proof.where to "
            "scratch.",
        )
