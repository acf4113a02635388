"""Who keeps the history of a database, as databases.yaml names it.

What is done with a section is in `histories/`; `histories.registry` lists them all.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from pydantic import SerializeAsAny

from hackorda_ops.config.barman import BarmanSection
from hackorda_ops.config.choice import Choice, HistorySection
from hackorda_ops.config.neon import NeonSection
from hackorda_ops.config.scratch import ScratchPlace

# By their keys; `histories.registry` adds to them.
HISTORY_SECTIONS: Final[dict[str, type[HistorySection]]] = {"neon": NeonSection, "barman": BarmanSection}


class HistoryPlace(Choice):
    """Who keeps the source's history: in databases.yaml a mapping of the kind's name to its section."""

    kinds = HISTORY_SECTIONS

    section: SerializeAsAny[HistorySection]

    def anchored(self, at: Callable[[Path], Path]) -> Self:
        """See `HistorySection.anchored`."""
        return self.model_copy(update={"section": self.section.anchored(at)})


def kept_history(named: HistoryPlace | None, scratch: ScratchPlace) -> HistoryPlace | None:
    """Who keeps a database's history: whoever is named, or else its provider of scratch, where that keeps one.

    Args:
        named: under the key `history`; None where nobody is.
        scratch: where its drills restore.
    """
    section = scratch.section
    key = section.brings_history
    if named is not None or key is None or not isinstance(section, HistorySection):
        return named
    return HistoryPlace.model_construct(provider=key, section=section)
