"""What a provider of scratch has to bring along. `registry` lists them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hackorda_ops.concerns import Looked
from hackorda_ops.config.choice import HistorySection, ScratchSection
from hackorda_ops.environment import Protected
from hackorda_ops.scratch.place import Scratch

S = TypeVar("S", bound=ScratchSection)


@dataclass(frozen=True)
class Provider(Generic[S]):
    """A kind of place that drills restore in.

    Whatever is called has seen before that no variable of the section is missing.

    Attributes:
        section: what databases.yaml says of it, and which variables that needs.
        kind: what Dagster's pages show it as.
        opened: the scratch of a database whose section and source are given, and for how many seconds a call of the
            provider's API is repeated (None for as long as it thinks right).
        look: what a preflight looks at, given what its engine wants of the place; it begins
            with a part named "scratch".
        outlives: whether what it makes can outlive the process that made it, so that a sweep has to look for it.
    """

    section: type[S]
    kind: str
    opened: Callable[[S, Protected, Any, float | None], AbstractContextManager[Scratch]]
    look: Callable[[S, Protected, Any], Iterator[Looked]]
    outlives: bool = True

    def __post_init__(self) -> None:
        if bool(self.section.brings_history) != issubclass(self.section, HistorySection):
            raise ValueError(f"{self.section.__name__}.brings_history names no history of its own")
