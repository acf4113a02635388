"""How two artifacts differ, or an artifact and the database as it is now. Pure: no value of a row is in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import unified_diff
from typing import Final, Literal

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.engines.contents import Definition, PartSeen
from hackorda_ops.words import counted, shortened

Change = Literal["added", "removed", "changed"]

_LINES_SHOWN: Final = 40
_ABSENT: Final = PartSeen(None, None)


@dataclass(frozen=True)
class Side:
    """One of the two that are compared.

    Attributes:
        title: what it is, as people name it.
        captured_at: the moment that it shows, aware.
        parts: what it holds, by name: tables, for example.
        definitions: the schema's objects, by kind and name; None where they couldn't be read.
        unread: parts that it has but that weren't read, with the reason.
    """

    title: str
    captured_at: datetime
    parts: Mapping[str, PartSeen]
    definitions: Mapping[str, Definition] | None
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PartDifference:
    """A part that one side lacks, or that differs.

    Attributes:
        name: the part's.
        change: from the first side to the second.
        before: what the first side has of it.
        after: what the second has.
    """

    name: str
    change: Change
    before: PartSeen
    after: PartSeen

    @property
    def sentence(self) -> str:
        """What differs, in words: numbers of rows, and whether contents differ."""
        if self.change != "changed":
            seen = self.after if self.change == "added" else self.before
            return "" if seen.rows is None else counted(seen.rows, "row")
        before, after = self.before.rows or 0, self.after.rows or 0
        if before == after:
            return f"{counted(after, 'row')} on both sides, with other contents"
        return f"{before:,} → {counted(after, 'row')} ({after - before:+,})"


@dataclass(frozen=True)
class DefinitionDifference:
    """An object of the schema that one side lacks, or that is defined otherwise.

    Attributes:
        name: its kind and name.
        change: from the first side to the second.
        lines: how the text changed, as a unified diff without secrets.
    """

    name: str
    change: Change
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """How two sides differ.

    Attributes:
        before: the first side.
        after: the second.
        parts: those that differ, by name.
        definitions: the schema's objects that differ, by name; None where they couldn't be compared.
        equal_parts: how many parts are equal, row for row.
        not_compared: parts that couldn't be compared, with the reason.
    """

    before: Side
    after: Side
    parts: tuple[PartDifference, ...]
    definitions: tuple[DefinitionDifference, ...] | None
    equal_parts: int
    not_compared: Mapping[str, str]

    @property
    def anything(self) -> bool:
        """Whether anything was found to differ."""
        return bool(self.parts or self.definitions)

    @property
    def complete(self) -> bool:
        """Whether everything could be compared."""
        return self.definitions is not None and not self.not_compared


def side_of(manifest: Manifest, title: str, definitions: Mapping[str, Definition] | None) -> Side:
    """An artifact as one side, by its manifest's evidence.

    Args:
        manifest: the artifact's.
        title: what it is, as people name it.
        definitions: the schema's objects; None where they couldn't be read.
    """
    parts = {each.name: PartSeen(each.rows, each.digest) for each in manifest.parts}
    return Side(title, manifest.captured_at, parts, definitions)


def difference(before: Side, after: Side) -> Difference:
    """Compares two sides, part by part and object by object."""
    not_compared = {**before.unread, **after.unread}
    compared = sorted((before.parts.keys() | after.parts.keys()) - not_compared.keys())
    parts = [each for name in compared for each in _of_part(name, before, after)]
    definitions = None
    if before.definitions is not None and after.definitions is not None:
        definitions = tuple(_of_definitions(before.definitions, after.definitions))
    return Difference(before, after, tuple(parts), definitions, len(compared) - len(parts), not_compared)


def _of_part(name: str, before: Side, after: Side) -> Iterator[PartDifference]:
    one, other = before.parts.get(name), after.parts.get(name)
    if one != other:
        yield PartDifference(name, _change(one, other), one or _ABSENT, other or _ABSENT)


def _of_definitions(
    before: Mapping[str, Definition], after: Mapping[str, Definition]
) -> Iterator[DefinitionDifference]:
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if (one and one.digest) == (other and other.digest):
            continue
        # Without the header that names files; there are none.
        lines = list(unified_diff(_lines(one), _lines(other), lineterm="", n=2))[2:]
        yield DefinitionDifference(
            name,
            _change(one, other),
            shortened(lines or ["a value that isn't shown, because it may be secret"], _LINES_SHOWN),
        )


def _lines(definition: Definition | None) -> list[str]:
    return [] if definition is None else definition.shown.splitlines()


def _change(before: object | None, after: object | None) -> Change:
    return "added" if before is None else "removed" if after is None else "changed"
