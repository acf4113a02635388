"""What follows from a FAIL, by what it is about: for the backup, and for whoever reads it. The one table. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from hackorda_ops.drill.causes import BESIDE_THE_DATA, causes_of
from hackorda_ops.drilling.declaration import RESTORED
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.finding_kinds import Cause


@dataclass(frozen=True)
class Consequence:
    """What follows from a FAIL about one thing.

    Attributes:
        headline: what failed, as a clause after "FAILED: ".
        meaning: what it says of the backup, in a sentence.
        next_step: what to do.
    """

    headline: str
    meaning: str
    next_step: str


CONSEQUENCES: Final[Mapping[Cause, Consequence]] = {
    "copy": Consequence(
        "the copy is damaged",
        "Do not rely on this backup: the copy is damaged, so nothing was restored from it.",
        "If the store still has the artifact, copy it again: that repairs the copy (`hackorda-ops copy --artifact "
        "ID`). Find out who can write to the bucket. Then drill again.",
    ),
    "rows": Consequence(
        "the backup does not restore what the database held",
        "Do not rely on this backup.",
        "Look into each finding. Then take a dump, copy it off-site, and drill again.",
    ),
    "disagreement": Consequence(
        "two witnesses of the same moment contradict each other",
        "Do not rely on this backup until it is known which of the two is wrong.",
        "Compare both with what the application knows. Then take a dump, copy it off-site, and drill again.",
    ),
    "definitions": Consequence(
        "every row came back, but something else did not",
        "Every row came back, but something else did not: see the next steps before you rely on this backup.",
        "Look into each finding: each says what it takes. Then take a dump, copy it off-site, and drill again.",
    ),
    "source": Consequence(
        "the source breaks its own rules",
        "The source breaks its own rules, so no other backup of it would come back whole either.",
        "Correct it on the source, as each finding says. Then take a dump, copy it off-site, and drill again.",
    ),
    "production": Consequence(
        "production has moved further from the backup than its age explains",
        "Production has changed more since than the backup's age explains.",
        "Find out what changed in production: if rows were lost there, this backup has them. If the change was "
        "intended, take a dump, copy it off-site, and drill again.",
    ),
    "migrations": Consequence(
        "the migrations do not apply",
        "It is the team's migrations that do not apply.",
        "Fix the migration before it is deployed: it would fail in production, too. The backup can be restored "
        "meanwhile. Then drill again.",
    ),
    "time": Consequence(
        "the recovery is too slow",
        "The recovery took longer than its objective.",
        "Give the restore more jobs or a faster machine, or agree on another objective. Then drill again.",
    ),
}


def consequence_of(result: DrillResult) -> Consequence:
    """What follows from a drill that FAILed: that of the worst that it is about.

    Args:
        result: with the verdict FAIL.
    """
    about = causes_of(result)
    if about:
        follows = CONSEQUENCES[about[0]]
        if about[0] not in BESIDE_THE_DATA:
            return follows
        return replace(follows, meaning=f"{_came_back(result, 'The backup')} {follows.meaning}")
    if result.artifact is None:
        return Consequence(
            "what is off-site is damaged",
            "Do not rely on what is off-site: it is damaged, so nothing was restored from it.",
            CONSEQUENCES["copy"].next_step,
        )
    return Consequence(
        "newer copies are damaged",
        f"Newer copies are damaged, so an older backup was taken. {_came_back(result, 'It')}",
        "Copy the newest artifact off-site again, and find out who can write to the bucket. Then drill again.",
    )


def _came_back(result: DrillResult, what: str) -> str:
    """Whether the data came back, where nothing speaks against it."""
    if any(each.name == RESTORED and each.outcome == "passed" for each in result.checks):
        return f"{what} came back whole."
    return f"Whether {what[0].lower()}{what[1:]} comes back whole is not known: the drill ended before that."
