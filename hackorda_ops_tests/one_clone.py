"""Local Neon branches that all stand for one real clone: a clone takes a second, and some tests make dozens."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from hackorda_ops.history.labels import Label
from hackorda_ops.history.points import HistoryPoint
from hackorda_ops.local.neon import LocalNeon, clone
from hackorda_ops.local.neon.clone import Clone
from hackorda_ops.neon.branches import create_branch, delete_branch
from hackorda_ops.neon.client import open_client


@contextmanager
def all_of_one_clone(neon: LocalNeon, point: HistoryPoint) -> Iterator[None]:
    """Every branch that is made for as long as the block lasts has the server of a first one, at `point`."""
    real = clone.running_clone
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patched:
        made: list[Clone] = []

        @contextmanager
        def running_clone(*given: Any, **named: Any) -> Iterator[Clone]:
            if not made:
                made.append(stack.enter_context(real(*given, **named)))
            yield made[0]

        patched.setattr("hackorda_ops.local.neon.branches.running_clone", running_clone)
        # Made here and now: on a busy machine it may take longer than a hurried clock allows.
        with open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client:
            branch = create_branch(
                client, label=Label("tiny", "source", "first", "test"), point=point, expires_at=None
            )
            delete_branch(client, branch.branch_id)
        yield
