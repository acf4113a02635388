"""Nights of the shop in processes of their own, as another machine or a person would take them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from hackorda_ops_tests.e2e.processes import ENVIRONMENT
from hackorda_ops_tests.e2e.shop import Shop

_NIGHT = """
import os, sys
from pathlib import Path
from hackorda_ops.config import file as config_file
from hackorda_ops.environment import Protected
from hackorda_ops.night.night import take_night
from hackorda_ops.errors import OpsError

config = config_file.load(Path(sys.argv[1]))
try:
    take_night(
        Protected("shop", config.databases["shop"], os.environ),
        on_progress=lambda progress: print(progress.stage, flush=True),
    )
except OpsError as error:
    print(type(error).__name__, flush=True)
"""


def tonight() -> str:
    """The partition of a night that is taken now; a test that asks once may run past midnight."""
    return datetime.now(UTC).date().isoformat()


@contextmanager
def night(shop: Shop) -> Iterator[subprocess.Popen[str]]:
    """Takes a night of the shop. The process prints a line for every progress, or the error that it ends with."""
    with subprocess.Popen(
        [sys.executable, "-c", _NIGHT, str(shop.config_file)],
        env={**ENVIRONMENT, **shop.environ},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        yield process


def until_it_says(process: subprocess.Popen[str], stage: str) -> None:
    """Reads what a night prints, up to a line."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line.strip())
        if said[-1] == stage:
            return
    raise AssertionError(f"it never said {stage!r}, but {said}")
