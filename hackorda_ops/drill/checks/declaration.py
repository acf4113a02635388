"""What a check of a drill says of itself."""

from collections.abc import Callable
from dataclasses import dataclass

from hackorda_ops.config.models import Database
from hackorda_ops.proof.check import Declaration


def _nothing(_: Database) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class DrillCheck(Declaration):
    """One thing that a drill proves, as the report, Dagster and the verdict need to know it.

    Attributes:
        lacking: what the check needs and a database's configuration doesn't give it, in words; "" where the
            check can be made.
    """

    lacking: Callable[[Database], str] = _nothing
