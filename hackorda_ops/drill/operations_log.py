"""The operations log: one line per drill, in a file beside the artifacts that people can read.

It's made anew from the reports each time, so that losing it loses nothing.
"""

from collections.abc import Iterator
from io import BytesIO

from hackorda_ops.backup.calendar import quarter_name
from hackorda_ops.backup.manifest import digest_of
from hackorda_ops.backup.store import Store
from hackorda_ops.drill.history import DRILLS_FOLDER, History, read_history
from hackorda_ops.drill.report_markdown import escaped, table
from hackorda_ops.drill.report_words import NOTHING, duration, moment
from hackorda_ops.drill.result import DrillResult

LOG_NAME = "operations-log.md"


def write_log(store: Store, database: str) -> str:
    """Writes the log of a database's drills from the reports in the store.

    Returns:
        Where it is, as people would name it.

    Raises:
        StoreRefused, StoreUnreachable, DiskFull: what the store says.
    """
    data = log_text(database, read_history(store, database)).encode()
    key = f"{database}/{LOG_NAME}"
    store.put(key, BytesIO(data), size_bytes=len(data), sha256=digest_of(data))
    return f"{store.describe()}/{key}"


def log_text(database: str, history: History) -> str:
    """The log as Markdown: the drills oldest first, with those whose report can't be read."""
    lines = table(
        (
            "Drill begun",
            "Quarter",
            "Verdict",
            "Backup taken",
            "Artifact",
            "Rows of key tables",
            "Recovery time#",
            "Drill",
        ),
        [line for _, line in sorted(_lines(history), key=lambda entry: entry[0])],
    )
    return (
        f"# Restore drills of {escaped(database)}\n\n"
        f"Made from the reports in {DRILLS_FOLDER}/ after each drill; what is written in here by hand gets lost.\n\n"
        f"{lines}\n"
    )


def _lines(history: History) -> Iterator[tuple[str, tuple[str, ...]]]:
    # A drill's id begins with the time it began, so it sorts the unread ones in as well.
    for drill in history.drills:
        yield drill.drill_id, _line(drill)
    for unread in history.unread:
        yield (
            unread.drill_id,
            ("unknown", NOTHING, "unreadable", NOTHING, NOTHING, unread.why, NOTHING, unread.drill_id),
        )


def _line(drill: DrillResult) -> tuple[str, ...]:
    artifact = drill.artifact
    if drill.key_tables:
        rows = ", ".join(f"{each.table} {each.restored_rows:,}" for each in drill.key_tables)
    else:
        rows = f"{artifact.rows:,} in all tables of the backup" if artifact else NOTHING
    return (
        moment(drill.started_at),
        quarter_name(drill.quarter),
        drill.verdict,
        moment(artifact.captured_at) if artifact else NOTHING,
        artifact.artifact_id if artifact else "none found",
        rows,
        "not measured" if drill.recovery_seconds is None else duration(drill.recovery_seconds),
        drill.drill_id,
    )
