"""Where each value of a configuration comes from: the file, its defaults, the product, or another key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from hackorda_ops.config.choice import Choice
from hackorda_ops.config.defaults import with_defaults
from hackorda_ops.config.models import Config
from hackorda_ops.config.source import ConnectionVariables
from hackorda_ops.config.text.written import KeyPath, Written
from hackorda_ops.given import given

Comes = Literal["file", "defaults", "product", "another key"]

_NOT_THERE: Final = object()


@dataclass(frozen=True)
class ValueOrigin:
    """A value that applies, and where it comes from.

    Attributes:
        path: its key.
        value: as JSON.
        comes: from where.
        line: of the file; None where it isn't in the file.
        variables: the environment variables that it names, each with whether it is set.
    """

    path: KeyPath
    value: Any
    comes: Comes
    line: int | None
    variables: Mapping[str, bool]

    @property
    def key(self) -> str:
        """Its key, as one writes it."""
        return ".".join(map(str, self.path))


def origins(config: Config, written: Written, environ: Mapping[str, str]) -> Iterator[ValueOrigin]:
    """Every value of a configuration, in the order in which the models declare them.

    Args:
        config: what applies.
        written: the file that says so.
        environ: where the variables are looked up; no value of theirs is kept.
    """
    merged = with_defaults(written.content)
    for each in _values(config, ()):
        comes, line = _comes(each, written, merged)
        are_set = {name: bool(given(environ, name)) for name in each.variables}
        yield ValueOrigin(each.path, each.value, comes, line, are_set)


@dataclass(frozen=True)
class _Value:
    path: KeyPath
    value: Any
    is_default: bool
    names_variables: bool

    @property
    def variables(self) -> tuple[str, ...]:
        if not self.names_variables or not self.value:
            return ()
        return (self.value,) if isinstance(self.value, str) else tuple(self.value)


def _values(value: BaseModel, path: KeyPath) -> Iterator[_Value]:
    if isinstance(value, Choice):
        yield from _values(value.section, (*path, value.provider))
        return
    names = isinstance(value, ConnectionVariables)
    for name, field in type(value).model_fields.items():
        if path == () and name == "defaults":
            continue  # they are in the databases
        held, at = getattr(value, name), (*path, name)
        parts = _parts(held, at)
        if parts is None:
            is_default = not field.is_required() and held == field.get_default(call_default_factory=True)
            names_variables = name.endswith("_env") or (names and name != "family")
            yield _Value(at, to_jsonable_python(held), is_default, names_variables)
        for below, part in parts or ():
            yield from _values(part, below)


def _parts(held: Any, at: KeyPath) -> list[tuple[KeyPath, BaseModel]] | None:
    """The sections in a value; None for a plain one."""
    if isinstance(held, BaseModel):
        return [(at, held)]
    if isinstance(held, tuple) and held and all(isinstance(each, BaseModel) for each in held):
        return [((*at, number), each) for number, each in enumerate(held)]
    if isinstance(held, dict) and any(isinstance(each, BaseModel) for each in held.values()):
        return [((*at, name), each) for name, each in held.items()]
    return None


def _comes(value: _Value, written: Written, merged: Any) -> tuple[Comes, int | None]:
    path = value.path
    own = _line_of(value, path, written)
    if own is not None:
        return "file", own
    if path[0] != "databases":
        return "product", None
    if _reached(path, merged)[0] is not _NOT_THERE:
        shared = _line_of(value, ("defaults", *path[2:]), written)
        if shared is not None:
            return "defaults", shared
    return ("another key", None) if _follows(path, merged) else ("product", None)


def _line_of(value: _Value, path: KeyPath, written: Written) -> int | None:
    """The line that says a value: its own, or that of a section above it that is written in short."""
    found, reached = _reached(path, written.content)
    if found is _NOT_THERE or (reached != path and value.is_default):
        return None
    return written.lines.get(reached)


def _reached(path: KeyPath, content: Any) -> tuple[Any, KeyPath]:
    """What stands at a path, or in its place: a section in short, which has no keys. And how far the path reached."""
    for depth, part in enumerate(path):
        if isinstance(content, dict) or (isinstance(content, list) and isinstance(part, int)):
            try:
                content = content[part]  # type: ignore[index]
            except (KeyError, IndexError):
                return _NOT_THERE, path[:depth]
        elif content is None:
            return _NOT_THERE, path[:depth]
        else:
            return content, path[:depth]
    return content, path


def _follows(path: KeyPath, merged: Any) -> bool:
    """Whether a value that nobody wrote follows from another key: a family's names, the nights that go off-site."""
    name, rest = path[1], path[2:]
    said = merged["databases"][name] or {}
    if "variables" in rest[:-1]:
        return True
    return rest[0] == "store" and said.get("copies") == "nightly"
