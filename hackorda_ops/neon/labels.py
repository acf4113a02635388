"""How a branch shows whose it is: its annotation and its name say so, and both are read before it is removed."""

import re
from datetime import datetime

from hackorda_ops.history.labels import APPLICATION, Label, source_id
from hackorda_ops.neon.models import LabelledBranch
from hackorda_ops.postgres.sessions.connection import ConnectionTarget

NAME_PREFIX = "hackorda-ops-"


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
