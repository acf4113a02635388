"""What Neon's refusals mean, and what to do about each."""

from dataclasses import dataclass

from hackorda_ops.errors import NeonRefused, NeonUnavailable
from hackorda_ops.neon.models import ErrorAnswer


@dataclass(frozen=True)
class _Remedy:
    meaning: str
    next_step: str


_UNCHANGED = "Nothing was changed at Neon."

_BY_STATUS = {
    400: _Remedy(
        f"Neon does not accept a parameter of the call. {_UNCHANGED}",
        "Compare what the message names with the project's settings and the configuration.",
    ),
    401: _Remedy(
        f"Neon does not know the API key. {_UNCHANGED}",
        "Make a new project-scoped API key in the Neon console, and put it where the configuration's "
        "API key variable is set.",
    ),
    403: _Remedy(
        f"The API key may not do this. {_UNCHANGED}",
        "Use an API key that has rights on this project (a project-scoped key is enough).",
    ),
    404: _Remedy(
        "There is no such project or branch, or the API key can't see it.",
        "Compare the project id and the branch in the configuration with the Neon console, "
        "and check which project the API key belongs to.",
    ),
    409: _Remedy(
        f"Something of that name is there already, and it isn't ours. {_UNCHANGED}",
        "Look at it in the Neon console; rename it or remove it if nobody needs it.",
    ),
    412: _Remedy(
        f"The project's plan does not allow a setting. {_UNCHANGED}",
        "Take the setting that the message names out of the configuration, or change the plan.",
    ),
    422: _Remedy(
        f"Neon refuses this in the project's present state. {_UNCHANGED}",
        "Mend what the message names in the Neon console, then run again.",
    ),
}
_LIMIT = _Remedy(
    f"A limit of the project's plan is reached, so no branch can be made. {_UNCHANGED}",
    "Delete branches (or databases, or computes) that nobody needs in the Neon console, "
    "sweep what earlier drills left behind, or raise the plan's limit.",
)
_CHILDREN = _Remedy(
    "A branch that others were made from stays until they are gone.",
    "Delete the branches below it in the Neon console first, then run again.",
)
_PROTECTED = _Remedy(
    "Somebody protected the branch, and this product never removes such a branch.",
    "Lift the protection in the Neon console if the branch is to go.",
)
_OTHER = _Remedy(_UNCHANGED, "Read Neon's message; Neon's support can look the request id up.")


def refused(doing: str, status: int, answer: ErrorAnswer) -> NeonRefused:
    """The error for an answer that asking again won't change.

    Args:
        doing: what was attempted, as in "create the branch x".
        status: of the answer.
        answer: its body, already without secrets.
    """
    remedy = _remedy(status, answer)
    return NeonRefused(
        f"Neon refused to {doing}: {describe(status, answer)}",
        meaning=remedy.meaning,
        next_step=remedy.next_step,
    )


def unavailable(doing: str, reason: str, *, tried_seconds: float) -> NeonUnavailable:
    """The error for a call that got no usable answer within its budget."""
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


def _remedy(status: int, answer: ErrorAnswer) -> _Remedy:
    message = answer.message.lower()
    if "LIMIT" in answer.code.upper() or ("limit" in message and status == 422):
        return _LIMIT
    if "children" in message:
        return _CHILDREN
    if "protected branch" in message:
        return _PROTECTED
    return _BY_STATUS.get(status, _OTHER)
