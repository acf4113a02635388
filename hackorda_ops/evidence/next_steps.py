"""Next steps shared by several kinds of findings. Each fits one cause.

The artifact itself is unreliable only where bytes changed, or rows differ between the manifest and a copy.
"""

from typing import Final

OTHER_ROWS: Final = (
    "Do not rely on this artifact: use another one, and keep this one to find out what happened."
)
NOT_MADE: Final = (
    "Restore into a new, empty database with `hackorda-ops restore --keep-going`, which names all that the server "
    "refuses, with its statement. If it refuses nothing, something dropped the object in this copy."
)
MADE_IN_THE_COPY: Final = (
    "Find out what created it in this copy (an event trigger, a platform script, another session), and restore "
    "into a new, empty database that nothing else uses."
)
