"""The steps of a cutover, in their order: the command line, Dagster's job and the sheets all follow from this list."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

StepName = Literal[
    "preflight",
    "announce",
    "quiesce",
    "still",
    "dump",
    "restore",
    "migrate",
    "equal",
    "sheets",
    "repoint",
    "smoke",
    "resume",
]


@dataclass(frozen=True)
class CutoverStep:
    """One step.

    Attributes:
        name: as commands, the state file and Dagster have it.
        does: what it does, in a sentence.
        undo: how it is undone, in a sentence.
        final: whether it begins what can't be undone: it is done only once somebody has confirmed it.
    """

    name: StepName
    does: str
    undo: str
    final: bool = False


_NOTHING_WRITTEN: Final = "Nothing to undo: it only reads."
_START_AGAIN: Final = "Start the application again: it still uses the old database, in which nothing changed."

STEPS: Final = (
    CutoverStep(
        "preflight",
        "Checks both servers, the rights, the programs and the configuration.",
        _NOTHING_WRITTEN,
    ),
    CutoverStep(
        "announce",
        "Runs the announce hook: users learn of the window.",
        "Announce that the window is cancelled.",
    ),
    CutoverStep(
        "quiesce", "Runs the quiesce hook: the application stops writing. Downtime begins.", _START_AGAIN
    ),
    CutoverStep("still", "Proves that nobody writes to the old database any more.", _START_AGAIN),
    CutoverStep("dump", "Takes the final dump, proves it, and keeps it in the store.", _START_AGAIN),
    CutoverStep(
        "restore",
        "Restores that dump into the new database, which must be empty, and compares every row.",
        "Start the application again. What was restored is removed by the next cutover (--restart).",
    ),
    CutoverStep(
        "migrate",
        "Runs the team's migrations on the new database.",
        "Start the application again. The old database was not migrated.",
    ),
    CutoverStep(
        "equal",
        "Compares the old and the new database with the final dump once more: nothing was written since.",
        _START_AGAIN,
    ),
    CutoverStep("sheets", "Writes the variables to set, and the rollback sheet.", _START_AGAIN),
    CutoverStep(
        "repoint",
        "Runs the repoint hook: the application uses the new database from here on.",
        "As the rollback sheet says. What was written to the new database meanwhile is not in the old one.",
        final=True,
    ),
    CutoverStep(
        "smoke",
        "Calls the application's URLs until each answers as expected.",
        "As the rollback sheet says.",
        final=True,
    ),
    CutoverStep(
        "resume",
        "Runs the resume hook: the maintenance page goes, users come back. Downtime ends.",
        "As the rollback sheet says. What users wrote since is only in the new database.",
        final=True,
    ),
)
"""Every step, in its order."""

NAMES: Final = tuple(step.name for step in STEPS)
assert get_args(StepName) == NAMES  # noqa: S101  # one list, and the type that mypy needs of it

BY_NAME: Final = {step.name: step for step in STEPS}


def position(name: StepName) -> str:
    """Where a step stands among the others: "step 3 of 12"."""
    return f"step {NAMES.index(name) + 1} of {len(NAMES)}"
