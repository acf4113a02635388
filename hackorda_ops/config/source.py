"""Where the source is, as an application's environment has it: a connection string, or a variable for each part."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from hackorda_ops.config.values import Section, TlsMode, VariableName

# How applications name the parts of a connection: libpq's own names, those of most frameworks' examples, and those
# of the Postgres image for containers.
_FAMILIES: Final = {
    "PG": ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGSSLMODE"),
    "DB": ("DB_HOST", "DB_PORT", "DB_USER", "DB_NAME", "DB_PASSWORD", "DB_SSLMODE"),
    "POSTGRES": (
        "POSTGRES_HOST",
        "POSTGRES_PORT",
        "POSTGRES_USER",
        "POSTGRES_DB",
        "POSTGRES_PASSWORD",
        "POSTGRES_SSLMODE",
    ),
}
_PARTS: Final = ("host", "port", "user", "database", "password", "sslmode")


class ConnectionVariables(Section):
    """The variables with the parts of a connection. In databases.yaml a family's name, or a mapping of single ones.

    The defaults are those of the family PG.

    Attributes:
        family: whose names are used for what isn't named here: "PG" (PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD,
            PGSSLMODE), "DB" (DB_HOST, DB_PORT, DB_USER, DB_NAME, DB_PASSWORD, DB_SSLMODE) or "POSTGRES" (POSTGRES_HOST,
            POSTGRES_PORT, POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD, POSTGRES_SSLMODE).
        host: variable with the server's host; a pooled Neon endpoint is made direct.
        port: variable with the port; 5432 where it isn't set.
        user: variable with the role that logs in.
        database: variable with the database's exact name: names are case-sensitive.
        password: variable with the password; may be unset where the server asks for none.
        sslmode: variable with the TLS mode in libpq's words; `require` verifies the server as `verify` does.
    """

    in_short = (
        {
            "type": "string",
            "enum": list(_FAMILIES),
            "description": "a family's name alone.",
            "examples": ["PG"],
        },
    )

    family: Literal["PG", "DB", "POSTGRES"] = "PG"
    host: Annotated[VariableName, Field(examples=["SHOP_DB_HOST"])] = "PGHOST"
    port: Annotated[VariableName, Field(examples=["SHOP_DB_PORT"])] = "PGPORT"
    user: Annotated[VariableName, Field(examples=["SHOP_DB_USER"])] = "PGUSER"
    database: Annotated[VariableName, Field(examples=["SHOP_DB_NAME"])] = "PGDATABASE"
    password: Annotated[VariableName, Field(examples=["SHOP_DB_PASSWORD"])] = "PGPASSWORD"  # noqa: S105  # a name
    sslmode: Annotated[VariableName, Field(examples=["SHOP_DB_SSLMODE"])] = "PGSSLMODE"

    @model_validator(mode="before")
    @classmethod
    def _of_its_family(cls, value: Any) -> Any:
        written = {"family": value} if isinstance(value, str) else value
        if not isinstance(written, dict):
            return written
        family = written.get("family", "PG")
        known = _FAMILIES.get(family, _FAMILIES["PG"]) if isinstance(family, str) else _FAMILIES["PG"]
        return dict(zip(_PARTS, known, strict=True)) | written


class Source(Section):
    """The live database: read, never written to.

    Attributes:
        url_env: variable with the connection string; a pooled Neon endpoint is made direct.
        direct_url_env: variable with the direct endpoint's connection string, used instead of `url_env`.
        variables: a variable for each part of the connection instead of a connection string.
        tls: overrides `tls_mode_env`. "disable" is the only way to an unencrypted connection with a
            host that isn't local: then every night says so, and reads each table twice.
        tls_mode_env: variable with the TLS mode.
        ca_certificate_env: variable with the provider's CA bundle (PEM text).
        client_folders: folders with pg_dump, pg_restore and psql, looked into first.
    """

    url_env: VariableName = "DATABASE_URL"
    direct_url_env: Annotated[VariableName | None, Field(examples=["DATABASE_URL_UNPOOLED"])] = None
    variables: ConnectionVariables | None = None
    tls: TlsMode | None = None
    tls_mode_env: VariableName = "DB_SSL_MODE"
    ca_certificate_env: VariableName = "DB_CA_CERT"
    client_folders: Annotated[tuple[Path, ...], Field(examples=[["/opt/postgresql-17/bin"]])] = ()

    @model_validator(mode="after")
    def _named_once(self) -> "Source":
        both = {"url_env", "direct_url_env"} & self.model_fields_set
        if self.variables and both:
            raise ValueError(f"give either variables or {' and '.join(sorted(both))}, not both")
        return self

    @property
    def named(self) -> tuple[str, ...]:
        """The variables that say which database it is."""
        parts = self.variables
        return (parts.host, parts.port, parts.user, parts.database) if parts else (self.url_env,)

    def describe(self) -> str:
        """The variables with the connection, for people."""
        if self.variables:
            return f"in the environment variables {', '.join(self.named)}"
        return f"in the environment variable {self.url_env}"
