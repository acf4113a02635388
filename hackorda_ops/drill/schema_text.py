"""The text of a schema, taken apart into its objects so that two can be compared entry by entry."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from hackorda_ops.findings import Finding
from hackorda_ops.postgres.connection import redact

_HEADER = re.compile(
    r"^--\n-- Name: (?P<name>.*); Type: (?P<type>[A-Z ]+); Schema: (?P<schema>.*); Owner: .*\n--\n",
    re.MULTILINE,
)
# Said between two objects and about the session, where their place depends on the order of the objects.
_NOT_OF_AN_OBJECT = re.compile(
    r"^(?:SET default_(?:tablespace|table_access_method) = .*;|\\(?:un)?restrict .*"
    r"|--|-- PostgreSQL database dump complete)\n",
    re.MULTILINE,
)
# Named in an archive with data even when only its schema is asked for; no object of the schema.
_DATA_TYPES = frozenset({"MATERIALIZED VIEW DATA", "STATISTICS DATA"})
# Their options hold passwords.
_SECRET_TYPES = frozenset({"USER MAPPING", "SERVER", "SUBSCRIPTION", "FOREIGN DATA WRAPPER"})
_REMEDY = "Do not rely on this artifact before you know why: restore it by hand and compare the object."
_SHOWN_CHARACTERS = 300


@dataclass(frozen=True, order=True)
class SchemaObject:
    """One entry of a schema dump: "TABLE public.users"."""

    type: str
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.type} {self.name if self.schema == '-' else f'{self.schema}.{self.name}'}"


def objects_of(script: str) -> Mapping[SchemaObject, tuple[str, ...]]:
    """Takes the text that pg_restore writes apart.

    Args:
        script: of `pg_restore --schema-only --file=-`.

    Returns:
        By object, its SQL; several, sorted, where several objects have the same type and name.
    """
    headers = list(_HEADER.finditer(script))
    ends = [header.start() for header in headers[1:]] + [len(script)]
    found: dict[SchemaObject, list[str]] = {}
    for header, end in zip(headers, ends, strict=True):
        if header["type"] in _DATA_TYPES:
            continue
        key = SchemaObject(header["type"], header["schema"], header["name"])
        found.setdefault(key, []).append(_NOT_OF_AN_OBJECT.sub("", script[header.end() : end]).strip())
    return {key: tuple(sorted(texts)) for key, texts in found.items()}


def object_list_findings(
    archive: Mapping[SchemaObject, tuple[str, ...]], restored: Mapping[SchemaObject, tuple[str, ...]]
) -> Iterator[Finding]:
    """A finding for every object that the archive has and the restored database hasn't, or the reverse."""
    wanted = Counter({key: len(texts) for key, texts in archive.items()})
    there = Counter({key: len(texts) for key, texts in restored.items()})
    for key in sorted(wanted - there):
        yield Finding("schema object missing", str(key), "in the backup", "not in the restored copy", _REMEDY)
    for key in sorted(there - wanted):
        yield Finding("schema object added", str(key), "not in the backup", "in the restored copy", _REMEDY)


def differing(
    one: Mapping[SchemaObject, tuple[str, ...]], other: Mapping[SchemaObject, tuple[str, ...]]
) -> tuple[SchemaObject, ...]:
    """The objects that both have and that differ in their text."""
    return tuple(sorted(key for key in one.keys() & other.keys() if one[key] != other[key]))


def text_finding(key: SchemaObject, expected: tuple[str, ...], observed: tuple[str, ...]) -> Finding:
    """A finding for an object that came back otherwise; it shows the first line that differs."""
    if key.type in _SECRET_TYPES:
        shown = ("as in the backup", "another definition (not shown: such objects hold passwords)")
    else:
        shown = _first_difference("\n".join(expected), "\n".join(observed))
    return Finding("schema differs", str(key), *shown, _REMEDY)


def _first_difference(expected: str, observed: str) -> tuple[str, str]:
    for wanted, found in zip_longest(expected.splitlines(), observed.splitlines(), fillvalue="(nothing)"):
        if wanted != found:
            return _shown(wanted), _shown(found)
    return _shown(expected), _shown(observed)


def _shown(line: str) -> str:
    return redact(line.strip())[:_SHOWN_CHARACTERS]
