"""What a run of the team's migration command did."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MigrationResult:
    """The team's migration command on the restored database.

    Attributes:
        command: as configured.
        returncode: 0 is success.
        seconds: wall-clock time.
        before, after: migrations in force, as "drizzle: 5, newest 0004_x"; None where no tool's table was found.
        applied: how many it applied.
        output_tail: its last lines, redacted.
        pending_before, pending_after: migrations in the tool's folder that were not in force, by name;
            None where no folder of the tool's was found.
        half_applied: migrations that the tool's own table says were started but not finished.
        not_measured: why it isn't known of some migrations whether they are in force or pending, a clause for each.
        schema_changed: whether the schema is different afterwards, whatever the tool.
    """

    command: str
    returncode: int
    seconds: float
    before: str | None
    after: str | None
    applied: int | None
    output_tail: str
    pending_before: tuple[str, ...] | None = None
    pending_after: tuple[str, ...] | None = None
    half_applied: tuple[str, ...] = ()
    not_measured: tuple[str, ...] = ()
    schema_changed: bool | None = None
