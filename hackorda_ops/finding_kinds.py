"""Every kind of finding there is: how bad it is, and what it means. The one place that says so.

A kind is "fatal" where the backup, or its restore, is not what it must be: a drill, a
verification or a restore that saw one FAILs, and an artifact with one isn't sound. It is a "warning"
where somebody should know about it but the backup is unaffected: it changes no verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["fatal", "warning"]
# What a finding speaks of, and so what follows from it for the artifact:
#   copy         this copy's bytes are not those of its night; a copy elsewhere may be sound
#   rows         what a restore brings back isn't what the database held
#   definitions  every row comes back, but something else doesn't
#   time         it comes back, but too slowly
#   disagreement the provider's history, or production, contradicts the dump: one of them is wrong
#   production   production has moved further from the backup than its age explains
#   migrations   it comes back, but the team's migrations don't apply to it
#   identity     the identity here doesn't open the artifact; nobody can say more of it
#   source       the source itself: what it held, or that it breaks its own rules
Cause = Literal[
    "copy", "rows", "identity", "definitions", "time", "disagreement", "production", "migrations", "source"
]


@dataclass(frozen=True)
class FindingKind:
    """What all findings of one code have in common.

    Attributes:
        severity: "fatal" or "warning".
        about: what it speaks of.
        meaning: what it says about the backup, in a sentence or two.
    """

    severity: Severity
    about: Cause
    meaning: str


# A finding stored by another release: it can't be assumed to be harmless.
UNKNOWN: Final = FindingKind(
    "fatal", "rows", "This release of hackorda_ops doesn't know this kind of finding."
)

_NOT_THE_SAME: Final = "What a restore of this artifact brings back differs from what the database held."
_SINCE_LAST_NIGHT: Final = (
    "Something happened to the data since the previous artifact, which still has what may be lost."
)
_TWO_BACKUPS: Final = "The provider's history and the dump of one moment disagree, so one of them is wrong."

KINDS: Final[Mapping[str, FindingKind]] = {
    # Files of an artifact against its manifest.
    "artifact damaged": FindingKind(
        "fatal", "copy", "The artifact can't be read, or isn't what its manifest says it is."
    ),
    "file missing": FindingKind(
        "fatal", "copy", "Part of the artifact is missing, so it can't be fully restored."
    ),
    "file changed": FindingKind("fatal", "copy", "The artifact was damaged or altered after it was taken."),
    "table changed": FindingKind(
        "fatal",
        "copy",
        "The dump's file no longer holds the rows of its night: it was replaced, or its manifest was.",
    ),
    "large objects changed": FindingKind(
        "fatal",
        "copy",
        "The dump no longer holds the large objects of its night: they were replaced, or its manifest was.",
    ),
    "definition changed": FindingKind(
        "fatal",
        "copy",
        "The dump's table of contents no longer describes this object as it did on its night, when it was written in "
        "the source's own snapshot: it was altered or replaced, or its manifest was.",
    ),
    "sequence changed": FindingKind(
        "fatal",
        "copy",
        "The dump no longer has its value of that night: the dump was altered or replaced, or its manifest was.",
    ),
    "identity refused": FindingKind(
        "fatal",
        "identity",
        "The artifact is encrypted, and the identity here doesn't open it: an emergency restore with it would fail.",
    ),
    "keys missing": FindingKind("fatal", "copy", _NOT_THE_SAME),
    "keys differ": FindingKind("fatal", "copy", _NOT_THE_SAME),
    "keys added": FindingKind("fatal", "copy", _NOT_THE_SAME),
    "functions differ": FindingKind(
        "fatal", "copy", "The application calls functions that the copy hasn't, or others."
    ),
    "evidence missing": FindingKind(
        "fatal",
        "copy",
        "The dump holds something that its manifest has no evidence of: that evidence was removed.",
    ),
    "rows misplaced": FindingKind(
        "fatal", "copy", "The dump doesn't have a table's rows where its manifest recorded them."
    ),
    # The locks of a copy: no verdict on its bytes.
    "lock missing": FindingKind(
        "warning", "copy", "Whoever has the key of this bucket can delete this copy before its time."
    ),
    "lock not read": FindingKind(
        "warning", "copy", "The bucket took the lock with the file, but nobody has seen that it is there."
    ),
    # A restored database against the manifest and the archive.
    "restore failed": FindingKind("fatal", "rows", "The dump holds this, but the server rejects it."),
    "table missing": FindingKind("fatal", "rows", _NOT_THE_SAME),
    "rows differ": FindingKind(
        "fatal", "rows", "Rows were lost or duplicated on the way into the restored database."
    ),
    "content differs": FindingKind(
        "fatal", "rows", "Values differ from those in the backup, though no row is missing."
    ),
    "configuration rows added": FindingKind(
        "warning",
        "definitions",
        "CREATE EXTENSION added rows of its own to those of the backup, and the two can't be told apart.",
    ),
    "sequence differs": FindingKind(
        "fatal",
        "definitions",
        "The next key that the database hands out may already be taken, or leave a gap.",
    ),
    "extension missing": FindingKind(
        "fatal", "definitions", "Types and functions that the data needs are missing."
    ),
    "extension differs": FindingKind(
        "fatal", "definitions", "Whatever refers to the extension's objects by schema won't find them."
    ),
    "extension version differs": FindingKind(
        "warning",
        "definitions",
        "A dump names no extension versions, so this server installed its own. The rows were compared under it.",
    ),
    "large objects missing": FindingKind(
        "fatal", "rows", "The application's rows may refer to objects that are missing."
    ),
    "large objects added": FindingKind("fatal", "definitions", _NOT_THE_SAME),
    "large objects differ": FindingKind(
        "fatal", "rows", "The objects are there, but their bytes differ from the backup."
    ),
    "partitioned missing": FindingKind("fatal", "definitions", _NOT_THE_SAME),
    "materialized view missing": FindingKind("fatal", "definitions", _NOT_THE_SAME),
    "foreign table missing": FindingKind("fatal", "definitions", _NOT_THE_SAME),
    "materialized view differs": FindingKind("fatal", "definitions", _NOT_THE_SAME),
    "access method differs": FindingKind(
        "fatal",
        "definitions",
        "The rows came back, but are stored differently: the copy lacks what the source's access method provides.",
    ),
    "generated values differ": FindingKind(
        "fatal",
        "rows",
        "The column's values don't follow from the rows that are there: a change, or another function, made them.",
    ),
    "generated values not settled": FindingKind(
        "warning",
        "definitions",
        "The column's expression gives a different result each time, or did on the source, so no restore brings back "
        "the values that the source had.",
    ),
    "switched otherwise": FindingKind(
        "fatal",
        "definitions",
        "What must run when rows change doesn't, or runs when it mustn't: rows that break a rule may get in.",
    ),
    "refresh fails": FindingKind(
        "fatal", "definitions", "The view is there, but can no longer be refreshed."
    ),
    "refresh of an empty view fails": FindingKind(
        "warning",
        "definitions",
        "The view is empty in the backup, as on the source, so nothing is lost; it can't be refreshed here.",
    ),
    "schema object missing": FindingKind("fatal", "definitions", _NOT_THE_SAME),
    "object of an extension's table missing": FindingKind(
        "warning",
        "definitions",
        "A dump leaves whatever is on an extension's table to CREATE EXTENSION, so no backup can hold it.",
    ),
    "schema object added": FindingKind("fatal", "definitions", _NOT_THE_SAME),
    "schema differs": FindingKind(
        "fatal", "definitions", "The object is there, but is not the one that was backed up."
    ),
    # Owners, grants and settings, where a restore was asked to apply them.
    "access missing": FindingKind(
        "fatal",
        "definitions",
        "The rows came back; who owns them, or who may do what with them, differs from the source.",
    ),
    "access added": FindingKind("fatal", "definitions", "Somebody has more rights here than on the source."),
    "recovery too slow": FindingKind(
        "fatal", "time", "The backup can be restored, but not within the agreed time."
    ),
    # A branch at the artifact's WAL position against the manifest.
    "branch: table missing": FindingKind("fatal", "disagreement", _TWO_BACKUPS),
    "branch: rows differ": FindingKind("fatal", "disagreement", _TWO_BACKUPS),
    "branch: content differs": FindingKind("fatal", "disagreement", _TWO_BACKUPS),
    "branch: large objects missing": FindingKind("fatal", "disagreement", _TWO_BACKUPS),
    "branch: large objects added": FindingKind("fatal", "disagreement", _TWO_BACKUPS),
    "branch: large objects differ": FindingKind("fatal", "disagreement", _TWO_BACKUPS),
    # Key tables against production.
    "key table missing": FindingKind("fatal", "disagreement", "A table that matters is on one side only."),
    "key table empty": FindingKind(
        "fatal", "disagreement", "The backup lacks all rows of a table that matters."
    ),
    "key table empty in production": FindingKind(
        "fatal", "production", "Only the backup has the rows of a table that matters."
    ),
    "key table drifted": FindingKind(
        "fatal",
        "production",
        "The backup and production are further apart than the backup's age explains: one lost or duplicated rows.",
    ),
    "no recent row": FindingKind(
        "fatal", "disagreement", "The backup may be older than it says, or was taken from another place."
    ),
    # The team's migrations on the restored database.
    "migrations failed": FindingKind(
        "fatal", "migrations", "This backup can't be migrated to what the application needs now."
    ),
    "migration half applied": FindingKind(
        "fatal",
        "migrations",
        "The tool's own table says that a migration was only partly applied, whatever its exit code was.",
    ),
    "migrations pending": FindingKind(
        "fatal",
        "migrations",
        "The command reported success, but left the database behind what the application needs.",
    ),
    "migration undone": FindingKind(
        "fatal", "migrations", "The command reverted migrations that the backup already had."
    ),
    "migration rolled back": FindingKind(
        "warning",
        "migrations",
        "The tool's own table says that a migration was applied once and no longer is.",
    ),
    "migration lock held": FindingKind(
        "warning",
        "migrations",
        "The tool's own lock was left behind, so its next run waits for it, and then fails.",
    ),
    "migration skipped": FindingKind(
        "warning", "migrations", "The folder has a migration that the tool skips, and never applies."
    ),
    "rows lost in migration": FindingKind(
        "warning",
        "migrations",
        "The migration removed rows. That may be intended; it will do the same in production.",
    ),
    "table lost in migration": FindingKind(
        "warning",
        "migrations",
        "The migration removed a table. That may be intended; it will do the same in production.",
    ),
    # A night against the artifact before.
    "another source": FindingKind(
        "fatal",
        "source",
        "The artifact is of another database than the ones before it, and nobody has confirmed the change.",
    ),
    "keys collapsed": FindingKind("fatal", "source", _SINCE_LAST_NIGHT),
    "table vanished": FindingKind("fatal", "source", _SINCE_LAST_NIGHT),
    "table emptied": FindingKind("fatal", "source", _SINCE_LAST_NIGHT),
    "table collapsed": FindingKind("fatal", "source", _SINCE_LAST_NIGHT),
    "dump collapsed": FindingKind("fatal", "source", _SINCE_LAST_NIGHT),
    "sequence vanished": FindingKind("fatal", "source", _SINCE_LAST_NIGHT),
    "sequence went back": FindingKind(
        "fatal",
        "source",
        "The database may have been reset to an older state, or a table emptied and refilled.",
    ),
    "connection not encrypted": FindingKind(
        "warning",
        "source",
        "Whoever is on the network path to the source could read every row, and change what the night read. A change "
        "on one of two connections is found, and the same change on both isn't.",
    ),
    "extension vanished": FindingKind("fatal", "source", _SINCE_LAST_NIGHT),
    "large objects collapsed": FindingKind("fatal", "source", _SINCE_LAST_NIGHT),
}
