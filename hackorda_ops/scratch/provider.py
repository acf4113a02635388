"""What a provider of scratch has to bring along. `registry` lists them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hackorda_ops.concerns import Looked
from hackorda_ops.config.scratch import ScratchSection
from hackorda_ops.environment import Protected
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.scratch.history import ProviderHistory
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
        history: the past of a source that it keeps; None where it keeps none.
    """

    section: type[S]
    kind: str
    opened: Callable[[S, Protected, Any, float | None], AbstractContextManager[Scratch]]
    look: Callable[[S, Protected, Any], Iterator[Looked]]
    history: Callable[[S, Protected, ConnectionTarget], AbstractContextManager[ProviderHistory]] | None = None

    def __post_init__(self) -> None:
        if (self.history is not None) != self.section.keeps_history:
            raise ValueError(f"{self.section.__name__}.keeps_history does not say what its provider has")
