"""The checks of a drill, in the order of its report: what every drill does, and what the database's engine brings.

What runs, Dagster's specs, the report's words and the verdict follow from here.
"""

from typing import Final

from hackorda_ops.drill.checks import offsite_equals_manifest, scratch_gone
from hackorda_ops.drilling import within_recovery_time_objective
from hackorda_ops.drilling.declaration import DrillCheck
from hackorda_ops.engines.registry import ENGINES

# Without the essential ones a drill has proven nothing. The others may be unmeasured: a database may have no
# key tables or migrations, and a scratch server no branch.
_FIRST: Final = (offsite_equals_manifest.CHECK,)
_LAST: Final = (within_recovery_time_objective.CHECK, scratch_gone.CHECK)
_ADDED: Final[list[DrillCheck]] = []


def checks_of(engine: str) -> tuple[DrillCheck, ...]:
    """Every check of a drill of this engine's databases, also those that a configuration has no need of.

    Args:
        engine: its key; a report may name one that this release doesn't have.
    """
    known = ENGINES.get(engine)
    return (*_FIRST, *(known.checks if known else ()), *_LAST, *_ADDED)


def all_checks() -> tuple[DrillCheck, ...]:
    """The checks of all engines, each name once: what a report may have, whoever wrote it."""
    named = {each.name: each for engine in ENGINES.values() for each in engine.checks}
    return tuple({each.name: each for each in (*_FIRST, *named.values(), *_LAST, *_ADDED)}.values())


def register(check: DrillCheck) -> None:
    """Adds a check to every drill, report and code location of this process, before definitions are loaded.

    Args:
        check: it runs on the restored copy, before what changes that.

    Raises:
        ValueError: there's a check of that name.
    """
    if any(each.name == check.name for each in all_checks()):
        raise ValueError(f"a drill has a check {check.name} already")
    _ADDED.append(check)


def unregister(check: DrillCheck) -> None:
    """Removes an added check again."""
    _ADDED.remove(check)
