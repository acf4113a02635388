"""Problems with what databases.yaml says, a line for each: where, which key, what is wrong and what to do."""

import difflib
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from hackorda_ops.config.choice import Choice
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.config.places import STORE_SECTIONS, StoreSection
from hackorda_ops.config.text.written import KeyPath, Written

_TEXT_EXPECTED: Final = {"string_type", "path_type"}
# What pydantic adds to a key's path that isn't in the file.
_INVISIBLE: Final = "[key]"


def described(error: ValidationError, written: Written) -> list[str]:
    """One line per problem: "  line 4: KEY: WHAT IS WRONG"; values are left out, as they may be secrets.

    Args:
        error: what the models said of the file's content.
        written: the file.
    """
    lines = [f"  {each}" for each in written.misread]
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    shared = {(each["loc"][1:], each["type"]) for each in problems if each["loc"][:1] == ("defaults",)}
    for problem in problems:
        at = problem["loc"]
        if at[:1] == ("databases",) and (at[2:], problem["type"]) in shared and at not in written.lines:
            continue  # it's the defaults' problem, and reported there
        path = tuple(part for part in at if part != _INVISIBLE)
        kind, message = problem["type"], problem["msg"].removeprefix("Value error, ")
        if kind == "extra_forbidden":
            message = _unknown_key([str(part) for part in path])
        elif kind == "missing":
            message = "missing; add it"
        elif kind in _TEXT_EXPECTED and (taken_for := written.not_text.get(path)):
            message = f"YAML reads this value as {taken_for}, where text belongs; put it in quotes"
        elif kind in ("model_type", "dict_type"):
            message = "needs keys of its own below it, each indented by two spaces more"
        lines += (
            [_placed(each, written) for each in message.splitlines()]
            if "\n" in message or not path
            else [_with_line(path, f"{'.'.join(map(str, path))}: {message}", written)]
        )
    lines += _misplaced(written)
    return list(dict.fromkeys(lines))


def _with_line(path: KeyPath, said: str, written: Written) -> str:
    line = written.line(path)
    return f"  line {line}: {said}" if line is not None else f"  {said}"


def _placed(said: str, written: Written) -> str:
    """A problem that names its key itself ("databases.shop.source.url_env: …")."""
    key, colon, _ = said.partition(": ")
    return _with_line(tuple(key.split(".")) if colon else (), said, written)


def _unknown_key(path: list[str]) -> str:
    known = list(known_keys(Config, path[:-1]))
    close = difflib.get_close_matches(path[-1], known, n=1)
    if not close and len(path) == 1 and isinstance(path[0], str):
        if path[0] in Policy.model_fields:
            return f"unknown key; {path[0]} belongs below a database: databases.NAME.{path[0]}"
        return "unknown key; a database belongs below databases, indented by two spaces"
    return "unknown key; " + (
        f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(known))}"
    )


def _misplaced(written: Written) -> Iterator[str]:
    """Keys of a database that stand where the databases' names belong: indented by too little."""
    content = written.content
    named = content.get("databases") if isinstance(content, dict) else None
    for name in named if isinstance(named, dict) else ():
        if name in Policy.model_fields:
            yield _with_line(
                ("databases", name),
                f"databases.{name}: this is the place of a database's name; if {name} is meant as a key of a "
                "database, write the database's name above it and indent it by two spaces more",
                written,
            )


def known_keys(model: Any, path: list[str]) -> Iterator[str]:
    """The keys that a section of databases.yaml may have.

    Args:
        model: the section that the path begins in.
        path: the keys that lead to it; [] for `model` itself.
    """
    if path and path[0].isdigit():
        # One of a list, where one alone may be written as well.
        yield from known_keys(model, path[1:])
        return
    for candidate in sections_of(model):
        if not path:
            yield from candidate.model_fields
            continue
        field = candidate.model_fields.get(path[0])
        if field is not None:
            rest = path[1:]
            annotation = field.annotation
            if get_origin(annotation) in (dict, tuple):
                annotation, rest = get_args(annotation)[-1 if get_origin(annotation) is dict else 0], rest[1:]
            yield from known_keys(annotation, rest)


def sections_of(annotation: Any) -> Iterator[type[BaseModel]]:
    """The sections that a key of this type may hold; none where it holds a plain value."""
    if annotation is StoreSection:
        yield from STORE_SECTIONS.values()
    elif get_origin(annotation) is Annotated:
        yield from sections_of(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from sections_of(member)
    elif isinstance(annotation, type) and issubclass(annotation, Choice):
        yield annotation.as_written()
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
