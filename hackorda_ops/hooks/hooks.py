"""The team's hooks: commands that get a database's URL in their environment, timed, one after the other."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from hackorda_ops.config.hooks import Hook
from hackorda_ops.errors import OpsError, Stalled
from hackorda_ops.hooks.command import passed_on, run_command
from hackorda_ops.hooks.parts import parts_of
from hackorda_ops.hooks.urls import pooled, url_of
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, redact

HookOutcome = Literal["succeeded", "failed", "timed out", "not started"]

# What every hook learns beside the URLs.
STAGE_VARIABLE: Final = "HACKORDA_OPS_STAGE"
_SHOWN_CHARACTERS: Final = 1000


@dataclass(frozen=True)
class HookRun:
    """What a hook did.

    Attributes:
        name: its key in databases.yaml ("verify").
        command: as configured, redacted.
        began_at: aware.
        seconds: wall-clock time.
        outcome: how it ended.
        detail: with an outcome other than success, why: its return code and last lines, redacted.
    """

    name: str
    command: str
    began_at: datetime
    seconds: float
    outcome: HookOutcome
    detail: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether it did what it is for."""
        return self.outcome == "succeeded"


def run_hook(
    name: str,
    hook: Hook,
    target: ConnectionTarget,
    *,
    encrypted: bool,
    environ: Mapping[str, str],
    facts: Mapping[str, str],
    on_line: Callable[[str], None] | None = None,
) -> HookRun:
    """Runs a hook on a database; whatever becomes of it is a value.

    It finds the database in its own variables, and of this process's environment only what `pass_env` names: no
    credentials of production, of the bucket or of the provider unless they are named.

    Args:
        name: its key in databases.yaml.
        hook: as configured.
        target: the database, by its direct endpoint.
        encrypted: whether a session on it is.
        environ: this process's environment.
        facts: further variables that it gets: the stage, the branch, the time.
        on_line: called from another thread with each line of its output that may be shown.
    """
    words = shlex.split(hook.command) if isinstance(hook.command, str) else list(hook.command)
    command = redact(shlex.join(words), target)
    began_at = datetime.now(UTC)
    parts = parts_of(hook.variables, target, encrypted=encrypted)
    environment = {
        **passed_on(environ, hook.pass_env),
        **facts,
        **parts,
        hook.url_env: url_of(target),
        hook.pooled_url_env: url_of(pooled(target)),
    }
    try:
        run = run_command(
            words,
            environment=environment,
            working_directory=hook.working_directory,
            deadline_seconds=hook.timeout_minutes * 60,
            redact=lambda text: redact(text, target),
            on_line=on_line,
        )
    except OpsError as error:
        outcome: HookOutcome = "timed out" if isinstance(error, Stalled) else "not started"
        seconds = round((datetime.now(UTC) - began_at).total_seconds(), 3)
        return HookRun(name, command, began_at, seconds, outcome, redact(error.what, target))
    if run.returncode == 0:
        return HookRun(name, command, began_at, round(run.seconds, 3), "succeeded")
    said = run.output_tail[-_SHOWN_CHARACTERS:] or "no output"
    return HookRun(
        name,
        command,
        began_at,
        round(run.seconds, 3),
        "failed",
        f"return code {run.returncode}: {said}",
    )
