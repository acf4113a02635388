"""The hooks of a recovery, one after the other, until one doesn't succeed. A recovery and an exercise both run this."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Literal

from hackorda_ops.config.hooks import RecoverHooks
from hackorda_ops.config.source import ConnectionVariables
from hackorda_ops.hooks.hooks import STAGE_VARIABLE, HookRun, run_hook
from hackorda_ops.postgres.sessions.connection import ConnectionTarget

Stage = Literal["production", "exercise"]


def facts_of(stage: Stage, *, branch: str, branch_id: str, time: datetime | None) -> dict[str, str]:
    """The variables that every hook gets beside the URLs. Pure.

    Args:
        stage: "production" where the branch is to become production, "exercise" where it is thrown away.
        branch: the branch's name.
        branch_id: by which its keeper knows it.
        time: the time that it was recovered to, aware; None where it holds the present.
    """
    return {
        STAGE_VARIABLE: stage,
        "HACKORDA_OPS_BRANCH": branch,
        "HACKORDA_OPS_BRANCH_ID": branch_id,
        "HACKORDA_OPS_RECOVERED_TO": time.astimezone(UTC).isoformat() if time else "",
    }


def run_in_order(
    hooks: RecoverHooks,
    target: ConnectionTarget,
    *,
    encrypted: bool,
    environ: Mapping[str, str],
    facts: Mapping[str, str],
    variables: ConnectionVariables | None,
    done: Collection[str] = (),
    on_begin: Callable[[str], None] = lambda _: None,
    on_line: Callable[[str], None] | None = None,
) -> Iterator[HookRun]:
    """Runs the configured hooks in their order, and stops after the first that does not succeed.

    Args:
        hooks: as configured.
        target: the database, by its direct endpoint.
        encrypted: whether a session on it is.
        environ: this process's environment.
        facts: see `facts_of`.
        variables: for the parts of the connection, where a hook names none itself.
        done: the keys of those that have succeeded already and are left out.
        on_begin: called with the key of each before it begins.
        on_line: called from another thread with each line of output that may be shown.

    Yields:
        What each did.
    """
    for name, hook in hooks.in_order():
        if name in done:
            continue
        on_begin(name)
        configured = hook.model_copy(update={"variables": hook.variables or variables})
        run = run_hook(
            name,
            configured,
            target,
            encrypted=encrypted,
            environ=environ,
            facts=facts,
            on_line=on_line,
        )
        yield run
        if not run.succeeded:
            return
