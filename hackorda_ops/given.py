"""Values as people enter them: pasted with a line end, or with quotes that a shell would have removed."""

from collections.abc import Mapping
from dataclasses import dataclass, field


def trimmed(value: str) -> str:
    """A value without surrounding whitespace, and without one pair of quotes around all of it.

    `docker run --env-file` and Kubernetes secrets pass both on unchanged.
    """
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
    return value


def given(environ: Mapping[str, str], variable: str) -> str:
    """An environment variable's value, trimmed; "" if it isn't set."""
    return trimmed(environ.get(variable, ""))


@dataclass(frozen=True)
class Variable:
    """An environment variable that is set.

    Attributes:
        name: its name, for messages.
        value: what it holds, trimmed; in no repr.
    """

    name: str
    value: str = field(repr=False)
