"""docs/config.md: every key of databases.yaml, made from the models.

python -m hackorda_ops.config.reference.page > docs/config.md
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml
from pydantic import BaseModel

from hackorda_ops.config.models import Config
from hackorda_ops.config.places import StoreSection
from hackorda_ops.config.reference.keys import Key, about, keys_of
from hackorda_ops.config.values import Section

_DATABASE: Final = "databases.NAME"

_INTRODUCTION: Final = """# Every key of databases.yaml

`make docs` writes this page from the models that check the file; `hackorda-ops config keys` prints the same in a
terminal. [databases.yaml](../databases.yaml) is an example; [docs/teams](teams/README.md) has four more.

```sh
hackorda-ops config check            # every problem of the file, each with its line and what to write
hackorda-ops config show             # what applies, where each value comes from, and whether its variable is set
hackorda-ops config keys schedule    # the keys that have a word in their path
hackorda-ops config schema           # the JSON Schema, for editors
```

The file is looked for under `--config`, then under `$HACKORDA_OPS_CONFIG`, then as `./databases.yaml`. Relative folders
begin at the file. Keys that end in `_env` are names of environment variables; no secret belongs in the file. What
stands in `defaults` applies to every database that doesn't say otherwise: mappings are merged key by key, lists are
not joined.

An editor with YAML support (VS Code with the YAML extension, IntelliJ, Neovim) completes and checks the file by
[databases.schema.json](databases.schema.json) where its first line names that:

```yaml
# yaml-language-server: $schema=docs/databases.schema.json
databases:
  hackorda: {}
```

YAML has a few traps; `config check` says so with the line:

| written | what YAML makes of it | write |
|---|---|---|
| `no: {}` | a database named false: `yes`, `no`, `on` and `off` are booleans | `"no": {}` |
| `night: * * * * *` | a reference to an anchor | `night: "* * * * *"` |
| a tab | an error: only spaces indent | two spaces for each level |
| the same key twice | the first one silently lost: refused here | one of them |
| `source:` below `databases:` | a database of that name | the database's name, and `source:` two spaces further |
"""


@dataclass(frozen=True)
class _Place:
    path: str
    section: type[BaseModel]
    kinds: bool


def text() -> str:
    """The page."""
    places = tuple(_places("", Config, False, ()))
    first = {each.section.__name__: each.path for each in reversed(places)}
    blocks = [_INTRODUCTION]
    for each in places:
        if first[each.section.__name__] == each.path:
            others = [
                one.path
                for one in places
                if one.section.__name__ == each.section.__name__ and one.path != each.path
            ]
            blocks.append(_block(each, others, first))
    return "\n".join(blocks)


@dataclass(frozen=True)
class KeyLine:
    """A key in the list of all keys: its path, its values, its default, and what it is."""

    path: str
    values: str
    default: str
    about: str


def lines() -> Iterator[KeyLine]:
    """Every key there is, in the models' order."""
    for place in _places("", Config, False, ()):
        for key in keys_of(place.section):
            yield KeyLine(_joined(place.path, key.name), _values(key), _default(key), key.about)


def _places(
    path: str, section: type[BaseModel], kinds: bool, above: tuple[type[BaseModel], ...]
) -> Iterator[_Place]:
    yield _Place(path, section, kinds)
    for key in keys_of(section):
        if path == "" and key.name == "defaults":
            continue  # the same keys as a database's
        for each in key.sections:
            below = _joined(path, key.name) + {"list": "[]", "mapping": ".NAME"}.get(key.many, "")
            named = (
                f"{below} ({each.key})" if issubclass(each, StoreSection) and len(key.sections) > 1 else below
            )
            if each not in above:
                yield from _places(named, each, key.kinds, (*above, each))


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _block(place: _Place, others: list[str], first: Mapping[str, str]) -> str:
    title = f"`{place.path}`" if place.path else "The file"
    parts = [f"## {title}", about(place.section)]
    if place.kinds:
        parts.append("Exactly one of these keys:")
    if others:
        parts.append("The same keys: " + ", ".join(f"`{each}`" for each in others) + ".")
    if issubclass(place.section, Section):
        parts += [
            f"In short: {form['description'].rstrip('.')}, as `{as_yaml(form['examples'][0])}`."
            for form in place.section.in_short
        ]
    rows = ["| key | value | default | what it is |", "|---|---|---|---|"]
    rows += [_row(key, place.path, first, kinds=place.kinds) for key in keys_of(place.section)]
    return "\n\n".join([*parts, "\n".join(rows)]) + "\n"


