"""The text of a schema, split into its objects so that two can be compared entry by entry."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff

from hackorda_ops.evidence.next_steps import MADE_IN_THE_COPY, NOT_MADE
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.definitions.archive_text import HEADER, named, without_secrets
from hackorda_ops.words import shortened

# Lines about the session between two objects, where their place depends on the order of the objects. Only
# after an object's text: inside it, in a function's body, such a line belongs to the object.
_AFTER_AN_OBJECT = re.compile(
    r"(?:\n(?:SET default_(?:tablespace|table_access_method) = .*;|\\unrestrict .*"
    r"|--|-- PostgreSQL database dump complete)?)+\Z"
)
# Named in an archive with data even when only its schema is asked for; no object of the schema.
_DATA_TYPES = frozenset({"MATERIALIZED VIEW DATA", "STATISTICS DATA"})
# Recognized by its text as well: a name may look like the rest of the heading, which then can't be split reliably.
_REFRESH = "REFRESH MATERIALIZED VIEW "
_COMPARE_BY_HAND = (
    "Restore this artifact into a new, empty database (`hackorda-ops restore`) and compare the object there with the "
    "backup's lines: if they are the same, something altered it in this copy."
)
_LINES_SHOWN = 12
_PIECE_CHARACTERS = 160


@dataclass(frozen=True, order=True)
class SchemaObject:
    """One entry of a schema dump: "TABLE public.users"."""

    type: str
    schema: str
    name: str

    def __str__(self) -> str:
        return named(self.type, self.schema, self.name)


def objects_of(script: str) -> Mapping[SchemaObject, tuple[str, ...]]:
    """Splits the text that pg_restore writes.

    Args:
        script: of `pg_restore --schema-only --file=-`.

    Returns:
        By object, its SQL; several, sorted, where several objects have the same type and name.
    """
    headers = list(HEADER.finditer(script))
    # As many as headers, so none where nothing was made in the database.
    ends = [*(header.start() for header in headers[1:]), len(script)][: len(headers)]
    found: dict[SchemaObject, list[str]] = {}
    for header, end in zip(headers, ends, strict=True):
        text = _AFTER_AN_OBJECT.sub("", script[header.end() : end]).strip()
        if header["type"] in _DATA_TYPES or text.startswith(_REFRESH):
            continue
        key = SchemaObject(header["type"], header["schema"], header["name"])
        found.setdefault(key, []).append(text)
    return {key: tuple(sorted(texts)) for key, texts in found.items()}


def object_list_findings(
    archive: Mapping[SchemaObject, tuple[str, ...]], restored: Mapping[SchemaObject, tuple[str, ...]]
) -> Iterator[Finding]:
    """A finding for every object that the archive has and the restored database hasn't, or the reverse."""
    wanted = Counter({key: len(texts) for key, texts in archive.items()})
    there = Counter({key: len(texts) for key, texts in restored.items()})
    for key in sorted(wanted - there):
        yield Finding(
            "schema object missing", str(key), "in the backup", "not in the restored copy", NOT_MADE
        )
    for key in sorted(there - wanted):
        yield Finding(
            "schema object added", str(key), "not in the backup", "in the restored copy", MADE_IN_THE_COPY
        )


def differing(
    one: Mapping[SchemaObject, tuple[str, ...]], other: Mapping[SchemaObject, tuple[str, ...]]
) -> tuple[SchemaObject, ...]:
    """The objects that both have and that differ in their text."""
    return tuple(sorted(key for key in one.keys() & other.keys() if one[key] != other[key]))


def text_finding(key: SchemaObject, expected: tuple[str, ...], observed: tuple[str, ...]) -> Finding:
    """A finding for an object that came back different; it shows the lines that differ, without secrets.

    Args:
        key: the object.
        expected: its definitions in the backup.
        observed: its definitions in the restored copy.
    """
    return Finding(
        "schema differs",
        str(key),
        "the definition in the backup (lines with -)",
        _diff(_shown(key, expected), _shown(key, observed))
        or "a different value, not shown because it may be secret",
        _COMPARE_BY_HAND,
    )


def _shown(key: SchemaObject, texts: tuple[str, ...]) -> list[str]:
    text = without_secrets(key.type, "\n".join(texts))
    # Long lines are wrapped, so that a diff shows the part that differs.
    return [
        line[start : start + _PIECE_CHARACTERS]
        for line in text.split("\n")
        for start in range(0, len(line) or 1, _PIECE_CHARACTERS)
    ]


def _diff(expected: list[str], observed: list[str]) -> str:
    """A unified diff without its file-name header, no longer than anyone will read."""
    lines = list(unified_diff(expected, observed, lineterm="", n=1))[2:]
    return "\n".join(shortened(lines, _LINES_SHOWN, "… and {} more lines"))
