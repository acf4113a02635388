"""What Neon's refusals are about, and what to do about each.

Neon's own code says it for some; for many it is empty, and then status and message have to do. Nobody but `code_of`
reads either: everybody else asks for the code that it returns.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hackorda_ops.errors import NeonRefused, NeonUnavailable
from hackorda_ops.neon.models import ErrorAnswer


class RefusalCode(StrEnum):
    """What a refusal is about.

    A branch that is NOT_READY will be soon. A position is NOT_REACHED where it was only just written, or lies in
    another project's WAL; it is GONE where it lies before the history that Neon keeps, and never comes back.
    """

    BAD_PARAMETER = "bad parameter"
    KEY_UNKNOWN = "key unknown"
    KEY_LACKS_RIGHTS = "key lacks rights"
    NOT_FOUND = "not found"
    NAME_TAKEN = "name taken"
    SETTING_NOT_IN_PLAN = "setting not in plan"
    LIMIT_REACHED = "limit reached"
    HAS_CHILDREN = "has children"
    PROTECTED = "protected"
    NOT_READY = "not ready"
    POSITION_NOT_REACHED = "position not reached"
    POSITION_GONE = "position gone"
    PRESENT_STATE = "present state"
    OTHER = "other"


@dataclass(frozen=True)
class _Remedy:
    meaning: str
    next_step: str


_BY_STATUS: Final = {
    400: RefusalCode.BAD_PARAMETER,
    401: RefusalCode.KEY_UNKNOWN,
    403: RefusalCode.KEY_LACKS_RIGHTS,
    404: RefusalCode.NOT_FOUND,
    409: RefusalCode.NAME_TAKEN,
    412: RefusalCode.SETTING_NOT_IN_PLAN,
    422: RefusalCode.PRESENT_STATE,
}
# Statuses that a position is refused with; 406 is what Neon's storage answers itself.
_OF_POSITIONS: Final = frozenset({400, 404, 406, 422})
# "less than latest GC cutoff" is what Neon's storage says; the control API may put it in words of its own.
# Neon's own words, for refusals that it gives no code.
_BY_WORDS_ANYWHERE: Final = {
    "children": RefusalCode.HAS_CHILDREN,
    "protected branch": RefusalCode.PROTECTED,
}
_BY_WORDS: Final = {"limit": RefusalCode.LIMIT_REACHED, **_BY_WORDS_ANYWHERE}
_POSITION: Final = re.compile(r"(?<![a-z])(lsn|timestamp)(?![a-z])")
_GONE: Final = ("cutoff", "retention", "history", "less than")

_UNCHANGED: Final = "Nothing was changed at Neon."
_REMEDIES: Final = {
    RefusalCode.BAD_PARAMETER: _Remedy(
        f"Neon does not accept a parameter of the call. {_UNCHANGED}",
        "Compare what the message names with the project's settings and the configuration.",
    ),
    RefusalCode.KEY_UNKNOWN: _Remedy(
        f"Neon does not know the API key. {_UNCHANGED}",
        "Make a new project-scoped API key in the Neon console, and put it where the configuration's "
        "API key variable is set.",
    ),
    RefusalCode.KEY_LACKS_RIGHTS: _Remedy(
        f"The API key may not do this. {_UNCHANGED}",
        "Use an API key that has rights on this project (a project-scoped key is enough).",
    ),
    RefusalCode.NOT_FOUND: _Remedy(
        "There is no such project or branch, or the API key can't see it.",
        "Compare the project id and the branch in the configuration with the Neon console, "
        "and check which project the API key belongs to.",
    ),
    RefusalCode.NAME_TAKEN: _Remedy(
        f"Something of that name is there already, and it isn't ours. {_UNCHANGED}",
        "Look at it in the Neon console; rename it or remove it if nobody needs it.",
    ),
    RefusalCode.SETTING_NOT_IN_PLAN: _Remedy(
        f"The project's plan does not allow a setting. {_UNCHANGED}",
        "Take the setting that the message names out of the configuration, or change the plan.",
    ),
    RefusalCode.PRESENT_STATE: _Remedy(
        f"Neon refuses this in the project's present state. {_UNCHANGED}",
        "Mend what the message names in the Neon console, then run again.",
    ),
    RefusalCode.LIMIT_REACHED: _Remedy(
        f"A limit of the project's plan is reached, so no branch can be made. {_UNCHANGED}",
        "Delete branches (or databases, or computes) that nobody needs in the Neon console, "
        "sweep what earlier drills left behind, or raise the plan's limit.",
    ),
    RefusalCode.HAS_CHILDREN: _Remedy(
        "A branch that others were made from stays until they are gone.",
        "Delete the branches below it in the Neon console first, then run again.",
    ),
    RefusalCode.PROTECTED: _Remedy(
        "Somebody protected the branch, and this product never removes such a branch.",
        "Lift the protection in the Neon console if the branch is to go.",
    ),
    RefusalCode.POSITION_GONE: _Remedy(
        f"Neon's history no longer reaches back to that moment. {_UNCHANGED}",
        "What lies before the history can't be had back from Neon. A longer history can be set in the Neon console, "
        "as far as the plan allows.",
    ),
    RefusalCode.POSITION_NOT_REACHED: _Remedy(
        f"Neon does not know that position yet, or it is not one of this project. {_UNCHANGED}",
        "Run again. If it stays so, check that the source is the project's default branch.",
    ),
}
_OTHER: Final = _Remedy(_UNCHANGED, "Read Neon's message; Neon's support can look the request id up.")


def code_of(status: int, answer: ErrorAnswer) -> RefusalCode:
    """What a refusal is about. Pure.

    Args:
        status: of the answer.
        answer: its body.
    """
    message = answer.message.lower()
    if "LIMIT" in answer.code.upper():
        return RefusalCode.LIMIT_REACHED
    if status == 422 and "not ready" in message:
        return RefusalCode.NOT_READY
    if status in _OF_POSITIONS and (position := _of_position(message)):
        return position
    by_status = _BY_STATUS.get(status, RefusalCode.OTHER)
    in_words = _BY_WORDS if status == 422 else _BY_WORDS_ANYWHERE
    return next((code for words, code in in_words.items() if words in message), by_status)


def refused(doing: str, status: int, answer: ErrorAnswer) -> NeonRefused:
    """The error for an answer that asking again won't change.

    Args:
        doing: what was attempted, as in "create the branch x".
        status: of the answer.
        answer: its body, already without secrets.
    """
    code = code_of(status, answer)
    remedy = _REMEDIES.get(code, _OTHER)
    return NeonRefused(
        f"Neon refused to {doing}: {describe(status, answer)}",
        meaning=remedy.meaning,
        next_step=remedy.next_step,
        code=code,
    )


def unavailable(doing: str, reason: str, *, tried_seconds: float) -> NeonUnavailable:
    """The error for a call that got no usable answer within its budget.

    Args:
        doing: what was attempted, as in "create the branch x".
        reason: what came instead, already without secrets.
        tried_seconds: for how long.
    """
    return NeonUnavailable(
        f"Neon did not {doing} within {tried_seconds:.0f} seconds: {reason}",
        meaning="Neon's API is busy, down, or can't be reached from here. Production and the backups are untouched.",
        next_step="Look at https://neonstatus.com and at this machine's way out to the network, then run again.",
    )


def describe(status: int, answer: ErrorAnswer) -> str:
    """An answer in one line: status, code, message, request id."""
    parts = [f"HTTP {status}"]
    if answer.code:
        parts.append(answer.code)
    if answer.message:
        parts.append(answer.message)
    told = ", ".join(parts)
    return f"{told} (request id {answer.request_id})" if answer.request_id else told


def _of_position(message: str) -> RefusalCode | None:
    """What a message says of a position or a time in a branch's history; None where it speaks of something else."""
    named = _POSITION.search(message)
    if named is None:
        return None
    if any(word in message for word in _GONE):
        return RefusalCode.POSITION_GONE
    return RefusalCode.POSITION_NOT_REACHED if named[1] == "lsn" else None
