"""The Neon project of a source."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from hackorda_ops.config.choice import HistorySection, ScratchSection
from hackorda_ops.config.values import VariableName
from hackorda_ops.given import given


class NeonSection(ScratchSection, HistorySection):
    """This Neon project: a drill restores on a branch of it, and its history is the source's.

    Attributes:
        project_id: the project's id.
        project_id_env: variable with the project's id, read where `project_id` is not given.
        api_key_env: variable with an API key; one of the project alone is enough.
        api_url_env: variable with the API's address, where it isn't Neon's own.
    """

    brings_history = "neon"

    project_id: Annotated[str | None, Field(examples=["calm-river-12345678"])] = None
    project_id_env: VariableName = "NEON_PROJECT_ID"
    api_key_env: VariableName = "NEON_API_KEY"
    api_url_env: VariableName = "NEON_API_URL"

    def missing(self, at: str, environ: Mapping[str, str]) -> Iterator[str]:
        """See `KindSection.missing`."""
        if not self.project_id and not given(environ, self.project_id_env):
            yield f"{at}.project_id_env: set {self.project_id_env} to the project's id"
        if not given(environ, self.api_key_env):
            yield f"{at}.api_key_env: set {self.api_key_env} to a project-scoped API key"
