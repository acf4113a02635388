"""A proof that ends itself with SIGKILL as a stage begins: `python -m …killed_proof POLICY STAGE`."""

import json
import os
import signal
import sys
from contextlib import AbstractContextManager
from unittest import mock

import hackorda_ops.engines.registry  # noqa: F401  # whose engines read manifests
from hackorda_ops.config.models import Policy
from hackorda_ops.drilling.record import Record
from hackorda_ops.environment import Protected
from hackorda_ops.night_proof.prove import prove


def main(policy: str, wanted: str) -> None:
    """Proves until a stage."""
    stage = Record.stage

    def watched(record: Record, name: str, *, in_recovery: bool = False) -> AbstractContextManager[None]:
        if name == wanted:
            os.kill(os.getpid(), signal.SIGKILL)
        return stage(record, name, in_recovery=in_recovery)

    with mock.patch.object(Record, "stage", watched):
        prove(Protected("shop", Policy.model_validate(json.loads(policy)), dict(os.environ)))


if __name__ == "__main__":
    main(*sys.argv[1:])
