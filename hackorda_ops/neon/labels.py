"""Whose a branch is: what is written to it when it is made, and read before it is removed."""

import re
from dataclasses import dataclass
from datetime import datetime

from hackorda_ops.neon.models import LabelledBranch

APPLICATION = "hackorda_ops"
NAME_PREFIX = "hackorda-ops-"


@dataclass(frozen=True)
class Label:
    """Whose a branch is and what for: written to its annotation, and into its name."""

    database: str
    run: str
    purpose: str

    def annotation(self) -> dict[str, str]:
        """The annotation of every branch made under this label."""
        return {"app": APPLICATION, "database": self.database, "run": self.run, "purpose": self.purpose}


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
    """A branch name that tells a reader what it is, in characters that every tool takes."""
    words = re.sub(r"[^a-z0-9]+", "-", f"{label.database}-{label.purpose}".lower()).strip("-")[:60]
    return f"{NAME_PREFIX}{words}-{now:%Y%m%d-%H%M%S}-{token}"
