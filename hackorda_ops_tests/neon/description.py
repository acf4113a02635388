"""Neon's own description of its API (OpenAPI), and whether calls and answers are as it has them.

The file is not ours to carry. It is `public-v2-for-users.gen.yaml` of the npm package `@neondatabase/api-client`; the
environment variable says where it lies.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

VARIABLE = "NEON_OPENAPI_FILE"
_ROOT = "urn:neon-api"
# Loaded in C where PyYAML has it: the file has half a megabyte.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Exchange:
    """One call and its answer.

    Attributes:
        method: HTTP's.
        path: below the API's base, with its query.
        sent: the JSON body; None without one.
        status: of the answer.
        answered: the JSON body; None without one, and where a test had it made wrong on purpose.
    """

    method: str
    path: str
    sent: object
    status: int
    answered: object


@dataclass(frozen=True)
class Description:
    """What the file says."""

    content: Mapping[str, Any]

    def violations(self, exchange: Exchange) -> Iterator[str]:
        """What of a call and its answer is not as described, a line each."""
        url = urlsplit(exchange.path)
        found = self._route(url.path)
        if found is None or exchange.method.lower() not in self.content["paths"][found[0]]:
            yield f"{exchange.method} {url.path}: there is no such call"
            return
        route, path = found
        at = self.content["paths"][route]
        operation = at[exchange.method.lower()]
        name = operation["operationId"]
        given = {("path", key): value for key, value in path.items()}
        given |= {("query", key): value for key, value in parse_qsl(url.query, keep_blank_values=True)}
        yield from self._parameters(
            name, [*at.get("parameters", ()), *operation.get("parameters", ())], given
        )
        if exchange.sent is not None:
            if "requestBody" not in operation:
                yield f"{name}: it takes no body"
            else:
                schema = _schema(self._resolved(operation["requestBody"]))
                yield from self._wrong(schema, exchange.sent, f"{name}, sent")
                yield from self._unknown(schema, exchange.sent, f"{name}, sent")
        # YAML reads an unquoted status as a number.
        answers = {str(status): answer for status, answer in operation["responses"].items()}
        answer = self._resolved(answers.get(str(exchange.status)) or answers["default"])
        if exchange.answered is not None:
            yield from self._wrong(_schema(answer), exchange.answered, f"{name}, {exchange.status}")

    def _parameters(
        self, name: str, described: list[Any], given: Mapping[tuple[str, str], str]
    ) -> Iterator[str]:
        known = {(one["in"], one["name"]): one for one in map(self._resolved, described)}
        for key, value in given.items():
            if key not in known:
                yield f"{name}: it has no {key[0]} parameter {key[1]}"
                continue
            schema = known[key]["schema"]
            yield from self._wrong(schema, _typed(value, self._resolved(schema)), f"{name}, {key[1]}")
        for key, one in known.items():
            if one.get("required") and key not in given:
                yield f"{name}: it needs the {key[0]} parameter {key[1]}"

    def _wrong(self, schema: Mapping[str, Any], value: object, where: str) -> Iterator[str]:
        # References begin with "#", so they are looked up from the file's own root.
        validator = OAS30Validator(
            {"$ref": f"{_ROOT}{schema['$ref']}"} if "$ref" in schema else _absolute(schema),
            registry=self._registry,
            format_checker=oas30_format_checker,
        )
        for problem in validator.iter_errors(value):
            yield f"{where}: {problem.json_path}: {problem.message[:200]}"

    def _unknown(self, schema: Mapping[str, Any], value: object, where: str) -> Iterator[str]:
        """Fields of an object that its description doesn't have: a typing error there would go unnoticed."""
        if not isinstance(value, dict):
            return
        known = self._properties(schema)
        for key, inner in value.items():
            if key in known:
                yield from self._unknown(known[key], inner, f"{where}.{key}")
            elif known:
                yield f"{where}: there is no field {key}"

    def _properties(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        resolved = self._resolved(schema)
        found = dict(resolved.get("properties", {}))
        for part in resolved.get("allOf", ()):
            found |= self._properties(part)
        return found

    def _route(self, path: str) -> tuple[str, dict[str, str]] | None:
        # Literal parts before placeholders: .../branches/count is no branch called "count".
        for route in sorted(self.content["paths"], key=lambda one: one.count("{")):
            match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route), path)
            if match is not None:
                return route, match.groupdict()
        return None

    def _resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in node:
            found: Any = self.content
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    @cached_property
    def _registry(self) -> Registry[Any]:
        return Registry().with_resource(_ROOT, Resource(contents=self.content, specification=DRAFT4))


def read_description() -> Description | None:
    """The file that the environment names; None where it names none."""
    path = os.environ.get(VARIABLE)
    return Description(yaml.load(Path(path).read_text(), Loader=_LOADER)) if path else None


def _schema(body: Mapping[str, Any]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = body["content"]["application/json"]["schema"]
    return schema


def _absolute(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: f"{_ROOT}{value}" if key == "$ref" and value.startswith("#") else _absolute(value)
            for key, value in node.items()
        }
    return [_absolute(each) for each in node] if isinstance(node, list) else node


def _typed(value: str, schema: Mapping[str, Any]) -> object:
    """A parameter's text as the value that its schema is about."""
    return value if schema.get("type") == "string" else json.loads(value)
