"""Opens a copy from a database's history and is killed: databases.yaml's section, purpose and run as arguments."""

import json
import os
import signal
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.histories import registry
from hackorda_ops.history.points import AtLsn
from hackorda_ops_tests.histories import shelf


def main() -> None:
    written, run, lsn, purpose = sys.argv[1:]
    registry.register("shelf", shelf.KIND)
    protected = Protected("hackorda", Policy.model_validate(json.loads(written)), os.environ)
    source = protected.source(private_folder=Path(tempfile.mkdtemp()))
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    with (
        registry.history_of(protected, source) as history,
        history.opened(purpose=purpose, run=run, point=AtLsn(lsn), expires_at=expires_at),
    ):
        os.kill(os.getpid(), signal.SIGKILL)


main()
