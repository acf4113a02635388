"""What follows from a FAIL, by what it is about: for the backup, and for whoever reads it. The one table. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hackorda_ops.drill.causes import causes_of
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
        "ID`). Find out who can write to the bucket. Then drill again. `hackorda-ops restore` takes another meanwhile.",
    ),
    "rows": Consequence(
        "the backup does not restore what the database held",
        "Do not rely on this backup.",
        "Look into each finding. Then take a dump, copy it off-site, and drill again. `hackorda-ops restore` takes "
        "another artifact meanwhile.",
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
        "The backup came back whole; production has changed more since than its age explains.",
        "Find out what changed in production: if rows were lost there, this backup has them. If the change was "
        "intended, take a dump, copy it off-site, and drill again.",
    ),
    "migrations": Consequence(
        "the migrations do not apply",
        "The backup came back whole; it is the team's migrations that do not apply to it.",
        "Fix the migration before it is deployed: it would fail in production, too. The backup can be restored "
        "meanwhile. Then drill again.",
    ),
    "time": Consequence(
        "the recovery is too slow",
        "The backup came back whole, but not within the recovery time objective.",
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
        return CONSEQUENCES[about[0]]
    return Consequence(
        "newer copies are damaged",
        "An older backup came back whole in place of the damaged ones.",
        "Copy the newest artifact off-site again, and find out who can write to the bucket. Then drill again.",
    )
