"""What a backup is held against: tables that matter, migrations, tolerances, objectives."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from hackorda_ops.config.source import ConnectionVariables
from hackorda_ops.config.values import Section, VariableName


class KeyTable(Section):
    """A table that a drill also compares with production.

    Attributes:
        table: its name, with the schema where that is not public.
        timestamp: the column with a row's creation time; `null` if there is none.
    """

    in_short = ({"type": "string", "description": "the table's name alone.", "examples": ["users"]},)

    table: Annotated[str, Field(examples=["issues", "billing.invoices"])]
    timestamp: str | None = "created_at"

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"table": value} if isinstance(value, str) else value


class Migrate(Section):
    """The team's own migration command, run on a restored database.

    Attributes:
        command: shell words ("npm run migrate").
        working_directory: where it runs.
        url_env: the variable by which it expects the connection string.
        variables: those by which it expects the parts of the connection; the source's own, where those are named.
        pass_env: further variables it needs; it gets nothing else of the environment.
        timeout_minutes: after which it's stopped and the drill can't reach a verdict.
        table: where the tool keeps its state, "name" or "schema.name", if that isn't the tool's own default.
        folder: with the migrations, from `working_directory`; by default, whatever is found there and below.
        also_on_branch: whether it also runs on the drill's branch itself, the clone of the live database.
    """

    command: str = "npm run migrate"
    working_directory: Path = Path()
    url_env: VariableName = "DATABASE_URL"
    variables: ConnectionVariables | None = None
    pass_env: Annotated[tuple[VariableName, ...], Field(examples=[["NODE_OPTIONS"]])] = ()
    timeout_minutes: Annotated[int, Field(ge=1)] = 15
    table: Annotated[str | None, Field(examples=["drizzle.__drizzle_migrations"])] = None
    folder: Annotated[Path | None, Field(examples=["db/migrations"])] = None
    also_on_branch: bool = False


class Tolerances(Section):
    """What is suspicious.

    Attributes:
        collapse_percent: a table (of `collapse_minimum_rows` or more), the large objects (likewise) or a
            dump that lost more than this share since the night before is a finding.
        collapse_minimum_rows: smaller tables may shrink without a finding, but not vanish.
        volatile: tables and sequences (schema.name, "*" for any characters) that may shrink, be emptied or
            vanish from one night to the next by design. Partitions need no mention: the whole table counts.
        key_table_drift_percent_per_day: how far production may have moved on since the artifact, for
            each day of its age; what past manifests show of a table's own growth is allowed as well.
        key_table_drift_rows: this many rows may always differ, however small the table.
        newest_row_age_hours: how old a key table's newest row may be when the artifact is taken.
    """

    collapse_percent: Annotated[float, Field(gt=0, le=100)] = 50
    collapse_minimum_rows: Annotated[int, Field(ge=1)] = 100
    volatile: Annotated[tuple[str, ...], Field(examples=[["public.sessions", "queue.*"]])] = ()
    key_table_drift_percent_per_day: Annotated[float, Field(ge=0)] = 10
    key_table_drift_rows: Annotated[int, Field(ge=0)] = 10
    newest_row_age_hours: Annotated[float, Field(gt=0)] = 168


class Objectives(Section):
    """Recovery objectives that a drill is measured against.

    The defaults are those of the first users' documents: a full restore in under 30 minutes, a
    nightly dump, and a week of the provider's history to go back in.

    Attributes:
        recovery_time_minutes: how long a whole restore may take.
        recovery_point_hours: how old the newest sound artifact may be.
        history_days: how far the provider's history has to reach back.
    """

    recovery_time_minutes: Annotated[float, Field(gt=0)] = 30
    recovery_point_hours: Annotated[float, Field(gt=0)] = 24
    history_days: Annotated[float, Field(gt=0)] = 7
