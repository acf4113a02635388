"""The Neon project of a source."""

from collections.abc import Iterator, Mapping

from hackorda_ops.config.choice import HistorySection, ScratchSection
from hackorda_ops.config.values import VariableName
from hackorda_ops.given import given


class NeonSection(ScratchSection, HistorySection):
    """This Neon project: a drill restores on a branch of it, and its history is the source's."""

    brings_history = "neon"

    project_id: str | None = None
    project_id_env: VariableName = "NEON_PROJECT_ID"
    api_key_env: VariableName = "NEON_API_KEY"
    api_url_env: VariableName = "NEON_API_URL"

    def missing(self, at: str, environ: Mapping[str, str]) -> Iterator[str]:
        """See `KindSection.missing`."""
        if not self.project_id and not given(environ, self.project_id_env):
            yield f"{at}.project_id_env: set {self.project_id_env} to the project's id"
        if not given(environ, self.api_key_env):
            yield f"{at}.api_key_env: set {self.api_key_env} to a project-scoped API key"
