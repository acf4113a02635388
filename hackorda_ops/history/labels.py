"""Whose a copy of the source is: written to it when it is made, and read before it is removed."""

import hashlib
from dataclasses import dataclass
from typing import Final

from hackorda_ops.postgres.sessions.connection import ConnectionTarget

APPLICATION: Final = "hackorda_ops"

# What a copy can be for; a sweep removes those of every purpose.
DRILL: Final = "drill"
EXERCISE: Final = "exercise"
HISTORY_CHECK: Final = "history"
NIGHT: Final = "night"
# Not among them: what a recovery made is to become the primary, and is removed by people alone.
RECOVERY: Final = "recovery"
PURPOSES: Final = frozenset({DRILL, EXERCISE, HISTORY_CHECK, NIGHT})


@dataclass(frozen=True)
class Label:
    """Whose a copy is and what for.

    Attributes:
        database: the protected database's name in databases.yaml.
        source: which live database goes by that name (`source_id`).
        run: the id of the drill, night or other run that made it.
        purpose: one of `PURPOSES`, or `RECOVERY`.
        time: with `RECOVERY`, the time that was asked for, as `isoformat` has it in UTC.
    """

    database: str
    source: str
    run: str
    purpose: str
    time: str = ""

    def annotation(self) -> dict[str, str]:
        """What is written to every copy that is made under this label."""
        return {
            "app": APPLICATION,
            "database": self.database,
            "source": self.source,
            "run": self.run,
            "purpose": self.purpose,
        } | ({"time": self.time} if self.time else {})


def source_id(source: ConnectionTarget) -> str:
    """Distinguishes live databases without showing where they are.

    Two installations might use the same name in databases.yaml, and share a history. Whether a run is still
    running can only be checked on its own source, so neither may judge the other's copies.
    """
    host = source.host.lower()
    compute, _, domain = host.partition(".")
    # One compute of Neon's can have several domains; its id is the first label.
    place = compute if compute.startswith("ep-") and domain else host
    return hashlib.sha256(f"{place}:{source.port}/{source.database}".encode()).hexdigest()[:16]
