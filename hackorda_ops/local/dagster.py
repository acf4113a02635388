"""A running Dagster for the demo and the tests: web server, daemon, code server and run workers."""

import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from psycopg.conninfo import conninfo_to_dict

from hackorda_ops.config.file import CONFIG_VARIABLE
from hackorda_ops.errors import Stalled, ToolFailed
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.local.example import example_file
from hackorda_ops.processes import child

_POLL_SECONDS: Final = 0.2
# Only what hangs takes as long, on a busy machine too.
_START_SECONDS: Final = 600.0
_LAST_WORDS: Final = 20


def _nobody_listens(_line: str) -> None:
    pass


@contextmanager
def running_dagster(
    home: Path,
    *,
    config: Path,
    storage: Mapping[str, str],
    environ: Mapping[str, str],
    preferred_port: int = 0,
    settings: str | None = None,
    on_line: Callable[[str], None] = _nobody_listens,
) -> Iterator[RunningDagster]:
    """Runs Dagster with the product's dagster.yaml and workspace.yaml for as long as the block lasts.

    Args:
        home: for $DAGSTER_HOME; made here.
        config: the databases.yaml.
        storage: the DAGSTER_PG_… variables of an empty database (`storage_variables`).
        environ: what `config` names, and what a program needs to run at all (PATH).
        preferred_port: of the web server; another one is used if it isn't free.
        settings: the text of dagster.yaml, if it isn't the product's own.
        on_line: called, from other threads, with each line that any of its processes writes to its output.

    Raises:
        ToolFailed: Dagster ended instead of starting.
        Stalled: it did not load the definitions in time.
    """
    home.mkdir(mode=0o700)
    own = example_file("dagster.yaml").read_text(encoding="utf-8")
    (home / "dagster.yaml").write_text(own if settings is None else settings, encoding="utf-8")
    port = _free_port(preferred_port)
    said: deque[str] = deque(maxlen=_LAST_WORDS)

    def hear(line: str) -> None:
        said.append(line)
        on_line(line)

    with (
        # Code servers that are stopped leave their sockets in it. Not below `home`: a socket's path may
        # have 103 bytes at most.
        tempfile.TemporaryDirectory(prefix="hackorda-ops-dagster-") as temporary,
        _ended_at_last(
            child.start(
                [
                    Path(sys.executable).with_name("dagster"),
                    "dev",
                    f"--workspace={example_file('workspace.yaml')}",
                    "--host=127.0.0.1",
                    f"--port={port}",
                ],
                environment={
                    **environ,
                    **storage,
                    "DAGSTER_HOME": str(home),
                    "TMPDIR": temporary,
                    CONFIG_VARIABLE: str(config),
                },
                working_directory=home,
                on_stdout_line=hear,
                on_stderr_line=hear,
            )
        ) as dagster,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        running = RunningDagster(port, client)
        _wait_for_definitions(running, dagster, said)
        yield running


def storage_variables(url: str) -> dict[str, str]:
    """The variables that dagster.yaml names, for a database given by its URL."""
    parts = conninfo_to_dict(url)
    return {
        "DAGSTER_PG_HOST": str(parts["host"]),
        "DAGSTER_PG_PORT": str(parts["port"]),
        "DAGSTER_PG_DATABASE": str(parts["dbname"]),
        "DAGSTER_PG_USER": str(parts["user"]),
        "DAGSTER_PG_PASSWORD": str(parts["password"]),
    }


@contextmanager
def _ended_at_last(process: child.Child) -> Iterator[child.Child]:
    try:
        yield process
    finally:
        process.stop()


def _wait_for_definitions(running: RunningDagster, dagster: child.Child, said: Iterable[str]) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while not running.loaded():
        if not dagster.running:
            raise ToolFailed(
                "Dagster ended instead of starting:\n" + "\n".join(said),
                meaning="Nothing was run.",
                next_step="Read its last output above.",
            )
        if time.monotonic() > give_up:
            raise Stalled(
                f"Dagster did not load its definitions within {_START_SECONDS:g} seconds.",
                meaning="Nothing was run.",
                next_step="Try again when the machine is less busy.",
            )
        time.sleep(_POLL_SECONDS)


def _free_port(preferred: int) -> int:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            return _free_port(0)
        port: int = probe.getsockname()[1]
        return port
