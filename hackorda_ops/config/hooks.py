"""The team's own commands that put a recovered database into use, as databases.yaml says them."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from hackorda_ops.config.source import ConnectionVariables
from hackorda_ops.config.values import Section, VariableName


class Hook(Section):
    """A command of the team's, run with a database's URL in its environment; the command alone will do.

    Attributes:
        command: shell words ("./ops/rebind.sh main"), or a list of arguments. No shell runs it.
        working_directory: where it runs.
        url_env: the variable by which it expects the direct connection string.
        pooled_url_env: the variable by which it expects the pooled one; where there is no pooler, the same.
        variables: those by which it expects the parts of the connection.
        pass_env: further variables it needs; it gets nothing else of the environment.
        timeout_minutes: after which it's stopped, and counts as failed.
    """

    in_short = (
        {"type": "string", "description": "the command alone.", "examples": ["./ops/rebind.sh main"]},
        {
            "type": "array",
            "items": {"type": "string"},
            "description": "the command's words.",
            "examples": [["./ops/rebind.sh", "main"]],
        },
    )

    command: Annotated[
        Annotated[str, Field(min_length=1)] | Annotated[tuple[str, ...], Field(min_length=1)],
        Field(examples=["./ops/rebind.sh main"]),
    ]
    working_directory: Path = Path()
    url_env: VariableName = "DATABASE_URL"
    pooled_url_env: VariableName = "DATABASE_URL_POOLED"
    variables: ConnectionVariables | None = None
    pass_env: Annotated[tuple[VariableName, ...], Field(examples=[["FLY_API_TOKEN"]])] = ()
    timeout_minutes: Annotated[float, Field(gt=0)] = 15

    @model_validator(mode="before")
    @classmethod
    def _from_command(cls, value: Any) -> Any:
        return {"command": value} if isinstance(value, str | list | tuple) else value

    @property
    def words(self) -> str:
        """The command as one would type it."""
        return self.command if isinstance(self.command, str) else shlex.join(self.command)


class RecoverHooks(Section):
    """What puts a recovered database into use, in this order; each may be left out.

    Attributes:
        rebind: points the application at it.
        deploy: deploys or restarts the application.
        verify: proves that the application works on it: recovery time is counted until it succeeds.
    """

    rebind: Hook | None = None
    deploy: Hook | None = None
    verify: Hook | None = None

    def in_order(self) -> Iterator[tuple[str, Hook]]:
        """Those that are configured, each with its key."""
        for name in HOOKS_IN_ORDER:
            hook: Hook | None = getattr(self, name)
            if hook is not None:
                yield name, hook


HOOKS_IN_ORDER: Final = ("rebind", "deploy", "verify")


class Recover(Section):
    """Recovery to a point in time (`hackorda-ops recover`).

    Attributes:
        hooks: the team's own commands.
    """

    hooks: RecoverHooks = RecoverHooks()


class ExerciseSection(Section):
    """The yearly recovery exercise.

    Attributes:
        run_hooks: whether it runs the hooks of `recover` on its branch, with HACKORDA_OPS_STAGE=exercise. They are the
            commands that point production at another branch: switch it on when they look at that variable.
        environment: variables that the hooks get in an exercise only, in place of any that are passed on.
        report_folder: a folder of the team's repository that the report is written into as well.
    """

    run_hooks: bool = False
    environment: Annotated[
        Mapping[VariableName, str], Field(examples=[{"APP_NAME": "hackorda-exercise"}])
    ] = {}
    report_folder: Annotated[Path | None, Field(examples=["docs/postmortems"])] = None
