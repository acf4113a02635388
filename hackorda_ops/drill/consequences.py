"""What follows from a FAIL, by what it is about: for the backup, and for whoever reads it. The one table. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from hackorda_ops.drill.causes import BESIDE_THE_DATA, DrillSaid, Trial, causes_of
from hackorda_ops.drilling.declaration import RESTORED
from hackorda_ops.drilling.night_proof import NightProof
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.finding_kinds import Cause

# What becomes of an artifact: its data came back; something beside it didn't; nobody knows; nobody should restore it.
Follows = Literal["restores", "incomplete", "doubtful", "damaged", "does not restore"]
# How loudly a service shows the alarm: whether the backup can be relied on.
Loudness = Literal["failure", "warning"]


@dataclass(frozen=True)
class Consequence:
    """What follows from a FAIL about one thing.

    Attributes:
        headline: what failed, as a clause after "FAILED: "; the same words wherever the product speaks of it.
        meaning: what it says of the backup, in a sentence.
        next_step: what to do.
        artifact: what becomes of the artifact.
        alarm: how loudly it is reported: a warning where the backup itself can be relied on.
        colour: of the word FAIL, wherever it's shown, as "#rrggbb": white text on it can be read.
        mark: the same where only text can be shown.
    """

    headline: str
    meaning: str
    next_step: str
    artifact: Follows
    alarm: Loudness
    colour: str
    mark: str


CONSEQUENCES: Final[Mapping[Cause, Consequence]] = {
    "copy": Consequence(
        "the copy is damaged",
        "Do not rely on this backup: the copy is damaged, so nothing was restored from it.",
        "If the store still has the artifact, the next copy repairs this one (`hackorda-ops copy`). Find out who can "
        "write to the bucket. Then drill again.",
        artifact="damaged",
        alarm="failure",
        colour="#b3261e",
        mark="🟥",
    ),
    "rows": Consequence(
        "the backup does not restore what the database held",
        "Do not rely on this backup.",
        "Look into each finding. Then take a dump, copy it off-site, and drill again.",
        artifact="does not restore",
        alarm="failure",
        colour="#7a0c2e",
        mark="⬛",
    ),
    "identity": Consequence(
        "the identity does not open the artifact",
        "Nobody can restore this backup with the identity that is here: nothing was restored from it.",
        "Find the identity of one of the recipients that the artifact names, and name that (`identity` in "
        "databases.yaml). Or let somebody who has one wrap the artifacts' keys for yours (`hackorda-ops rewrap`). Then "
        "drill again.",
        artifact="doubtful",
        alarm="failure",
        colour="#3d4450",
        mark="🔒",
    ),
    "disagreement": Consequence(
        "two witnesses of the same moment contradict each other",
        "Do not rely on this backup until it is known which of the two is wrong.",
        "Compare both with what the application knows. Then take a dump, copy it off-site, and drill again.",
        artifact="doubtful",
        alarm="failure",
        colour="#9c1f7e",
        mark="🟪",
    ),
    "definitions": Consequence(
        "every row came back, but something else did not",
        "Every row came back, but something else did not: see the next steps before you rely on this backup.",
        "Look into each finding: each says what it takes. Then take a dump, copy it off-site, and drill again.",
        artifact="incomplete",
        alarm="failure",
        colour="#a8440a",
        mark="🟧",
    ),
    "source": Consequence(
        "the source breaks its own rules",
        "The source breaks its own rules, so no other backup of it would come back whole either.",
        "Correct it on the source, as each finding says. Then take a dump, copy it off-site, and drill again.",
        artifact="doubtful",
        alarm="failure",
        colour="#7b4b2a",
        mark="🟫",
    ),
    "production": Consequence(
        "production has moved further from the backup than its age explains",
        "Production has changed more since than the backup's age explains.",
        "Find out what changed in production: if rows were lost there, this backup has them. If the change was "
        "intended, take a dump, copy it off-site, and drill again.",
        artifact="restores",
        alarm="warning",
        colour="#1f5fa8",
        mark="🟦",
    ),
    "migrations": Consequence(
        "the migrations do not apply",
        "It is the team's migrations that do not apply.",
        "Fix the migration before it is deployed: it would fail in production, too. The backup can be restored "
        "meanwhile. Then drill again.",
        artifact="restores",
        alarm="warning",
        colour="#6a3fb5",
        mark="🔷",
    ),
    "time": Consequence(
        "the recovery is too slow",
        "The recovery took longer than its objective.",
        "Give the restore more jobs or a faster machine, or agree on another objective. Then drill again.",
        artifact="restores",
        alarm="warning",
        colour="#7d6300",
        mark="🟨",
    ),
}


# Of a drill that restored an older artifact, because newer ones are damaged.
NEWER_DAMAGED: Final = replace(
    CONSEQUENCES["copy"],
    headline="newer copies are damaged",
    next_step="Copy the newest artifact off-site again, and find out who can write to the bucket. Then drill again.",
    artifact="restores",
)
# Of a drill that found nothing else off-site.
ALL_DAMAGED: Final = replace(
    CONSEQUENCES["copy"],
    headline="what is off-site is damaged",
    meaning="Do not rely on what is off-site: it is damaged, so nothing was restored from it.",
)


def beside_the_data(drill: DrillSaid | None) -> str:
    """What a drill failed about although the data came back, as a clause; "" where it didn't, or passed."""
    if drill is None or drill.verdict != "FAIL" or not drill.came_back:
        return ""
    return "; ".join(CONSEQUENCES[each].headline for each in drill.causes) or NEWER_DAMAGED.headline


