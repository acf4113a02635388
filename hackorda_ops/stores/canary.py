"""What a key may destroy in a store, tried on canaries of our own and on nothing else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol, runtime_checkable

May = Literal["can", "cannot", "not measured"]

CANARY_FOLDER: Final = "blast-radius-canary"
"""Where canaries lie, below the store's own folder. No database's folder has this name: theirs hold ids."""


@dataclass(frozen=True)
class CanaryAnswers:
    """What became of the canaries.

    Attributes:
        versioned: whether what is overwritten or hidden stays as a version, as it turned out; None where no canary
            could be put.
        put: whether the key may write.
        overwrite: whether it may write over what is there.
        hide: whether it may delete what a key shows.
        delete_version: whether it may delete a version for good.
        shorten: whether it may shorten a lock in the mode that databases.yaml asks for, or a governance lock.
        bypass: whether it may delete what a governance lock holds.
        left: the canaries that are still there, a key each; a later run removes them.
    """

    versioned: bool | None
    put: May
    overwrite: May
    hide: May
    delete_version: May
    shorten: May = "not measured"
    bypass: May = "not measured"
    left: tuple[str, ...] = ()


@runtime_checkable
class TriesCanaries(Protocol):
    """A store where the rights of a key can be tried."""

    def try_canaries(self, now: datetime, *, locks: bool) -> CanaryAnswers:
        """Tries them on files of our own, which nothing else has the names of.

        Args:
            now: the present, aware.
            locks: whether the bucket may have been made with object lock.

        Raises:
            StoreUnreachable: it doesn't answer; canaries may be left.
        """
