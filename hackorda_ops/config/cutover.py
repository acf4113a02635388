"""The cutover of a database to another server, as databases.yaml describes it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from hackorda_ops.config.hooks import Hook
from hackorda_ops.config.values import Section, TlsMode, VariableName


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise ValueError("needs http://host/path or https://host/path, without a user or a password")
    return value


class CutoverTarget(Section):
    """The database that takes the source's place: empty, on another server.

    Attributes:
        url_env: variable with its direct endpoint's connection string.
        pooled_url_env: variable with the pooler's, where the application will use that.
        tls: overrides `tls_mode_env`, as for the source.
        tls_mode_env: variable with the TLS mode.
        ca_certificate_env: variable with the provider's CA bundle (PEM text).
    """

    url_env: VariableName = "MANAGED_DATABASE_URL"
    pooled_url_env: Annotated[VariableName | None, Field(examples=["MANAGED_POOLED_URL"])] = None
    tls: TlsMode | None = None
    tls_mode_env: VariableName = "MANAGED_SSL_MODE"
    ca_certificate_env: VariableName = "MANAGED_CA_CERT"


class SmokeCheck(Section):
    """A URL of the application, and how it answers where all is well. In databases.yaml the URL alone, or a mapping.

    Attributes:
        url: called with GET; redirects are not followed.
        expect: the status of the answer.
    """

    in_short = (
        {"type": "string", "description": "the URL alone.", "examples": ["https://app.example.org/health"]},
    )

    url: Annotated[str, AfterValidator(_http_url), Field(examples=["https://app.example.org/health"])]
    expect: Annotated[int, Field(ge=100, le=599)] = 200

    @model_validator(mode="before")
    @classmethod
    def _from_url(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value


class CutoverHooks(Section):
    """The team's own commands. Each may run again after an interruption, so it must be one that can be repeated.

    Attributes:
        announce: announces the window.
        quiesce: stops the application, so that nothing writes any more.
        repoint: sets the application's variables and starts it; finds the new database's URL in its `url_env`.
        resume: takes the maintenance page away and announces that it's over.
    """

    announce: Hook | None = None
    quiesce: Hook | None = None
    repoint: Hook | None = None
    resume: Hook | None = None


class CutoverPlan(Section):
    """How the database moves to another server.

    Attributes:
        target: the new database.
        hooks: the team's own commands.
        smoke: what must answer before users come back.
        still_seconds: for how long nothing may be written before the final dump is taken.
        still_within_seconds: how long to wait for that.
        smoke_within_seconds: how long the application may take to answer as expected.
    """

    target: CutoverTarget = CutoverTarget()
    hooks: CutoverHooks = CutoverHooks()
    smoke: tuple[SmokeCheck, ...] = ()
    still_seconds: Annotated[float, Field(ge=1, le=600)] = 15
    still_within_seconds: Annotated[float, Field(ge=1)] = 180
    smoke_within_seconds: Annotated[float, Field(ge=1)] = 120

    def anchored(self, at: Callable[[Path], Path]) -> "CutoverPlan":
        """The same plan with the folders of its hooks made absolute by `at`."""
        hooks = {
            name: hook.model_copy(update={"working_directory": at(hook.working_directory)})
            for name in CutoverHooks.model_fields
            if (hook := getattr(self.hooks, name)) is not None
        }
        return self.model_copy(update={"hooks": self.hooks.model_copy(update=hooks)})