def consequence_of(result: Trial) -> Consequence:
    """What follows from a drill, or a night's proof, that FAILed: that of the worst that it is about.

    Args:
        result: with the verdict FAIL.
    """
    if isinstance(result, NightProof):
        return _of_a_proof(result)
    about = causes_of(result)
    if about:
        follows = CONSEQUENCES[about[0]]
        if about[0] == "copy" and result.artifact is not None:
            named = follows.next_step.replace("--artifact ID", f"--artifact {result.artifact.artifact_id}")
            return replace(follows, next_step=named)
        if about[0] not in BESIDE_THE_DATA:
            return follows
        return replace(follows, meaning=f"{_came_back(result, 'The backup')} {follows.meaning}")
    if result.artifact is None:
        return ALL_DAMAGED
    meaning = f"Newer copies are damaged, so an older backup was taken. {_came_back(result, 'It')}"
    return replace(NEWER_DAMAGED, meaning=meaning)


def _of_a_proof(proof: NightProof) -> Consequence:
    # A proof has findings, or a check of the copy that failed without one: that is about its rows.
    about = causes_of(proof)[0]
    follows, name, artifact_id = CONSEQUENCES[about], proof.database, proof.artifact.artifact_id
    if about == "copy":
        step = (
            f"Another copy repairs this one: `hackorda-ops copy {name} --artifact {artifact_id}` off-site, with "
            "`--to store` in the store. Find out who can write to that place. "
        )
    else:
        step = follows.next_step.removesuffix("Then take a dump, copy it off-site, and drill again.")
        step += f"Then take a dump: `hackorda-ops dump {name}`. "
    return replace(follows, next_step=f"{step}Then prove it: `hackorda-ops prove {name}`.")


def marked_verdict(result: DrillResult) -> str:
    """A drill's verdict where only text can be shown; with a FAIL what it is about, and the mark of that."""
    if result.verdict != "FAIL":
        return result.verdict
    follows = consequence_of(result)
    return f"{follows.mark} FAIL: {follows.headline}"


def _came_back(result: DrillResult, what: str) -> str:
    """Whether the data came back, where nothing speaks against it."""
    if any(each.name == RESTORED and each.outcome == "passed" for each in result.checks):
        return f"{what} came back whole."
    return f"Whether {what[0].lower()}{what[1:]} comes back whole is not known: the drill ended before that."
