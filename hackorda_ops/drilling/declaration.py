"""What a check of a drill says of itself, and what it is given to work with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config.models import Policy
from hackorda_ops.drilling.record import Record
from hackorda_ops.environment import Protected
from hackorda_ops.progress import OnProgress
from hackorda_ops.proof.check import Declaration
from hackorda_ops.sealing.opening import OpenArtifact

SELF_TEST: Final = "comparison_self_test"
"""The check that the comparison itself sees what it must, whatever the engine."""
FILES: Final = "offsite_equals_manifest"
"""The check that the files off-site are what the manifest says, whatever the engine."""
PROOF_FILES: Final = "files_equal_manifest"
"""The same of the copy that a night's proof restores, wherever it lies."""
RESTORED: Final = "restored_equals_manifest"
"""The check that the restored copy is what the manifest says, whatever the engine."""
BRANCH: Final = "branch_equals_manifest"
KEY_TABLES: Final = "key_tables_near_production"
MIGRATIONS: Final = "migrations_apply"
"""Checks that a report has a part for; an engine may have them or not."""


@dataclass(frozen=True)
class Drilling:
    """A drill that has chosen its artifact, as every step and check finds it.

    Attributes:
        record: where they record what they see.
        protected: the database.
        manifest: the artifact's.
        folder: where the artifact was fetched to; what is dumped for comparison goes next to it.
        source: the live database, read only, as its engine reaches it.
        on_progress: called at every stage.
        past: the database's artifacts in the store and off-site, this one among them, for the growth of
            its tables.
        seed: decides what the comparison's test alters; None for a new one.
        opened: the artifact as it is stored, with its key; None where it isn't encrypted.
    """

    record: Record
    protected: Protected
    manifest: Manifest
    folder: Path
    source: Any
    on_progress: OnProgress
    past: Sequence[Manifest] = ()
    seed: int | None = None
    opened: OpenArtifact | None = None

    @property
    def artifact(self) -> OpenArtifact:
        """The artifact, as it is fetched."""
        return self.opened or OpenArtifact(self.manifest, self.manifest)

    @property
    def policy(self) -> Policy:
        """The database's configuration."""
        return self.protected.policy


def _nothing(_: Policy) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class DrillCheck(Declaration):
    """One thing that a drill proves, as the report, Dagster and the verdict need to know it.

    Attributes:
        lacking: what the check needs and a database's configuration doesn't give it, in words; "" where the
            check can be made.
        run: makes it on the restored copy, as the engine hands it over, and writes down what it saw
            (`Record.check`, `not_measured`); an error that it raises ends the drill. None for what another check makes
            as well, or the drill on its way: fetching, restoring, taking down.
        changes_copy: whether the copy isn't as it was restored afterwards: such checks run after all others.
        each_night: whether the proof of a night makes it as well: it needs the artifact and its restored copy alone.
    """

    lacking: Callable[[Policy], str] = _nothing
    run: Callable[[Any], None] | None = None
    changes_copy: bool = False
    each_night: bool = False
