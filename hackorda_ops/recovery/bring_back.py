"""Restores an artifact into an empty database, and compares every row with its manifest.

An operator's `restore` and the quarterly drill run this same code.
"""

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hackorda_ops.artifacts.fetch import fetch_artifact
from hackorda_ops.artifacts.manifest import DUMP_FOLDER_NAME, Manifest
from hackorda_ops.artifacts.operations_log import logged
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.evidence.verify import judge
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.postgres.restoring import restore
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.progress import OnProgress
from hackorda_ops.recovery.comparing import compare
from hackorda_ops.recovery.give_access import NOT_GIVEN, give_access, roles_of
from hackorda_ops.recovery.not_restored import with_rest
from hackorda_ops.recovery.target import admitted
from hackorda_ops.stores.store import Store
from hackorda_ops.words import counted


@dataclass(frozen=True)
class BroughtBack:
    """A finished restore.

    Attributes:
        manifest: the artifact's.
        location: where it was fetched from.
        target: the database it is in now, without secrets.
        tables: how many tables were compared.
        rows: how many rows were compared.
        seconds: pg_restore's wall-clock time.
        findings: what differs from the manifest; none means PASS.
        warnings: what pg_restore or the server warned of.
    """

    manifest: Manifest
    location: str
    target: str
    tables: int
    rows: int
    seconds: float
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]

    @property
    def verdict(self) -> Literal["PASS", "FAIL"]:
        """Either "PASS" or "FAIL"."""
        return "FAIL" if fatal(self.findings) else "PASS"


def bring_back(
    protected: Protected,
    store: Store,
    manifest: Manifest,
    target: ConnectionTarget,
    *,
    source: ConnectionTarget | None,
    on_progress: OnProgress,
    jobs: int | None = None,
    with_access: bool = False,
    keep_going: bool = False,
) -> BroughtBack:
    """Fetches an artifact, checks it, restores it into an empty database and compares the result.

    Args:
        protected: the database; the artifact lies in its work folder meanwhile, and is gone from there afterwards.
        store: where the artifact lies.
        manifest: the artifact's.
        target: the empty database.
        source: the live database, where it's known: the target must not be it.
        on_progress: called at every stage, from more than one thread.
        jobs: pg_restore's --jobs, and how many processes compare; None for what is configured.
        with_access: also creates the missing roles, and applies owners, grants and settings; these
            are compared as well.
        keep_going: restores everything that the server accepts; each thing that it rejects is a finding.

    Raises:
        TargetRefused: the target is the source, isn't empty, or can't take this artifact.
        RightsMissing: the role can't create what is in the dump, or the roles; nothing was restored.
        ArtifactDamaged: the artifact isn't what its manifest says; nothing was restored.
        OpsError: any other error of its tree.
    """
    jobs, work_folder = jobs or protected.policy.dump.jobs, protected.policy.dump.work_folder
    with (
        logged("restore", (store,), manifest.database, subject=manifest.artifact_id) as line,
        ExitStack() as stack,
    ):
        # Check the target first: a wrong one should fail in seconds.
        roles = roles_of(store, manifest) if with_access else ()
        connection = stack.enter_context(
            admitted(target, manifest, source=source, application_name="hackorda_ops restore", roles=roles)
        )
        tools = protected.client_tools(connection.info.server_version // 10_000)
        work_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="restore-", dir=work_folder)))
        fetch_artifact(store, manifest, folder, on_progress=on_progress)
        damage = judge(folder, manifest, jobs=jobs, on_progress=on_progress)
        if damage:
            raise ArtifactDamaged(
                f"{store.describe()}/{manifest.prefix} is not what its manifest says: "
                + "; ".join(f"{finding.code} {finding.subject}" for finding in damage[:10])
                + ".",
                meaning="Nothing was restored: it would not have been the database of that night.",
                next_step="Restore another artifact (`hackorda-ops backups` lists them).",
            )
        done = restore.restore(
            target,
            clients=tools,
            folder=folder / DUMP_FOLDER_NAME,
            jobs=jobs,
            on_progress=on_progress,
            deadline_seconds=None,
            keep_going=keep_going,
        )
        compared = compare(
            connection,
            target,
            manifest,
            dump_folder=folder / DUMP_FOLDER_NAME,
            jobs=jobs,
            on_progress=on_progress,
        )
        # Done last: the restoring role may lose the right to read what now belongs to others.
        differing, notes = (
            give_access(connection, target, roles, folder) if with_access else ((), (NOT_GIVEN,))
        )
        brought = BroughtBack(
            manifest=manifest,
            location=f"{store.describe()}/{manifest.prefix}",
            target=target.describe(),
            tables=len(manifest.tables),
            rows=manifest.rows,
            seconds=done.seconds,
            findings=with_rest(done.not_restored, (*compared.findings, *differing)),
            warnings=(*done.warnings, *compared.notes, *notes),
        )
        line.outcome = brought.verdict
        line.detail = (
            f"From {brought.location} into {brought.target}: {counted(brought.rows, 'row')} compared."
        )
    return brought
