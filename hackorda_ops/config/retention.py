"""How much is kept of the artifacts, as databases.yaml says it."""

from typing import Annotated

from pydantic import Field

from hackorda_ops.config.values import Section


class Keep(Section):
    """How many artifacts are kept in a place: the newest sound one of each of this many nights, weeks, months, years.

    A night, week, month or year without a sound artifact isn't counted.

    Attributes:
        nights: the newest nights, one artifact each.
        weeks: the newest weeks, likewise.
        months: the newest months.
        years: the newest years.
    """

    nights: Annotated[int, Field(ge=7)] = 14
    weeks: Annotated[int, Field(ge=0)] = 8
    months: Annotated[int, Field(ge=0)] = 12
    years: Annotated[int, Field(ge=0)] = 3


class Retention(Section):
    """What is deleted, each week. Without a policy (`null`) a place keeps everything.

    Attributes:
        store: the nightly store: it would fill up, and stop the nights. Unused where the nights go straight off-site.
        offsite: nothing is deleted off-site unless it's set: its key then needs the right to delete.
    """

    store: Keep | None = Keep()
    offsite: Keep | None = None
