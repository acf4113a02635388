"""A secret that a command of the team's prints, such as a password manager's."""

from collections.abc import Mapping, Sequence

from hackorda_ops.errors import ToolFailed
from hackorda_ops.hooks.command import passed_on
from hackorda_ops.processes import child


def printed_secret(
    command: Sequence[str],
    environ: Mapping[str, str],
    pass_env: Sequence[str],
    *,
    timeout_seconds: float,
    what: str,
) -> bytes:
    """What a command prints on standard output, which is shown to nobody.

    Args:
        command: the program and its arguments; no shell runs them.
        environ: this process's environment.
        pass_env: which of its variables the command gets, beside those that every program needs.
        timeout_seconds: after which it is stopped.
        what: the secret, for messages: "the key of the receipts".

    Raises:
        Stalled: it did not finish in time.
        ToolFailed: it could not be started, or failed.
    """
    finished = child.run(
        command,
        environment=passed_on(environ, pass_env),
        capture_stdout=True,
        deadline_seconds=timeout_seconds,
    )
    if finished.returncode != 0:
        # What it said could hold a part of the secret.
        raise ToolFailed(
            f"The command {command[0]} that prints {what} ended with {finished.returncode}.",
            meaning=f"Nothing was done that needs {what}.",
            next_step="Run it by hand as the user that runs this, and correct the command or its variables (pass_env).",
        )
    return finished.stdout
