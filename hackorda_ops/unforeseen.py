"""What may be shown of an unexpected error: its type and its locations, and never its message."""

import traceback
from pathlib import Path
from typing import Final

from hackorda_ops import local_trouble
from hackorda_ops.errors import PermanentError

_PLACES: Final = 3


def described(error: BaseException) -> str:
    """An error as `ValueError at reading.py:120, drill.py:88, quarterly.py:40`, the innermost place first.

    Its message may quote a row or a secret: `invalid literal for int() with base 10: '…'`.
    """
    frames = traceback.extract_tb(error.__traceback__)[::-1][:_PLACES]
    places = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
    # The operating system's messages mention only files and sockets.
    reason = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
    return f"{type(error).__name__}{reason}" + (f" at {places}" if places else "")


def as_error(error: BaseException, *, meaning: str, next_step: str) -> PermanentError:
    """An unexpected error, as one that may be shown; trouble of this machine as what it is.

    Args:
        error: as it was caught.
        meaning: what follows from it, in a sentence.
        next_step: what the reader should do.
    """
    if trouble := local_trouble.of_exception(error):
        return trouble
    return PermanentError(
        f"Unexpected error: {described(error)}.",
        meaning=f"{meaning} This is most likely a bug in hackorda_ops.",
        next_step=next_step,
    )
