"""databases.yaml as it's written: its content, the line of each key, and what to write where it isn't YAML."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from hackorda_ops.config.text.not_yaml import explained
from hackorda_ops.errors import ConfigError

KeyPath = tuple[str | int, ...]

_PLAIN_TAGS: Final = {
    "tag:yaml.org,2002:bool": "a yes or no",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:timestamp": "a date",
}


@dataclass(frozen=True)
class Written:
    """A file as it's written.

    Attributes:
        content: what YAML makes of it.
        lines: the line of each key and of each list's item, counted from 1.
        not_text: what YAML takes a value for ("a number") that isn't text, by its key.
        misread: problems with keys that YAML doesn't take for text, a line each.
    """

    content: Any
    lines: Mapping[KeyPath, int]
    not_text: Mapping[KeyPath, str]
    misread: tuple[str, ...]

    def line(self, path: KeyPath) -> int | None:
        """The line of a key, or of the nearest one above it that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


class _GivenTwice(yaml.MarkedYAMLError):
    def __init__(self, key: yaml.ScalarNode, first: yaml.Mark) -> None:
        super().__init__(None, first, None, key.start_mark)
        self.key = key.value
        self.first_line = first.line + 1


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that is given twice, where YAML would silently drop the first; keeps every key as text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.misread: list[str] = []

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        # Here, before `<<` adds the keys of another mapping, which this one's own keys may override.
        node = super().compose_mapping_node(anchor)
        seen: dict[str, yaml.Mark] = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue
            taken_for = _PLAIN_TAGS.get(key_node.tag)
            if taken_for is not None:
                self.misread.append(_quote_the_key(key_node, taken_for))
                key_node.tag = "tag:yaml.org,2002:str"
            if key_node.value in seen:
                raise _GivenTwice(key_node, seen[key_node.value])
            seen[key_node.value] = key_node.start_mark
        return node


def _quote_the_key(node: yaml.ScalarNode, taken_for: str) -> str:
    return (
        f"line {node.start_mark.line + 1}: YAML reads the key {node.value or '(empty)'} as {taken_for}, "
        f'not as a name; put it in quotes: "{node.value or "name"}":'
    )


def read(path: Path) -> Written:
    """Reads a file; what it says is not checked yet.

    Raises:
        OSError: it can't be read.
        ConfigError: it's not YAML; with its line, and what to write there.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        loader = _StrictLoader(text)
        try:
            node = loader.get_single_node()
            content = loader.construct_document(node) if node else None
        finally:
            loader.dispose()
        lines, not_text = {}, {}
        for at, line, taken_for in _placed(node, (), ()):
            lines[at] = line
            if taken_for:
                not_text[at] = taken_for
    except UnicodeDecodeError:
        raise _not_yaml(str(path), "it is not a UTF-8 text", "Save it as UTF-8.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _not_yaml(
            f"{path}, line {line}",
            "there is a control character",
            "Delete it, or write the value in double quotes with an escape.",
        ) from None
    except yaml.MarkedYAMLError as error:
        what, remedy = explained(error, text.splitlines())
        if isinstance(error, _GivenTwice):
            what = f"the key {error.key!r} is given twice, first on line {error.first_line}"
            remedy = "Keep one of the two, with all that belongs below it."
        mark = error.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise _not_yaml(f"{path}{where}", what, remedy) from None
    except RecursionError:
        raise _not_yaml(
            str(path), "it is nested too deeply, or an anchor contains itself", "Unfold it."
        ) from None
    except (ValueError, yaml.YAMLError):
        # A date that there isn't (2026-02-30), for one.
        raise _not_yaml(
            str(path), "a value has a form that YAML can't read", "Put such values in quotes."
        ) from None
    return Written(content, lines, not_text, tuple(loader.misread))


def _not_yaml(where: str, what: str, remedy: str) -> ConfigError:
    return ConfigError(
        f"{where}: {what}.",
        meaning="The file is not valid YAML, so nothing in it was used.",
        next_step=remedy,
    )


def _placed(
    node: yaml.Node | None, path: KeyPath, above: tuple[int, ...]
) -> Iterator[tuple[KeyPath, int, str | None]]:
    if node is None or id(node) in above:
        return
    above = (*above, id(node))
    # `<<` was unfolded by then: its keys come first, and a mapping's own override them.
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                at = (*path, key.value)
                yield at, key.start_mark.line + 1, _PLAIN_TAGS.get(value.tag)
                yield from _placed(value, at, above)
    elif isinstance(node, yaml.SequenceNode):
        for number, each in enumerate(node.value):
            yield (*path, number), each.start_mark.line + 1, _PLAIN_TAGS.get(each.tag)
            yield from _placed(each, (*path, number), above)
