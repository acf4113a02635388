"""What to do where the source itself is at fault, and every artifact of it with it."""

from typing import Final

IN_THE_SOURCE: Final = (
    "Rows that break a rule break it in the source too, so no other artifact is better: correct them there and here, "
    "then run the statement here."
)
DEFINITION: Final = (
    "If it's the same on the source, no other artifact is better: fix its definition there (it usually needs a "
    "search_path, or something that this server's release no longer has), then run the fixed statement here."
)
FOLLOWS: Final = "It follows from what the server rejected: create that first, then compare again."
FOR_THE_SOURCE: Final = frozenset({IN_THE_SOURCE, DEFINITION, FOLLOWS})
"""The next steps of what is wrong on the source itself and of what follows from that: no other artifact is better."""
