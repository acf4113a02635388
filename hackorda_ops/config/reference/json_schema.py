"""The JSON Schema of databases.yaml, made from the models: editors complete and check the file with it.

python -m hackorda_ops.config.reference.json_schema > docs/databases.schema.json
"""

import json
from typing import Any, Final

from pydantic import BaseModel

from hackorda_ops.config.models import Config, Policy
from hackorda_ops.config.places import StoreSection
from hackorda_ops.config.reference.keys import Key, about, keys_of
from hackorda_ops.config.values import Section

# The draft that editors support best.
_DRAFT: Final = "http://json-schema.org/draft-07/schema#"


def schema() -> dict[str, Any]:
    """The schema. It accepts each form that a section may be written in."""
    definitions: dict[str, Any] = {}
    root = _section(Config, definitions)
    databases = root["properties"]["databases"]
    databases["propertyNames"] = {"pattern": "^[A-Za-z0-9_]+$"}
    databases["minProperties"] = 1
    return {"$schema": _DRAFT, "title": "databases.yaml", **root, "definitions": definitions}


def text() -> str:
    """The schema as the text of its file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _section(section: type[BaseModel], definitions: dict[str, Any], key: Key | None = None) -> dict[str, Any]:
    keys = tuple(keys_of(section))
    made: dict[str, Any] = {
        "type": "object",
        "description": about(section),
        "properties": {each.name: _value(each, definitions) for each in keys},
        "additionalProperties": False,
    }
    required = [each.name for each in keys if each.required]
    # What a mapping leaves out may stand in `defaults`; a list's items are whole, and a store's key is its kind.
    if required and (key is None or key.many == "list" or issubclass(section, StoreSection)):
        made["required"] = required
    if key is not None and key.kinds:
        made["maxProperties"] = 1
    return made


def _value(key: Key, definitions: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"description": f"{key.about} ({key.unit})" if key.unit else key.about}
    if not key.sections:
        if key.examples:
            said["examples"] = list(key.examples)
        if key.default is not None:
            said["default"] = key.default
        return {**key.value, **said}
    forms = [form for each in key.sections for form in _forms(each, key, definitions)]
    if key.may_be_null:
        forms.append({"type": "null"})
    held = forms[0] if len(forms) == 1 else {"anyOf": forms}
    if key.many == "list":
        return {**said, "type": "array", "items": held}
    if key.many == "mapping":
        return {**said, "type": "object", "additionalProperties": held}
    return {**said, **held} if "$ref" not in held else {**said, "allOf": [held]}


def _forms(section: type[BaseModel], key: Key, definitions: dict[str, Any]) -> list[dict[str, Any]]:
    name = section.__name__
    if name not in definitions:
        definitions[name] = {}  # before its own keys, which may lead back here
        definitions[name] = _section(section, definitions, key)
    found: list[dict[str, Any]] = [{"$ref": f"#/definitions/{name}"}]
    if issubclass(section, Section):
        found += map(dict, section.in_short)
    if section is Policy:
        found.append({"type": "null"})
    return found


if __name__ == "__main__":
    print(text(), end="")
