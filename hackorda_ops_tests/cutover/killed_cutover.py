"""`hackorda-ops cutover` that ends itself with SIGKILL while it empties the new database.

`python -m hackorda_ops_tests.cutover.killed_cutover POINT run shop …`: POINT is a function of `cutover.emptying`; it is
killed instead of running that.
"""

import os
import signal
import sys
from unittest import mock

from hackorda_ops import cli
from hackorda_ops.cutover import emptying


def main(point: str, *arguments: str) -> None:
    """Types `hackorda-ops cutover` with these arguments."""

    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    sys.argv = ["hackorda-ops", "cutover", *arguments]
    with mock.patch.object(emptying, point, die):
        cli.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