def _row(key: Key, path: str, first: Mapping[str, str], *, kinds: bool) -> str:
    described = key.about
    if key.examples:
        described += f" Example: `{as_yaml(key.examples[0])}`"
    links = (
        [f"[{_linked(first[each.__name__])}](#{_anchor(first[each.__name__])})" for each in key.sections]
        if path or key.name != "defaults"
        else [f"[{_DATABASE}](#{_anchor(_DATABASE)})"]
    )
    values = " or ".join(dict.fromkeys(links)) if key.sections else _values(key)
    if key.sections and key.may_be_null and not kinds:
        values += ", or `null`"
    default = "" if kinds else _default(key)
    return f"| `{key.name}` | {_cell(values)} | {_cell(default)} | {_cell(described)} |"


def _linked(path: str) -> str:
    return path.removeprefix(f"{_DATABASE}.")


def _anchor(path: str) -> str:
    # As GitHub makes them of headings.
    return re.sub(r"[^a-z0-9_-]", "", path.lower().replace(" ", "-"))


def _cell(said: str) -> str:
    return said.replace("|", "\\|")


def as_yaml(value: Any) -> str:
    """A value as one would write it, in a line."""
    return (
        str(yaml.safe_dump(value, default_flow_style=True, width=1000, allow_unicode=True))
        .removesuffix("\n...\n")
        .strip()
    )


def _default(key: Key) -> str:
    if key.required:
        return "must be given"
    if key.default in (None, "", []) or (not key.sections and key.default == {}):
        return "none" if not key.sections or key.may_be_null or key.many else ""
    if key.default == {}:
        return ""  # those of its keys
    return f"`{as_yaml(key.default)}`"


def _values(key: Key) -> str:
    if key.sections:
        return "keys of its own"
    said = _words(key.value)
    return f"{said}; {key.unit}" if key.unit else said


def _words(value: Mapping[str, Any]) -> str:
    if "anyOf" in value:
        return " or ".join(_words(each) for each in value["anyOf"] if each.get("type") != "null")
    if "enum" in value:
        return " or ".join(f"`{each}`" for each in value["enum"])
    kind = str(value.get("type", ""))
    if kind == "array":
        return f"list of {_MANY[_words(value.get('items', {}))]}"
    if kind == "string":
        return _TEXTS.get(value.get("format", "pattern" if "pattern" in value else ""), "text")
    return {"boolean": "true or false", "object": "mapping of names to text"}.get(kind) or _number(
        kind, value
    )


_MANY: Final = {
    "text": "texts",
    "path": "paths",
    "variable's name": "variables' names",
    "e-mail address or team": "e-mail addresses and teams",
}
_TEXTS: Final = {
    "path": "path",
    "cron": "cron expression",
    "time-zone": "time zone",
    "date": "date",
    "owner": "e-mail address or team",
    "pattern": "variable's name",
}


def _number(kind: str, value: Mapping[str, Any]) -> str:
    said = "whole number" if kind == "integer" else "number"
    least, most = value.get("minimum"), value.get("maximum")
    if "exclusiveMinimum" in value:
        said += f" above {_plain(value['exclusiveMinimum'])}"
    elif least is not None and most is not None:
        return f"{said} from {_plain(least)} to {_plain(most)}"
    elif least is not None:
        said += f", {_plain(least)} or more"
    return f"{said}, up to {_plain(most)}" if most is not None else said


def _plain(number: float) -> str:
    return json.dumps(int(number) if number == int(number) else number)


if __name__ == "__main__":
    print(text(), end="")
