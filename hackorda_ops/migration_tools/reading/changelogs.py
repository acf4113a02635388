"""What a Liquibase changelog has in it, in formatted SQL, XML, YAML or JSON."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import yaml

from hackorda_ops.migration_tools.tool import text_of

_FORMATTED: Final = re.compile(r"\s*--\s*liquibase\s+formatted\s+sql", re.IGNORECASE)
_CHANGE_SET: Final = re.compile(
    r"""^\s*--\s*changeset\s+("[^"\n]+"|[^\s:]+):("[^"\n]+"|\S+)([^\n]*)((?:\n\s*--(?!\s*changeset)[^\n]*)*)""",
    re.IGNORECASE | re.MULTILINE,
)
_CONDITIONS: Final = ("context", "contextFilter", "labels", "dbms", "preConditions")
_SQL_CONDITIONS: Final = re.compile(r"\b(context|contextFilter|labels|dbms|precondition\S*)\b", re.IGNORECASE)
_LOGICAL: Final = re.compile(r"""\blogicalFilePath:("[^"\n]+"|\S+)""", re.IGNORECASE)


@dataclass(frozen=True)
class ChangeSet:
    """A change set.

    Attributes:
        id, author: as its changelog has them.
        conditional: whether it runs only under conditions.
        file: the name that it has in the table in place of its file's; "" if that is the file's own.
    """

    id: str
    author: str
    conditional: bool
    file: str = ""


@dataclass(frozen=True)
class Include:
    """Another changelog, or all in a folder.

    Attributes:
        path: as it's written.
        relative: whether it starts at the including file's folder alone.
        whole_folder: whether it's a folder.
        conditional: whether what is in it runs only under conditions.
    """

    path: str
    relative: bool
    whole_folder: bool
    conditional: bool


def read_changelog(path: Path) -> tuple[ChangeSet | Include, ...] | None:
    """Reads a changelog; None if the file is none, or can't be read."""
    text = text_of(path)
    if text is None:
        return None
    if path.suffix == ".sql":
        return tuple(_in_sql(text)) if _FORMATTED.match(text) else None
    if "databaseChangeLog" not in text:
        return None
    try:
        if path.suffix == ".xml":
            return _in_xml(text)
        document = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        return _in_document(document)
    except (
        ElementTree.ParseError,
        yaml.YAMLError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
    ):
        return None


def _in_sql(text: str) -> Iterator[ChangeSet]:
    for match in _CHANGE_SET.finditer(text.replace("\r\n", "\n")):
        author, name, attributes, lines = match.groups()
        logical = _LOGICAL.search(attributes)
        yield ChangeSet(
            name.strip('"'),
            author.strip('"'),
            bool(_SQL_CONDITIONS.search(attributes) or re.search(r"--\s*precondition", lines, re.IGNORECASE)),
            logical[1].strip('"') if logical else "",
        )


def _in_xml(text: str) -> tuple[ChangeSet | Include, ...] | None:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # what it would expand to is nobody's business here
        return None
    root = ElementTree.fromstring(text)  # noqa: S314  # no entities
    if _tag(root) != "databaseChangeLog":
        return None
    everywhere = root.get("logicalFilePath", "")
    found: list[ChangeSet | Include] = []
    for element in root:
        values: dict[str, Any] = dict(element.attrib)
        values.update({_tag(child): True for child in element if _tag(child) == "preConditions"})
        found.extend(_entry(_tag(element), values, everywhere))
    return tuple(found)


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _in_document(document: Any) -> tuple[ChangeSet | Include, ...] | None:
    entries = document.get("databaseChangeLog")
    if not isinstance(entries, list):
        return None
    everywhere = next((str(each["logicalFilePath"]) for each in entries if "logicalFilePath" in each), "")
    return tuple(
        found
        for entry in entries
        for kind, values in entry.items()
        for found in _entry(kind, values, everywhere)
    )


def _entry(kind: str, values: Any, everywhere: str) -> Iterator[ChangeSet | Include]:
    if not isinstance(values, Mapping):
        return
    conditional = any(values.get(name) for name in _CONDITIONS)
    if kind == "changeSet":
        yield ChangeSet(
            str(values["id"]),
            str(values["author"]),
            conditional,
            str(values.get("logicalFilePath") or everywhere),
        )
    elif kind in ("include", "includeAll"):
        path = values["file" if kind == "include" else "path"]
        relative = str(values.get("relativeToChangelogFile", "")).lower() == "true"
        yield Include(str(path), relative, kind == "includeAll", conditional)
