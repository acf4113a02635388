"""The one list of histories. To add one: a file of its own in this folder, and a line at the end."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

from hackorda_ops.concerns import Looked
from hackorda_ops.config.history import HISTORY_SECTIONS
from hackorda_ops.config.models import Policy
from hackorda_ops.config.scratch import SCRATCH_SECTIONS
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError
from hackorda_ops.histories import barman, neon
from hackorda_ops.histories.kind import HistoryKind, Keeper
from hackorda_ops.history.base import History, HistoryTraits
from hackorda_ops.history.primary import Primary
from hackorda_ops.postgres.sessions.connection import ConnectionTarget

HISTORIES: Final[dict[str, HistoryKind[Any]]] = {}


def register(key: str, kind: HistoryKind[Any]) -> None:
    """Makes a kind of history known, to databases.yaml as well.

    Args:
        key: its name there: `history: {KEY: {…}}`.
        kind: what it brings along.
    """
    HISTORIES[key] = kind
    HISTORY_SECTIONS[key] = kind.section


def kind_of(policy: Policy) -> HistoryKind[Any] | None:
    """The kind of a database's history; None where nobody keeps one."""
    kept = policy.kept_history
    return None if kept is None else HISTORIES[kept.provider]


def traits_of(protected: Protected) -> HistoryTraits:
    """What sets a database's history apart; only where `keeps_history`."""
    kind = kind_of(protected.policy)
    if kind is None:
        raise AssertionError("the caller has asked whether a history is kept")
    return kind.traits


def require_history(protected: Protected, *, why: str, meaning: str, by_hand: str) -> None:
    """Refuses a database without a history.

    Args:
        protected: the database.
        why: what needs one, as a clause.
        meaning: what follows from there being none.
        by_hand: what can be done without one.

    Raises:
        ConfigError: nobody keeps one.
    """
    if protected.policy.keeps_history:
        return
    # Where a provider of scratch brings it along, that is the place to name it.
    brought = {each.brings_history: key for key, each in SCRATCH_SECTIONS.items() if each.brings_history}
    keeping = " or ".join(
        f"scratch.{brought[key]}" if key in brought else f"history.{key}" for key in HISTORIES
    )
    raise ConfigError(
        f"databases.{protected.name}: {why}, but a {protected.policy.scratch.provider} is configured, and no history.",
        meaning=meaning,
        next_step=f"Configure {keeping}, or {by_hand}.",
    )


def history_of(
    protected: Protected, source: ConnectionTarget, *, budget_seconds: float | None = None
) -> AbstractContextManager[History]:
    """The past of a source; only where `keeps_history`.

    Args:
        protected: the database.
        source: the live database.
        budget_seconds: how long a call of the keeper's API is repeated; None for as long as it thinks right.

    Raises:
        ConfigError: its variables are missing.
        OpsError: its keeper refuses them.
    """
    protected.require("history")
    kept = protected.policy.kept_history
    if kept is None:
        raise AssertionError("the caller has asked whether a history is kept")
    return HISTORIES[kept.provider].opened(kept.section, protected, source, budget_seconds)


def primary_of(protected: Protected, source: ConnectionTarget) -> AbstractContextManager[Primary]:
    """The source of a database, and the branches of its history that can take its place.

    Args:
        protected: the database.
        source: the live database; it need not be reachable.

    Raises:
        ConfigError: nobody keeps a history, or its copies can't take the source's place, or variables are missing.
        OpsError: its keeper refuses them.
    """
    kind, kept = kind_of(protected.policy), protected.policy.kept_history
    if kind is None or kept is None or kind.primary is None:
        able = " or ".join(each.traits.kind for each in HISTORIES.values() if each.primary)
        what = f"{kind.traits.kind} keeps its history" if kind else "it has no history"
        raise ConfigError(
            f"databases.{protected.name}: only a branch of {able} can take the source's place, and {what}.",
            meaning="Nothing was attempted.",
            next_step="On a server of your own, recover with the tool that archives its WAL and point the application "
            "at the result, or restore the newest artifact (`hackorda-ops restore`). docs/operations.md has both.",
        )
    protected.require("source", "history")
    return kind.primary(kept.section, protected, source)


def keeper_of(protected: Protected) -> Keeper | None:
    """What has to be run here so that a database's history is kept; None where it has none, or others run that.

    Args:
        protected: the database.
    """
    kind, kept = kind_of(protected.policy), protected.policy.kept_history
    if kind is None or kept is None or kind.keeper is None:
        return None
    return kind.keeper(kept.section, protected)


def require_keeper(protected: Protected) -> Keeper:
    """What has to be run here so that a database's history is kept.

    Args:
        protected: the database.

    Raises:
        ConfigError: it has none, or others run that.
    """
    keeper = keeper_of(protected)
    if keeper is None:
        raise ConfigError(
            f"databases.{protected.name}: nothing here keeps its history.",
            meaning="Nothing was done.",
            next_step="For a server of your own: history: {barman: {}}. docs/barman.md has the rest.",
        )
    return keeper


def base_backup_cron(policy: Policy) -> str | None:
    """When base backups are taken here, as a cron expression; None where none are."""
    kind, kept = kind_of(policy), policy.kept_history
    if kind is None or kept is None or kind.base_backup is None:
        return None
    return kind.base_backup(kept.section)


def look(protected: Protected, source: ConnectionTarget) -> Iterator[Looked]:
    """Whether a database's history is as nights and drills need it, as far as its scratch doesn't show that.

    Args:
        protected: the database.
        source: the live database.

    Raises:
        ConfigError: its variables are missing.
        OpsError: its keeper refuses them.
    """
    kind, kept = kind_of(protected.policy), protected.policy.kept_history
    if kind is None or kept is None or kind.look is None:
        return
    protected.require("history")
    yield from kind.look(kept.section, protected, source)


register("neon", neon.KIND)
register("barman", barman.KIND)
