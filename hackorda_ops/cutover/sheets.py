"""What a cutover writes for people: the variables to set, and the rollback sheet. Both without secrets. Pure."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hackorda_ops.config.cutover import CutoverPlan
from hackorda_ops.config.hooks import Hook
from hackorda_ops.config.models import Policy
from hackorda_ops.cutover.smoke import shown_url
from hackorda_ops.cutover.state import CutoverState
from hackorda_ops.markdown import escaped
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, redact

# For people who look into the database meanwhile, for a migration, for us.
_CONNECTIONS_LEFT_FREE: Final = 10


@dataclass(frozen=True)
class NewServer:
    """What the advice depends on.

    Attributes:
        direct: the new database's direct endpoint.
        pooled: the pooler's; None where there is none.
        connections: how many the server takes from ordinary roles.
        has_ca_bundle: whether the provider's CA bundle is set here.
    """

    direct: ConnectionTarget
    pooled: ConnectionTarget | None
    connections: int
    has_ca_bundle: bool


def variable_lines(policy: Policy, plan: CutoverPlan, server: NewServer) -> tuple[str, ...]:
    """The variables to set where the application runs, as lines of a shell's environment with comments.

    Args:
        policy: the database's.
        plan: its cutover.
        server: the new one.
    """
    return tuple(_lines(policy, plan, server))


def _lines(policy: Policy, plan: CutoverPlan, server: NewServer) -> Iterator[str]:
    new, source = plan.target, policy.source
    used, origin = (server.pooled, new.pooled_url_env) if server.pooled else (server.direct, new.url_env)
    if parts := source.variables:
        yield f"{parts.host}={used.host}"
        yield f"{parts.port}={used.port}"
        yield f"{parts.user}={used.user}"
        yield f"{parts.database}={used.database}"
        yield f"{parts.password}=<the password in ${origin}>"
        yield f"{parts.sslmode}={_ssl_mode(server)}"
    else:
        yield f"{source.url_env}={_shape(used, f'the password in ${origin}')}"
        if server.pooled:
            direct = source.direct_url_env or f"DIRECT_{source.url_env}"
            yield "# Migrations and dumps need the direct endpoint: DDL and locks don't get through a pooler."
            yield f"{direct}={_shape(server.direct, f'the password in ${new.url_env}')}"
        yield f"{source.tls_mode_env}={_ssl_mode(server)}"
    if server.has_ca_bundle:
        yield f"{source.ca_certificate_env}=<the PEM text in ${new.ca_certificate_env}>"
    else:
        yield f"# {source.ca_certificate_env}: unset it where the old server's bundle is in it."
    if server.pooled:
        yield "# The pooler resets what a session sets. Set the time limit once, in the database:"
        yield f"#   ALTER DATABASE {_quoted(server.direct.database)} SET statement_timeout = '15s';"
    else:
        most = max(1, server.connections - _CONNECTIONS_LEFT_FREE)
        yield (
            f"# The server takes {server.connections} connections: all pools of the application together at most "
            f"{most} (DB_POOL_MAX times its processes)."
        )
        yield "# With more processes use the provider's pooler, not a larger pool (cutover.target.pooled_url_env)."


def _ssl_mode(server: NewServer) -> str:
    return "disable" if server.direct.parameters.get("sslmode") == "disable" else "verify"


def _shape(target: ConnectionTarget, password: str) -> str:
    port = "" if target.port == 5432 else f":{target.port}"
    mode = target.parameters.get("sslmode", "prefer")
    asked = "disable" if mode == "disable" else "require"
    return f"postgresql://{target.user}:<{password}>@{target.host}{port}/{target.database}?sslmode={asked}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def rollback_sheet(policy: Policy, plan: CutoverPlan, state: CutoverState, variables: Sequence[str]) -> str:
    """How to go back to the old database, as Markdown.

    Args:
        policy: the database's.
        plan: its cutover.
        state: how far it is.
        variables: the lines of `variable_lines`.
    """
    hooks = plan.hooks
    source = policy.source
    old = ", ".join(f"`{name}`" for name in source.named)
    lines = [
        f"# Going back: the cutover of {escaped(state.database)}",
        "",
        f"Cutover `{state.cutover_id}`. Old database: `{state.source}`. New one: `{state.target}`. "
        f"Final dump: `{state.artifact_id}`, in the store.",
        "",
        "The old database was only quiesced: nothing in it was changed, and it holds every row of the final dump. "
        "Until the application has been started on the new one, going back loses nothing. After that, what was "
        "written to the new database is in that one alone.",
        "",
        "## Steps",
        "",
        "1. Stop the application, so that nothing more is written to the new database.",
        *_command(hooks.quiesce),
        "2. If something was written to the new database that must not be lost, dump it now:",
        *_block(
            f'pg_dump "${plan.target.url_env}" --format=directory --jobs=2 --file={state.database}-after-cutover'
        ),
        f"3. Set {old} back to the old database (`{state.source}`), and its TLS variables to what they were.",
        "4. Start the application again, as it was started before.",
        "5. See that it answers:",
        *_block(
            *(
                f"curl -sS -o /dev/null -w '%{{http_code}}\\n' {shlex.quote(shown_url(check.url))}"
                f"  # expected: {check.expect}"
                for check in plan.smoke
            )
        ),
        "6. Take the maintenance page away, and announce that the old database is in use.",
        *_command(hooks.resume),
        f"7. Note it here: `hackorda-ops cutover status {state.database}`. The next try is "
        f"`hackorda-ops cutover run {state.database} --restart`.",
        "",
        "## If the old server is lost as well",
        "",
        *_block(
            f"RESTORE_URL=postgresql://… hackorda-ops restore {state.database} --from store "
            f"--artifact {state.artifact_id}"
        ),
        "",
        "## What was to be set for the new database",
        "",
        *_block(*variables),
        "",
        "Keep the old database running and untouched for at least a few days after the cutover.",
        "",
    ]
    return "\n".join(lines)


def _command(hook: Hook | None) -> tuple[str, ...]:
    if hook is None:
        return ()
    words = hook.command if isinstance(hook.command, str) else shlex.join(hook.command)
    return _block(f"cd {shlex.quote(str(hook.working_directory))} && {redact(words)}")


def _block(*lines: str) -> tuple[str, ...]:
    return ("", "```sh", *lines, "```", "") if lines else ()
