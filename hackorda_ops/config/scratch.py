"""Where a drill restores, as databases.yaml names it: one provider, and its section.

What a provider does with its section is in `scratch/`; `scratch.registry` lists them all.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, SerializeAsAny

from hackorda_ops.config.choice import Choice, ScratchSection
from hackorda_ops.config.neon import NeonSection
from hackorda_ops.config.values import TlsMode, VariableName
from hackorda_ops.given import given


class ServerSection(ScratchSection):
    """A drill restores into a new database of this Postgres server, as a role that it makes for that.

    Attributes:
        admin_url_env: variable with the server's connection string, for a role that can create databases and roles.
        superuser: the name of that role, where it is a superuser or may read files and run programs on the server's
            machine: it is refused unless it is named here. Only it can create some extensions, event triggers and
            publications.
        restore_as_admin: restores as that role itself, for a database whose dump needs its rights (functions in C or
            in an untrusted language, base types, operator classes). The code in the dump then runs with them.
        tls: overrides `tls_mode_env`, as for the source.
        tls_mode_env: variable with the TLS mode, as for the source. Where nothing is set, a host that isn't local must
            prove who it is.
        ca_certificate_env: variable with the provider's CA bundle (PEM text).
    """

    admin_url_env: VariableName = "SCRATCH_ADMIN_URL"
    superuser: Annotated[str | None, Field(min_length=1, max_length=63, examples=["postgres"])] = None
    restore_as_admin: bool = False
    tls: TlsMode | None = None
    tls_mode_env: VariableName = "SCRATCH_SSL_MODE"
    ca_certificate_env: VariableName = "SCRATCH_CA_CERT"

    def missing(self, at: str, environ: Mapping[str, str]) -> Iterator[str]:
        """See `KindSection.missing`."""
        if not given(environ, self.admin_url_env):
            yield (
                f"{at}.admin_url_env: set {self.admin_url_env} to the scratch server's connection string, "
                "for a role that can create databases and roles"
            )


class RedisSection(ScratchSection):
    """A drill restores on a redis-server that is started for it on this machine.

    Attributes:
        program_folder: the folder with redis-server, which also reads each night's snapshot back; without it, the
            PATH is searched.
        memory_mb: how much memory it may take.
    """

    engine = "redis"

    program_folder: Annotated[Path | None, Field(examples=["/usr/local/bin"])] = None
    memory_mb: Annotated[int, Field(ge=64)] = 4096

    @property
    def memory_bytes(self) -> int:
        """How much memory it may take."""
        return self.memory_mb << 20


# By their keys; `scratch.registry` adds to them. Where databases.yaml names none, it's the first.
SCRATCH_SECTIONS: Final[dict[str, type[ScratchSection]]] = {
    "neon": NeonSection,
    "server": ServerSection,
    "redis": RedisSection,
}


class ScratchPlace(Choice):
    """Where a drill restores: in databases.yaml a mapping of the provider's name to its section."""

    kinds = SCRATCH_SECTIONS
    has_default = True

    section: SerializeAsAny[ScratchSection]
