"""Every kind of finding there is: how bad it is, and what it means. The one place that says so.

A kind is "fatal" where the backup, or bringing it back, is not what it has to be: a drill, a
verification or a restore that saw one FAILs, and an artifact with one isn't sound. It is a "warning"
where somebody should know of it, and the backup is none the worse: it changes no verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["fatal", "warning"]


@dataclass(frozen=True)
class FindingKind:
    """What all findings of one code have in common.

    Attributes:
        severity: "fatal" or "warning".
        meaning: what it says about the backup, in a sentence or two.
    """

    severity: Severity
    meaning: str


# A finding that was stored by another release: nothing makes it harmless.
UNKNOWN: Final = FindingKind("fatal", "This release of hackorda_ops doesn't know this kind of finding.")

_NOT_THE_SAME: Final = "What a restore of this artifact brings back is not what the database held."
_SINCE_LAST_NIGHT: Final = (
    "Something happened to the data since the artifact before, which still has what may be lost."
)
_TWO_BACKUPS: Final = "The provider's history and the dump of one moment disagree, so one of them is wrong."

KINDS: Final[Mapping[str, FindingKind]] = {
    # Files of an artifact against its manifest.
    "artifact damaged": FindingKind("fatal", "The artifact can't be read as what its manifest says it is."),
    "file missing": FindingKind(
        "fatal", "A part of the artifact is gone, so it can't be restored as a whole."
    ),
    "file changed": FindingKind("fatal", "The artifact was damaged or altered after it was taken."),
    "table changed": FindingKind(
        "fatal", "The dump's file holds other rows than on its night: it was replaced, or its manifest was."
    ),
    "large objects changed": FindingKind(
        "fatal",
        "The dump holds other large objects than on its night: they were replaced, or its manifest was.",
    ),
    "definition changed": FindingKind(
        "fatal",
        "The dump's table of contents says something else of this object than on its night, when it was written in "
        "the source's own snapshot: it was altered or replaced, or its manifest was.",
    ),
    "sequence changed": FindingKind(
        "fatal",
        "The dump has another value for it than on its night: it was altered or replaced, or its manifest was.",
    ),
    "evidence missing": FindingKind(
        "fatal", "The dump holds something that its manifest can't speak for: evidence was taken from it."
    ),
    "rows misplaced": FindingKind(
        "fatal", "The dump doesn't have a table's rows where the manifest has its evidence of them."
    ),
    # A restored database against the manifest and the archive.
    "restore failed": FindingKind("fatal", "The dump holds this, and the server does not take it."),
    "table missing": FindingKind("fatal", _NOT_THE_SAME),
    "rows differ": FindingKind("fatal", "Rows were lost or doubled on the way into the restored database."),
    "content differs": FindingKind(
        "fatal", "Values are other ones than in the backup, though no row is missing."
    ),
    "configuration rows added": FindingKind(
        "warning",
        "CREATE EXTENSION has put rows of its own beside those of the backup, which can't be told apart.",
    ),
    "sequence differs": FindingKind(
        "fatal", "The next key that the database hands out may be one that is taken already, or leave a gap."
    ),
    "extension missing": FindingKind("fatal", "Types and functions that the data needs are not there."),
    "extension differs": FindingKind(
        "fatal", "What names the extension's objects by their schema finds nothing there."
    ),
    "extension version differs": FindingKind(
        "warning",
        "A dump names no version of an extension, so this server installed its own. The rows were compared under it.",
    ),
    "large objects missing": FindingKind(
        "fatal", "Rows of the application may refer to objects that are not there."
    ),
    "large objects added": FindingKind("fatal", _NOT_THE_SAME),
    "large objects differ": FindingKind(
        "fatal", "Objects are there, and hold other bytes than in the backup."
    ),
    "partitioned missing": FindingKind("fatal", _NOT_THE_SAME),
    "materialized view missing": FindingKind("fatal", _NOT_THE_SAME),
    "foreign table missing": FindingKind("fatal", _NOT_THE_SAME),
    "materialized view differs": FindingKind("fatal", _NOT_THE_SAME),
    "access method differs": FindingKind(
        "fatal",
        "The rows are back, and stored in another way: what the source's way is good for, the copy lacks.",
    ),
    "generated values differ": FindingKind(
        "fatal",
        "The column's values are not computed from the rows that are there: a change, or another function, made them.",
    ),
    "generated values not settled": FindingKind(
        "warning",
        "The column's expression gives something else each time, or did so on the source, so no restore brings back "
        "the values that the source had.",
    ),
    "switched otherwise": FindingKind(
        "fatal",
        "What has to run at a change of rows doesn't, or runs where it mustn't: rows that break a rule may come in.",
    ),
    "refresh fails": FindingKind("fatal", "The view is there, and can't be filled with rows any more."),
    "refresh of an empty view fails": FindingKind(
        "warning",
        "The backup has the view without rows, as the source had it, so nothing is lost; it can't be filled here.",
    ),
    "schema object missing": FindingKind("fatal", _NOT_THE_SAME),
    "object of an extension's table missing": FindingKind(
        "warning",
        "Whatever is on a table of an extension is left to CREATE EXTENSION by pg_dump, so no backup can hold it.",
    ),
    "schema object added": FindingKind("fatal", _NOT_THE_SAME),
    "schema differs": FindingKind("fatal", "The object is there, and is not the one that was backed up."),
    # Owners, grants and settings, where a restore was asked to apply them.
    "access missing": FindingKind(
        "fatal", "The rows are back; who owns them, or who may do what with them, is not as on the source."
    ),
    "access added": FindingKind("fatal", "Somebody may do more here than on the source."),
    "recovery too slow": FindingKind("fatal", "The backup comes back, and later than was agreed upon."),
    # A branch at the artifact's WAL position against the manifest.
    "branch: table missing": FindingKind("fatal", _TWO_BACKUPS),
    "branch: rows differ": FindingKind("fatal", _TWO_BACKUPS),
    "branch: content differs": FindingKind("fatal", _TWO_BACKUPS),
    "branch: large objects missing": FindingKind("fatal", _TWO_BACKUPS),
    "branch: large objects added": FindingKind("fatal", _TWO_BACKUPS),
    "branch: large objects differ": FindingKind("fatal", _TWO_BACKUPS),
    # Key tables against production.
    "key table missing": FindingKind("fatal", "A table that matters is on one side only."),
    "key table empty": FindingKind("fatal", "The backup lacks all rows of a table that matters."),
    "key table empty in production": FindingKind(
        "fatal", "The rows of a table that matters are in the backup only."
    ),
    "key table drifted": FindingKind(
        "fatal",
        "The backup and production are further apart than the backup's age explains: one has lost or doubled rows.",
    ),
    "no recent row": FindingKind(
        "fatal", "The backup may be older than it says, or have been taken from another place."
    ),
    # The team's migrations on the restored database.
    "migrations failed": FindingKind(
        "fatal", "This backup can't be brought to what the application needs now."
    ),
    "migration half applied": FindingKind(
        "fatal",
        "The tool's own table says that a migration took effect in part, whatever its exit code said.",
    ),
    "migrations pending": FindingKind(
        "fatal",
        "The command said that all was well, and left the database behind what the application needs.",
    ),
    "migration undone": FindingKind(
        "fatal", "The command took the database back behind where the backup was."
    ),
    "migration skipped": FindingKind(
        "warning", "A migration lies in the folder that the tool passes over, and never applies."
    ),
    "rows lost in migration": FindingKind(
        "warning", "The migration removed rows. It may be meant to; in production it will do the same."
    ),
    "table lost in migration": FindingKind(
        "warning", "The migration removed a table. It may be meant to; in production it will do the same."
    ),
    # A night against the artifact before.
    "another source": FindingKind(
        "fatal",
        "The artifact is of another database than those before, and nobody has confirmed that it should be.",
    ),
    "table vanished": FindingKind("fatal", _SINCE_LAST_NIGHT),
    "table emptied": FindingKind("fatal", _SINCE_LAST_NIGHT),
    "table collapsed": FindingKind("fatal", _SINCE_LAST_NIGHT),
    "dump collapsed": FindingKind("fatal", _SINCE_LAST_NIGHT),
    "sequence vanished": FindingKind("fatal", _SINCE_LAST_NIGHT),
    "sequence went back": FindingKind(
        "fatal",
        "The database may have been put back to an older state, or a table been emptied and filled anew.",
    ),
    "extension vanished": FindingKind("fatal", _SINCE_LAST_NIGHT),
    "large objects collapsed": FindingKind("fatal", _SINCE_LAST_NIGHT),
}
