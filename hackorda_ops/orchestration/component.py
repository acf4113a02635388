"""A component for somebody else's Dagster project: its attributes are the keys of databases.yaml, and a prefix."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Final

import dagster as dg
from dagster.components.component.component import ComponentTypeSpec
from pydantic import AfterValidator, BaseModel, Field, model_validator

from hackorda_ops.config import file as config_file
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.config.reference import json_schema
from hackorda_ops.errors import ConfigError
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.first_seen import since_first_seen
from hackorda_ops.orchestration.names import NO_PREFIX, prefixed

_PREFIX: Final = re.compile(r"[A-Za-z0-9_]*")
_NEW_KEYS: Final = {
    "prefix": "What stands before the names of assets, jobs, schedules and sensors.",
    "file": "A databases.yaml, relative to the project's folder, which then has all the other keys.",
}
_SCAFFOLDED: Final = """\
type: {type_name}

attributes:
  # Before the names of assets, jobs, schedules and sensors; without it they begin with the database's name.
  # prefix: ops
  databases: # as in databases.yaml; or, instead of it, file: databases.yaml
    my_database:
      source: {{url_env: DATABASE_URL}} # the name of a variable, never its value
      store: backups # a folder, relative to the project's; or s3://BUCKET
"""


def _fit_for_names(prefix: str) -> str:
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("needs letters, digits and underscores alone")
    return prefix


Prefix = Annotated[str, AfterValidator(_fit_for_names), Field(examples=["ops"])]


class Attributes(Config):
    """What defs.yaml says: the keys of databases.yaml, or the file that has them, and a prefix.

    Attributes:
        databases: the databases, by their names; none where `file` is given.
        prefix: what stands before the names of assets, jobs, schedules and sensors.
        file: a databases.yaml, relative to the project's folder, which then has all the other keys. The commands of
            hackorda-ops read the same file.
    """

    databases: Annotated[dict[str, Policy], Field(default_factory=dict)]
    prefix: Prefix = NO_PREFIX
    file: Path | None = None

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """The schema of databases.yaml, which knows every short form, with the two keys that are new here."""
        # Dagster looks for the definitions where pydantic puts them.
        made = json.loads(json.dumps(json_schema.schema()).replace("#/definitions/", "#/$defs/"))
        made["$defs"] = made.pop("definitions")
        for name in ("prefix", "file"):
            made["properties"][name] = {"type": "string", "description": _NEW_KEYS[name]}
        made.pop("required", None)
        return dict(made)

    @model_validator(mode="after")
    def _one_place(self) -> "Attributes":
        beside = self.model_fields_set - {"prefix", "file"}
        if self.file is None and not self.databases:
            raise ValueError("databases: needs at least one; or name a databases.yaml as `file`")
        if self.file is not None and beside:
            raise ValueError(f"file: has {', '.join(sorted(beside))} as well; write them in one of the two")
        return self


class _Scaffolder(dg.Scaffolder):
    """Writes a defs.yaml to fill in."""

    def scaffold(self, request: dg.ScaffoldRequest) -> None:
        if request.scaffold_format != "yaml":
            raise ConfigError(
                "This component is scaffolded as YAML only.",
                meaning="Nothing was written.",
                next_step="Leave --format out; or call hackorda_ops.component.build_defs(config, prefix=…) in Python.",
            )
        path = Path(request.target_path) / "defs.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_SCAFFOLDED.format(type_name=request.type_name), encoding="utf-8")


@dg.scaffold_with(_Scaffolder)
class ProtectedDatabases(dg.Component):
    """Databases that are kept recoverable, and proven to be: nightly dumps, off-site copies, restore drills, alarms.

    Attributes:
        config: of every protected database.
        prefix: what stands before their names in Dagster.
    """

    def __init__(self, config: Config, prefix: str = NO_PREFIX) -> None:
        self.config = config
        self.prefix = prefix

    @classmethod
    def get_model_cls(cls) -> type[BaseModel] | None:
        """See `dg.Component.get_model_cls`."""
        return Attributes

    @classmethod
    def get_spec(cls) -> ComponentTypeSpec:
        """See `dg.Component.get_spec`."""
        return ComponentTypeSpec(
            tags=["postgres", "redis", "backup"],
            produces=["asset", "asset_check", "job", "schedule", "sensor", "resource"],
        )

    @classmethod
    def load(cls, attributes: Any, context: dg.ComponentLoadContext) -> "ProtectedDatabases":
        """See `dg.Component.load`. Folders are relative to the project's."""
        project = Path(context.project_root)
        if attributes.file is not None:
            return cls(config_file.load(project / attributes.file), attributes.prefix)
        return cls(config_file.anchored(attributes, project), attributes.prefix)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """See `dg.Component.build_defs`."""
        return embedded(self.config, prefix=self.prefix)


def embedded(config: Config, *, prefix: str = NO_PREFIX) -> dg.Definitions:
    """Definitions to merge into a project that has others as well.

    Args:
        config: of every protected database; `hackorda_ops.config.file.load` reads a databases.yaml.
        prefix: what stands before the names of assets, jobs, schedules and sensors.

    Raises:
        ValueError: the prefix has other characters than letters, digits and underscores.
    """
    return build_defs(since_first_seen(prefixed(config, _fit_for_names(prefix))), prefix=prefix)
