"""The two forms of the tests: the short one of `make test`, and the long one of `make test-long`.

The short form has at least one of every kind: a storm, a kill, a server of thousands of tables. The long form has all
of them on all versions. A single test is marked `long`; of parameters, `also_long` marks those that only it tries.
"""

import os
from collections.abc import Iterable
from typing import Any

import pytest

VARIABLE = "HACKORDA_OPS_LONG"
LONG = VARIABLE in os.environ


def also_long(parameters: Iterable[Any], *, short: Iterable[Any]) -> list[Any]:
    """Parameters of a test, in their order, of which the short form tries only some.

    Args:
        parameters: all of them; a tuple is several arguments.
        short: those that the short form tries as well.

    Raises:
        ValueError: the short form names one that isn't among them.
    """
    given, in_short = list(parameters), list(short)
    if unknown := [each for each in in_short if each not in given]:
        raise ValueError(f"not among the parameters: {unknown}")
    return [
        pytest.param(
            *(each if isinstance(each, tuple) else (each,)),
            marks=() if each in in_short else pytest.mark.long,
        )
        for each in given
    ]


def leave_out_the_long_form(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what is marked `long`, unless the environment asks for it."""
    if LONG:
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("long")]
