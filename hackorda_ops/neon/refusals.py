"""What Neon's refusals mean, and what to do about each.

Some have Neon's own code; for many it is empty, and then status and message have to do. Only `code_of`
reads these: all other code uses what it returns.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hackorda_ops.errors import NeonRefused, NeonUnavailable
from hackorda_ops.neon.models import ErrorAnswer


class RefusalCode(StrEnum):
    """What a refusal is about.

    A branch that is NOT_READY will be soon. A position is NOT_REACHED if it was only just written, or is in
    another project's WAL; it is GONE if it is older than the history that Neon keeps, and never comes back.
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
# Statuses for a refused position; 406 comes from Neon's storage itself.
_OF_POSITIONS: Final = frozenset({400, 404, 406, 422})
# "less than latest GC cutoff" is what Neon's storage says; the control API may word it differently.
# Neon's own wording, for refusals without a code.
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
        "Check what the message names against the project's settings and the configuration.",
    ),
    RefusalCode.KEY_UNKNOWN: _Remedy(
        f"Neon does not know the API key. {_UNCHANGED}",
        "Create a new project-scoped API key in the Neon console, and set it where the configuration's "
        "API key variable is set.",
    ),
    RefusalCode.KEY_LACKS_RIGHTS: _Remedy(
        f"The API key lacks the right to do this. {_UNCHANGED}",
        "Use an API key that has rights on this project (a project-scoped key is enough).",
    ),
    RefusalCode.NOT_FOUND: _Remedy(
        "There is no such project or branch, or the API key can't see it.",
        "Compare the project id and the branch in the configuration with the Neon console, "
        "and check which project the API key belongs to.",
    ),
    RefusalCode.NAME_TAKEN: _Remedy(
        f"Something with that name already exists, and it isn't ours. {_UNCHANGED}",
        "Check it in the Neon console; rename it, or remove it if nobody needs it.",
    ),
    RefusalCode.SETTING_NOT_IN_PLAN: _Remedy(
        f"The project's plan does not allow a setting. {_UNCHANGED}",
        "Remove the setting that the message names from the configuration, or change the plan.",
    ),
    RefusalCode.PRESENT_STATE: _Remedy(
        f"Neon refuses this in the project's current state. {_UNCHANGED}",
        "Fix what the message names in the Neon console, then run again.",
    ),
    RefusalCode.LIMIT_REACHED: _Remedy(
        f"A limit of the project's plan is reached, so no branch can be created. {_UNCHANGED}",
        "Delete branches (or databases, or computes) that nobody needs in the Neon console, "
        "sweep what earlier drills left behind, or raise the plan's limit.",
    ),
    RefusalCode.HAS_CHILDREN: _Remedy(
        "A branch with children can't be deleted before they are.",
        "Delete the branches below it in the Neon console first, then run again.",
    ),
    RefusalCode.PROTECTED: _Remedy(
        "Somebody protected the branch, and this product never removes such a branch.",
        "Remove the protection in the Neon console if the branch should be deleted.",
    ),
    RefusalCode.POSITION_GONE: _Remedy(
        f"Neon's history no longer reaches back to that moment. {_UNCHANGED}",
        "Anything older than the history can't be recovered. A longer history can be set in the Neon console, "
        "as far as the plan allows.",
    ),
    RefusalCode.POSITION_NOT_REACHED: _Remedy(
        f"Neon does not know that position yet, or it is not one of this project. {_UNCHANGED}",
        "Run again. If it happens again, check that the source is the project's default branch.",
    ),
}
_OTHER: Final = _Remedy(_UNCHANGED, "Read Neon's message; Neon's support can look up the request id.")


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
    """The error for an answer that a retry won't change.

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
        reason: what happened instead, already without secrets.
        tried_seconds: for how long.
    """
    return NeonUnavailable(
        f"Neon did not {doing} within {tried_seconds:.0f} seconds: {reason}",
        meaning="Neon's API is busy, down, or can't be reached from here. Production and the backups are untouched.",
        next_step="Check https://neonstatus.com and this machine's network access, then run again.",
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
    """What a message says about a position or a time in a branch's history; None if it's about something else."""
    named = _POSITION.search(message)
    if named is None:
        return None
    if any(word in message for word in _GONE):
        return RefusalCode.POSITION_GONE
    return RefusalCode.POSITION_NOT_REACHED if named[1] == "lsn" else None
