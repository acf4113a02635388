"""The ids of artifacts, drills and exercises: the UTC second at which each was made, and a few random digits.

They sort by time, and are the names of folders in the stores.
"""

import re
import secrets
from datetime import UTC, datetime
from typing import Final

from hackorda_ops import untrusted
from hackorda_ops.calendar.clocks import is_ahead

_ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}")
_SECOND: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z")


def new_id(moment: datetime) -> str:
    """A new id for something that was made at an aware moment: "20261001T023000Z-a1b2c3"."""
    return f"{second(moment)}-{secrets.token_hex(3)}"


def second(moment: datetime) -> str:
    """An aware moment in the form that ids begin with: "20261001T023000Z"."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def is_id(text: str) -> bool:
    """Whether a text has the form of an id."""
    return moment_of(text) is not None


def moment_of(text: str) -> datetime | None:
    """The moment that an id begins with, to the second; None where the text isn't an id."""
    return moment_before_hyphen(text) if _ID.fullmatch(text) else None


def id_is_ahead(text: str, now: datetime | None = None) -> bool:
    """Whether what has this id is dated in the future (`clocks.is_ahead`); False where the text isn't an id."""
    moment = moment_of(text)
    return moment is not None and is_ahead(moment, now)


def moment_before_hyphen(name: str) -> datetime | None:
    """The moment that a name begins with, to the second; None where there's no such moment."""
    second_named = name.partition("-")[0]
    if not _SECOND.fullmatch(second_named):
        return None
    try:
        moment = datetime.fromisoformat(second_named)
    except ValueError:
        return None
    return moment if untrusted.EARLIEST <= moment <= untrusted.LATEST else None
