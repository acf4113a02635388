"""Where a drill restores, as databases.yaml names it: one provider, and its section.

What a provider does with its section is in `scratch/`; `scratch.registry` lists them all.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from pydantic import (
    BaseModel,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    create_model,
    model_serializer,
    model_validator,
)

from hackorda_ops.config import engines
from hackorda_ops.config.values import Section, VariableName
from hackorda_ops.given import given


class ScratchSection(Section):
    """What databases.yaml says of one provider of scratch.

    Attributes:
        engine: whose databases it can hold, by the engine's key.
        keeps_history: whether the provider keeps a past of the source that branches can be made of.
    """

    engine: ClassVar[str] = engines.FIRST
    keeps_history: ClassVar[bool] = False

    def missing(self, at: str, environ: Mapping[str, str]) -> Iterator[str]:  # noqa: ARG002  # some need none
        """What has to be set before the scratch can be opened: a line for each variable, with its key and remedy.

        Args:
            at: the section's own key, as "databases.shop.scratch.server".
            environ: the environment.
        """
        return iter(())


class NeonSection(ScratchSection):
    """A drill restores on a branch of this Neon project."""

    keeps_history = True

    project_id: str | None = None
    project_id_env: VariableName = "NEON_PROJECT_ID"
    api_key_env: VariableName = "NEON_API_KEY"
    api_url_env: VariableName = "NEON_API_URL"

    def missing(self, at: str, environ: Mapping[str, str]) -> Iterator[str]:
        """See `ScratchSection.missing`."""
        if not self.project_id and not given(environ, self.project_id_env):
            yield f"{at}.project_id_env: set {self.project_id_env} to the project's id"
        if not given(environ, self.api_key_env):
            yield f"{at}.api_key_env: set {self.api_key_env} to a project-scoped API key"


class ServerSection(ScratchSection):
    """A drill restores into a new database of this Postgres server."""

    admin_url_env: VariableName = "SCRATCH_ADMIN_URL"

    def missing(self, at: str, environ: Mapping[str, str]) -> Iterator[str]:
        """See `ScratchSection.missing`."""
        if not given(environ, self.admin_url_env):
            yield (
                f"{at}.admin_url_env: set {self.admin_url_env} to the scratch server's connection string, "
                "for a role that can create databases"
            )


# By their keys; `scratch.registry` adds to them. Where databases.yaml names none, it's the first.
SCRATCH_SECTIONS: Final[dict[str, type[ScratchSection]]] = {"neon": NeonSection, "server": ServerSection}


class ScratchPlace(Section):
    """Where a drill restores: in databases.yaml a mapping of the provider's name to its section.

    Attributes:
        provider: its key in `SCRATCH_SECTIONS`.
        section: what is said of it.
    """

    provider: str
    section: SerializeAsAny[ScratchSection]

    @property
    def keeps_history(self) -> bool:
        """Whether the provider keeps a past of the source that branches can be made of."""
        return self.section.keeps_history

    @classmethod
    def as_written(cls) -> type[BaseModel]:
        """The mapping as it stands in databases.yaml: a key for each provider there is."""
        # Made anew, because a provider may have been added.
        fields: dict[str, Any] = {key: (each | None, None) for key, each in SCRATCH_SECTIONS.items()}
        return create_model("Scratch", __base__=Section, **fields)

    @model_validator(mode="before")
    @classmethod
    def _of_its_provider(cls, value: Any) -> Any:
        if isinstance(value, cls):
            return value
        written = cls.as_written().model_validate(
            {next(iter(SCRATCH_SECTIONS)): {}} if value == {} else value
        )
        named = {key: section for key, section in written if section is not None}
        if len(named) != 1:
            *others, last = SCRATCH_SECTIONS
            raise ValueError(f"needs exactly one of {', '.join(others)} and {last}")
        [(provider, section)] = named.items()
        return {"provider": provider, "section": section}

    @model_serializer(mode="wrap")
    def _written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {self.provider: handler(self)["section"]}
