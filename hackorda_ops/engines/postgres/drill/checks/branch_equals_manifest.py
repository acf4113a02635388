"""The provider's own history holds what the artifact holds: on the branch at the artifact's WAL position."""

from typing import Final

from hackorda_ops.config.models import Policy
from hackorda_ops.drilling.declaration import BRANCH, DrillCheck, Drilling
from hackorda_ops.engines.postgres.drill.comparisons.branch import compare_branch
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME, of_postgres
from hackorda_ops.scratch.place import ComparableBranch

_WHAT_AGREES: Final = {
    "source": "the provider's history and the dump are two independent backups of one moment.",
    "branch": "the dump is what the provider's history holds of that moment, now as on its night.",
}


def _lacking(database: Policy) -> str:
    scratch = database.scratch.provider
    return (
        ""
        if database.keeps_history
        else f"the scratch is a {scratch} and not a Neon branch, and no history is kept"
    )


CHECK: Final = DrillCheck(
    name=BRANCH,
    title="The provider's own history agrees with the backup",
    description="The provider's own history at the artifact's WAL position holds the same rows.",
    lacking=_lacking,
)


def compare(drilling: Drilling, branch: ComparableBranch) -> None:
    """Compares a branch, which nobody has written to yet, with the manifest.

    Raises:
        OpsError: the branch can't be read.
    """
    record, manifest = drilling.record, of_postgres(drilling.manifest)
    with record.stage("compare the branch"):
        compared = compare_branch(
            branch,
            manifest,
            dump_folder=drilling.folder / DUMP_FOLDER_NAME,
            jobs=drilling.policy.dump.jobs,
            on_progress=drilling.on_progress,
        )
    if compared.reason:
        record.not_measured(CHECK.name, compared.reason)
        return
    record.branch = {str(name): digest for name, digest in compared.digests.items()}
    record.not_compared += compared.not_compared
    record.check(
        CHECK.name,
        compared.findings,
        passed=f"The branch at {branch.parent_lsn} and the artifact agree on {len(compared.digests)} tables, row "
        f"for row: {_WHAT_AGREES[manifest.dumped_from]}",
        failed=f"The branch at {branch.parent_lsn} is not what the manifest says",
    )
