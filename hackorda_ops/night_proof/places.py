"""What a night's proof can restore on: a server on this machine, or where drills restore."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from hackorda_ops.engines.registry import engine_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, OpsError, PermanentError
from hackorda_ops.scratch import registry
from hackorda_ops.scratch.place import Scratch


@dataclass(frozen=True)
class Way:
    """One of them.

    Attributes:
        called: it, in a few words.
        opened: opens it.
    """

    called: str
    opened: Callable[[], AbstractContextManager[Scratch]]


def ways_of(protected: Protected, private_folder: Path) -> tuple[Way, ...]:
    """What can be tried, in this order.

    Args:
        protected: the database.
        private_folder: for files that must not be read by others.

    Raises:
        ConfigError: the scratch is asked for, and its variables are missing.
    """
    where = protected.policy.proof.where

    def local() -> AbstractContextManager[Scratch]:
        return nullcontext(engine_of(protected.policy).local_scratch(protected))

    @contextmanager
    def scratch() -> Iterator[Scratch]:
        source = engine_of(protected.policy).source(protected, private_folder=private_folder)
        with registry.opened(protected, source) as opened:
            yield opened

    if where == "scratch":
        protected.require("source", "scratch")
        return (Way("the scratch", scratch),)
    on_this_machine = Way("a server on this machine", local)
    if where == "local" or not (protected.has("scratch") and protected.has("source")):
        return (on_this_machine,)
    return (on_this_machine, Way("the scratch", scratch))


def none_of(refused: Sequence[tuple[Way, OpsError]]) -> OpsError:
    """What is said where nothing could be restored on.

    Args:
        refused: what was tried, and why it didn't do; at least one.
    """
    if len(refused) == 1:
        return refused[0][1]
    if all(isinstance(error, ConfigError) for _, error in refused):
        return refused[0][1]
    return PermanentError(
        " ".join(f"Not on {way.called}: {error.what}" for way, error in refused),
        meaning="Nothing is known against the backup, but it isn't proven either.",
        next_step=" Or: ".join(error.next_step for _, error in refused),
    )
