"""What a kind of history has to bring along. `registry` lists them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

from hackorda_ops.concerns import Looked
from hackorda_ops.config.choice import HistorySection
from hackorda_ops.environment import Protected
from hackorda_ops.history.base import History, HistoryTraits
from hackorda_ops.history.primary import Primary
from hackorda_ops.postgres.sessions.connection import ConnectionTarget

S = TypeVar("S", bound=HistorySection)


@dataclass(frozen=True)
class HistoryKind(Generic[S]):
    """A kind of history.

    Whatever is called has seen before that no variable of the section is missing.

    Attributes:
        section: what databases.yaml says of it, and which variables that needs.
        traits: what sets it apart.
        graph_kind: what Dagster's pages show it as.
        opened: the history of a database whose section and source are given, and for how many seconds a call of its
            keeper's API is repeated (None for as long as it thinks right).
        primary: the source and the branches that can take its place; None where copies never can.
        look: what a preflight looks at beside `nights`; nothing where the scratch is the same and looks already.
    """

    section: type[S]
    traits: HistoryTraits
    graph_kind: str
    opened: Callable[[S, Protected, ConnectionTarget, float | None], AbstractContextManager[History]]
    look: Callable[[S, Protected, ConnectionTarget], Iterator[Looked]] | None = None
    primary: Callable[[S, Protected, ConnectionTarget], AbstractContextManager[Primary]] | None = None
