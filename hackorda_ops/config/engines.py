"""The engines that databases.yaml may name. What an engine does is in `engines/`; its registry adds to this list."""

from typing import Final

FIRST: Final = "postgres"
"""What a database is of where databases.yaml doesn't say."""

KNOWN: Final[set[str]] = {FIRST, "redis"}
