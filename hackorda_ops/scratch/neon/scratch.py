"""A scratch on Neon: a branch of the project's main, with a new database on it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.errors import RightsMissing, TargetRefused
from hackorda_ops.evidence.manifest import PostgresManifest, of_postgres
from hackorda_ops.evidence.same_source import other_timeline
from hackorda_ops.histories.neon import leftovers
from hackorda_ops.history.alive import kept_alive
from hackorda_ops.history.labels import DRILL, Label, source_id
from hackorda_ops.history.points import AtHead, AtLsn
from hackorda_ops.neon import branches, own_branch
from hackorda_ops.neon.client import NeonClient
from hackorda_ops.neon.models import Project
from hackorda_ops.neon.own_branch import OwnBranch
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.catalogs.inventory import SourceIdentity
from hackorda_ops.postgres.restoring.target import create_like, end_sessions
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, with_database
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.scratch.place import ComparableBranch, Place
from hackorda_ops.words import duration

# Longer than any drill, and short enough that a branch nobody swept costs little.
_EXPIRES_AFTER: Final = timedelta(hours=24)


@dataclass(frozen=True)
class NeonScratch:
    """Branches of a Neon project.

    Attributes:
        name: the protected database's name in databases.yaml.
        client: of the project.
        source: the live database; drills show there that they live.
    """

    name: str
    client: NeonClient
    source: ConnectionTarget

    def left_behind(self, *, retry_budget_seconds: float) -> tuple[str, ...]:
        """See `Scratch.left_behind`.

        Raises:
            NeonRefused, NeonUnavailable: Neon refused, or didn't answer.
            OpsError: the source can't be reached, so it's unknown which runs are still alive.
        """
        return leftovers.names(self.client, self.name, self.source, retry_budget_seconds=retry_budget_seconds)

    def sweep(self) -> tuple[str, ...]:
        """See `leftovers.sweep`."""
        return leftovers.sweep(self.client, self.name, self.source)

    @contextmanager
    def opened(self, manifest: Manifest, drill_id: str) -> Iterator[Place]:
        """See `Scratch.opened`."""
        artifact = of_postgres(manifest)
        require_room(self.client.project(), artifact.inventory.size_bytes)
        reason = not_in_history(artifact, self.client.project(), now=datetime.now(UTC)) or other_timeline(
            artifact.inventory.source, _identity(self.source, "Looking at the source")
        )
        with (
            kept_alive(self.source, drill_id),
            own_branch.opened(
                self.client,
                self.source,
                label=Label(self.name, source_id(self.source), drill_id, DRILL),
                point=AtHead() if reason else AtLsn(artifact.lsn),
                expires_at=datetime.now(UTC) + _EXPIRES_AFTER,
                or_at_head=not reason,
                any_database=True,
            ) as own,
        ):
            if own.refusal:
                reason = f"Neon made no branch at the artifact's position {artifact.lsn}: {own.refusal}"
            yield self._place(own, reason, artifact, drill_id)

    def _place(self, own: OwnBranch, reason: str, manifest: PostgresManifest, drill_id: str) -> Place:
        branch, target = own.branch, own.target
        made: list[ConnectionTarget] = []

        def new_database(purpose: str) -> ConnectionTarget:
            # On our own branch the name only has to differ from what came with the clone.
            database = f"hackorda_ops_{purpose}_{drill_id[-6:]}"
            made.append(with_database(target, database))
            try:
                create_like(target, database, manifest.inventory.source)
            except RightsMissing:
                # Neon itself may create databases where the role may not.
                branches.create_database(self.client, branch, name=database, owner=own.owner)
                _require_like(with_database(target, database), manifest.inventory.source)
            return with_database(target, database)

        at = f"at {branch.parent_lsn}" if not reason else "at head"
        return Place(
            description=f"Neon branch {branch.name} ({branch.branch_id}) {at}, a new database on it",
            new_database=new_database,
            branch=ComparableBranch(
                target=target,
                parent_lsn=branch.parent_lsn if not reason else None,
                reason=reason or self._not_the_source(own, manifest.inventory.source.database),
            ),
            warnings=(*_acting_outside(manifest), *own.warnings),
            interrupt=lambda: _end_sessions(made),
        )

    def _not_the_source(self, own: OwnBranch, database: str) -> str:
        if own.target.database != database:
            return f"the branch has no database {database}"
        parent_id = own.branch.parent_id
        if parent_id is None or not branches.is_compute_of(self.client, parent_id, self.source.host):
            return own_branch.not_main(self.source)
        return ""


def _end_sessions(made: Sequence[ConnectionTarget]) -> None:
    for each in tuple(made):
        end_sessions(each)


def not_in_history(manifest: Manifest, project: Project, *, now: datetime) -> str:
    """Why a project can't have a branch at an artifact's position; "" where it should. Pure.

    Args:
        manifest: the artifact's manifest.
        project: the project, as Neon describes it.
        now: the present, aware.
    """
    window = timedelta(seconds=project.history_retention_seconds)
    if now - manifest.captured_at >= window:
        kept = duration(window.total_seconds())
        return f"the artifact of {manifest.captured_at:%Y-%m-%d %H:%M} UTC is older than Neon's history of {kept}"
    return ""


def require_room(project: Project, size_bytes: int) -> None:
    """Refuses a drill whose clone and restored copy together exceed a branch's limit. Pure.

    Raises:
        TargetRefused: they do.
    """
    limit_bytes = project.branch_logical_size_limit_bytes
    if limit_bytes and 2 * size_bytes > limit_bytes:
        raise TargetRefused(
            f"A drill needs about {2 * size_bytes:,} bytes on a branch (the clone and the restored copy), and the "
            f"project's branches may have {limit_bytes:,}.",
            meaning="The restore would stop halfway. Nothing was created.",
            next_step="Raise the limit in the Neon console, or drill on a scratch server (scratch.server).",
        )


def _require_like(target: ConnectionTarget, wanted: SourceIdentity) -> None:
    made = _identity(target, "Looking at the new database")
    if _locale(made) != _locale(wanted):
        raise TargetRefused(
            f"Neon created a database with {_locale(made)}, but the source has {_locale(wanted)}.",
            meaning="Text would sort and compare differently in the copy, so a comparison would prove nothing.",
            next_step="Give the role that owns the database the right to create databases (ALTER ROLE … CREATEDB): "
            "then the drill makes one like the source itself.",
        )


def _identity(target: ConnectionTarget, doing: str) -> SourceIdentity:
    with (
        translated_errors(target, doing),
        connect(target, application_name="hackorda_ops drill", settings=SHORT_SETTINGS) as connection,
    ):
        return source_catalog.read_source(connection)


def _locale(identity: SourceIdentity) -> tuple[str | None, ...]:
    return (
        identity.encoding,
        identity.locale_provider,
        identity.collation,
        identity.character_type,
        identity.locale,
    )


def _acting_outside(manifest: PostgresManifest) -> Iterator[str]:
    if any(extension.name == "pg_cron" for extension in manifest.inventory.extensions):
        yield "The branch includes the source's pg_cron jobs: they might run there during the drill."
    if manifest.inventory.subscriptions:
        yield "The branch includes the source's subscriptions: they might connect to their publishers meanwhile."
