"""A scratch whose drill is killed: `python -m hackorda_ops_tests.scratch.killed_scratch POLICY DRILL_ID`."""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from hackorda_ops.artifacts import catalog
from hackorda_ops.config.models import Policy
from hackorda_ops.engines import registry as engines  # noqa: F401  # manifests are read by them
from hackorda_ops.environment import Protected
from hackorda_ops.scratch import registry
from hackorda_ops_tests.scratch import throwaway


def main(policy: str, drill_id: str) -> None:
    """Makes the scratch and a database on it, and ends there."""
    registry.register("throwaway", throwaway.PROVIDER)
    protected = Protected("hackorda", Policy.model_validate(json.loads(policy)), dict(os.environ))
    newest = catalog.read(protected.offsite, "hackorda").newest
    assert newest is not None
    with tempfile.TemporaryDirectory() as private:
        source = protected.source(private_folder=Path(private))
        with (
            registry.opened(protected, source) as scratch,
            scratch.opened(newest, drill_id) as place,
        ):
            place.new_database("restore")
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
