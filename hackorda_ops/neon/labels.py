"""Whose a branch is: written to it when it is created, and read before it is removed."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hackorda_ops.neon.models import LabelledBranch
from hackorda_ops.postgres.sessions.connection import ConnectionTarget

APPLICATION = "hackorda_ops"
NAME_PREFIX = "hackorda-ops-"

# What a branch can be for; a sweep removes branches of every purpose.
DRILL: Final = "drill"
EXERCISE: Final = "exercise"
HISTORY_CHECK: Final = "history"
NIGHT: Final = "night"
PURPOSES: Final = frozenset({DRILL, EXERCISE, HISTORY_CHECK, NIGHT})


@dataclass(frozen=True)
class Label:
    """Whose a branch is and what for: written to its annotation, and into its name.

    Attributes:
        database: the protected database's name in databases.yaml.
        source: which live database goes by that name (`source_id`).
        run: the id of the drill, night or other run that made it.
        purpose: one of `PURPOSES`.
    """

    database: str
    source: str
    run: str
    purpose: str

    def annotation(self) -> dict[str, str]:
        """The annotation of every branch made under this label."""
        return {
            "app": APPLICATION,
            "database": self.database,
            "source": self.source,
            "run": self.run,
            "purpose": self.purpose,
        }


def source_id(source: ConnectionTarget) -> str:
    """Distinguishes live databases without showing where they are.

    Two installations might use the same name in databases.yaml, and share a Neon project. Whether a run
    is still running can only be checked on its own source, so neither may judge the other's branches.
    """
    host = source.host.lower()
    compute, _, domain = host.partition(".")
    # One compute of Neon's can have several domains; its id is the first label.
    place = compute if compute.startswith("ep-") and domain else host
    return hashlib.sha256(f"{place}:{source.port}/{source.database}".encode()).hexdigest()[:16]


def is_of(labelled: LabelledBranch, database: str, source: ConnectionTarget) -> bool:
    """Whether a branch of ours was made for this database of this source; not where its label doesn't say so.

    Args:
        labelled: the branch with its annotation.
        database: the database's name in databases.yaml.
        source: the live database.
    """
    wanted = {"database": database, "source": source_id(source)}
    return wanted.items() <= labelled.annotation.items()


def is_ours(labelled: LabelledBranch) -> bool:
    """Whether a branch is one that this product made and may remove."""
    branch = labelled.branch
    return (
        labelled.annotation.get("app") == APPLICATION
        and branch.name.startswith(NAME_PREFIX)
        and not branch.default
        and not branch.protected
    )


def unique_name(label: Label, *, now: datetime, token: str) -> str:
    """A branch name that shows what it is, in characters that every tool accepts.

    Args:
        label: whose branch it is.
        now: the present, aware.
        token: random characters that set it apart from others made in the same second.
    """
    words = re.sub(r"[^a-z0-9]+", "-", f"{label.database}-{label.purpose}".lower()).strip("-")[:60]
    return f"{NAME_PREFIX}{words}-{now:%Y%m%d-%H%M%S}-{token}"
