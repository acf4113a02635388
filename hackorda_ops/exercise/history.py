"""The recovery exercises of a database, read from the results in a store. There's no other index to lose."""

from typing import Final

from pydantic import TypeAdapter

from hackorda_ops.artifacts.documents import Advice, Document, read_own
from hackorda_ops.exercise.result import EARLIER_VERSIONS, RESULT_VERSION, ExerciseResult
from hackorda_ops.stores.store import LOOK_WHO_WRITES, Store

EXERCISES_FOLDER: Final = "exercises"
RESULT_NAME: Final = "result.json"

_DOCUMENT: Final = Document(
    name="result of an exercise",
    adapter=TypeAdapter(ExerciseResult),
    version_field="result_version",
    version=RESULT_VERSION,
    earlier=EARLIER_VERSIONS,
    unreadable=Advice(
        "That exercise is left out of the database's history.",
        LOOK_WHO_WRITES,
    ),
)

to_bytes = _DOCUMENT.to_bytes


def exercise_prefix(database: str, exercise_id: str) -> str:
    """An exercise's place in a store: next to the artifacts, and never mistaken for one."""
    return f"{database}/{EXERCISES_FOLDER}/{exercise_id}"


def read_exercise(store: Store, database: str, exercise_id: str) -> ExerciseResult | str:
    """Reads the result of one exercise; returns a sentence why where it can't be read.

    Args:
        store: the store to read from.
        database: the database's name in databases.yaml.
        exercise_id: the exercise's id.

    Raises:
        ArtifactMissing: there's none; an exercise that was killed may have left its folder behind.
        StoreRefused, StoreUnreachable: the store can't be read.
    """
    key = f"{exercise_prefix(database, exercise_id)}/{RESULT_NAME}"
    return read_own(
        store,
        key,
        _DOCUMENT.from_bytes,
        said=lambda result: (result.database, result.exercise_id),
        wanted=(database, exercise_id),
    )
