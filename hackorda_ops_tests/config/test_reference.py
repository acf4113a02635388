"""The page of every key, and the schema that editors use: complete, up to date, and as strict as the product."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from hackorda_ops.config import file as config_file
from hackorda_ops.config.models import Config
from hackorda_ops.config.reference.keys import Key, keys_of
from hackorda_ops.errors import ConfigError

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLES = (ROOT / "databases.yaml", *sorted((DOCS / "teams").glob("*.yaml")))


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    schema = json.loads((DOCS / "databases.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def as_json(text: str) -> Any:
    """What an editor sees: dates are text to it."""
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


def sections(section: type[BaseModel], path: str = "") -> Iterator[tuple[str, Key, type[BaseModel]]]:
    for key in keys_of(section):
        yield f"{path}.{key.name}".lstrip("."), key, section
        if (path, key.name) != ("", "defaults"):
            for each in key.sections:
                yield from sections(each, f"{path}.{key.name}")


ALL = tuple(sections(Config))


def yaml_blocks() -> Iterator[tuple[str, str]]:
    for page in (ROOT / "README.md", *sorted(DOCS.rglob("*.md"))):
        for number, block in enumerate(re.findall(r"^ *```yaml\n(.*?)^ *```", page.read_text(), re.S | re.M)):
            if re.search(r"^ *databases:", block, re.M):
                yield f"{page.relative_to(ROOT)}, block {number + 1}", of_databases(block)


def of_databases(block: str) -> str:
    """What is databases.yaml's in it: a component of another project has that below `attributes`, beside its own."""
    attributes = yaml.safe_load(block).get("attributes")
    if attributes is None:
        return block
    return yaml.safe_dump({name: value for name, value in attributes.items() if name != "prefix"})


@pytest.mark.parametrize(
    ("module", "page"), [("page", "config.md"), ("json_schema", "databases.schema.json")]
)
def test_the_page_and_the_schema_are_what_make_docs_writes(module: str, page: str) -> None:
    # In a process of its own: other tests add kinds to the registries of this one.
    made = subprocess.run(
        [sys.executable, "-m", f"hackorda_ops.config.reference.{module}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert (DOCS / page).read_text(encoding="utf-8") == made


# What a key needs beside it, where that isn't required by itself.
BESIDE = {"databases.history.barman.config": {"server": "main"}}


def test_every_key_says_what_it_is() -> None:
    assert [path for path, key, _ in ALL if not key.about] == []


def test_every_key_without_a_telling_default_has_an_example() -> None:
    silent = [
        path
        for path, key, _ in ALL
        if not key.sections
        and key.default in (None, "", [], {})
        and not key.examples
        and "enum" not in json.dumps(key.value)
    ]
    assert silent == []


def test_every_example_and_every_default_is_accepted_by_the_models() -> None:
    for path, key, section in ALL:
        if key.sections:
            continue
        required = {
            each.name: each.examples[0] for each in keys_of(section) if each.required and each.examples
        }
        required |= BESIDE.get(path, {})
        for value in (*key.examples, *([] if key.required or key.default is None else [key.default])):
            if section is not Config:
                assert section.model_validate({**required, key.name: value}) is not None, path


def test_every_short_form_is_accepted_by_the_models() -> None:
    for section in {section for _, _, section in ALL}:
        for form in getattr(section, "in_short", ()):
            short = form["examples"][0]
            if section.__name__ not in ("Folder", "S3", "OffsiteBucket"):  # their place makes a mapping of it
                assert section.model_validate(short) is not None


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_schema_accepts_each_example_file(example: Path, validator: jsonschema.Draft7Validator) -> None:
    validator.validate(as_json(example.read_text()))


@pytest.mark.parametrize(("where", "block"), list(yaml_blocks()), ids=lambda value: value[:60])
def test_each_example_in_the_docs_loads_and_the_schema_accepts_it(
    where: str, block: str, validator: jsonschema.Draft7Validator, tmp_path: Path
) -> None:
    path = tmp_path / "databases.yaml"
    path.write_text(block)

    assert config_file.load(path).databases, where
    validator.validate(as_json(block))


@pytest.mark.parametrize(
    "text",
    [
        "databases: {a: , b: {source: {url_env: B}}}",
        "databases: {a: {offsite: [s3://one/p, {name: b2, bucket: two, retention: null}]}}",
        "databases: {a: {store: /srv/x, offsite: s3://b/p, key_tables: [users, {table: x, timestamp: null}]}}",
        "databases: {a: {source: {variables: DB}, scratch: {server: {}}, history: {barman: {server: main}}}}",
        "databases: {a: {source: {variables: {family: PG, host: X}}, store: {bucket: b}}}",
        "databases: {a: {recover: {hooks: {rebind: ./x, deploy: [a, b], verify: {command: c}}}}}",
        "databases: {a: {cutover: {smoke: ['https://a.example/', {url: 'https://b.example/', expect: 204}]}}}",
        "databases: {a: {schedule: {since: 2026-01-01}, retention: {offsite: null, store: {nights: 7}}}}",
        "defaults: {dump: {jobs: 4}}\ndatabases: {a: }\nalerts: {channels_env: []}\nmetrics_file: /x/y.prom",
        "databases: {a: {engine: redis}}",
        "defaults: {history: {barman: {server: main}}}\ndatabases: {a: {history: {barman: {command: b}}}}",
    ],
)
def test_the_schema_accepts_what_the_product_accepts(
    text: str, validator: jsonschema.Draft7Validator, tmp_path: Path
) -> None:
    path = tmp_path / "databases.yaml"
    path.write_text(text)

    config_file.load(path)
    validator.validate(as_json(text))


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "databases: {}",
        "databases: {my-db: }",
        "databases: {a: {sources: {}}}",
        "databases: {a: {source: {url_env: 'postgresql://x'}}}",
        "databases: {a: {dump: {jobs: 0}}}",
        "databases: {a: {dump: {jobs: two}}}",
        "databases: {a: {copies: daily}}",
        "databases: {a: {scratch: {neon: {}, server: {}}}}",
        "databases: {a: {key_tables: [{timestamp: x}]}}",
        "databases: {a: {source: {variables: MY}}}",
        "databases: {a: {retention: {store: {nights: 6}}}}",
        "databases: {a: {migrate: [npm]}}",
        "databases: {a: {offsite: backups}}",
        "alarms: {}\ndatabases: {a: }",
    ],
)
def test_the_schema_refuses_what_the_product_refuses(
    text: str, validator: jsonschema.Draft7Validator, tmp_path: Path
) -> None:
    path = tmp_path / "databases.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError):
        config_file.load(path)
    assert not validator.is_valid(as_json(text))


def test_the_example_names_its_schema_for_editors() -> None:
    first = (ROOT / "databases.yaml").read_text().splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")

    assert (ROOT / named).is_file()
