"""Next steps that several kinds of findings share. Each fits one cause.

Only where bytes changed, or rows did between the manifest and a copy, is it the artifact that can't be relied on.
"""

from typing import Final

OTHER_BYTES: Final = (
    "Do not rely on this artifact: use another one, and find out what changed it or its manifest."
)
OTHER_ROWS: Final = (
    "Do not rely on this artifact: use another one, and keep this one to find out what happened."
)
NOT_MADE: Final = (
    "Restore into a new, empty database with `hackorda-ops restore --keep-going`, which names whatever the server "
    "refuses, with its statement. If it refuses nothing, something dropped the object in this copy."
)
MADE_IN_THE_COPY: Final = (
    "Find out what made it in this copy (an event trigger, a script of the platform, another session), and restore "
    "into a new, empty database that nothing else uses."
)
