"""Reads databases.yaml and reports every problem in it at once, each with its key and remedy."""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from hackorda_ops.config.choice import Choice
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.config.places import STORE_SECTIONS, StoreSection
from hackorda_ops.errors import ConfigError
from hackorda_ops.given import given

CONFIG_VARIABLE = "HACKORDA_OPS_CONFIG"
DEFAULT_FILE = "databases.yaml"


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that is given twice: YAML would silently drop the first database."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        # Here, before `<<` adds the keys of another mapping, which this one's own keys may override.
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key_node, _ in node.value:
            key = (key_node.tag, str(key_node.value))
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return node


def locate(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The configuration file: the one given, else $HACKORDA_OPS_CONFIG, else ./databases.yaml."""
    return (path or Path(given(environ, CONFIG_VARIABLE) or DEFAULT_FILE)).absolute()


def load(path: Path) -> Config:
    """Reads and checks a configuration file; relative folders in it are relative to it.

    Raises:
        ConfigError: with every problem found, each with its key and remedy.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506  # it's a SafeLoader
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror or 'cannot be read'}.",
            meaning="Without a configuration, nothing is protected.",
            next_step=f"Write the file (the README has an example), or point ${CONFIG_VARIABLE} at yours.",
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(
            f"{path}{where}: {getattr(error, 'problem', None) or 'not a UTF-8 text'}.",
            meaning="The file is not valid YAML, so nothing in it was used.",
            next_step="Fix that place in the file.",
        ) from None
    try:
        config = Config.model_validate(raw if isinstance(raw, dict) else {})
    except ValidationError as error:
        problems = _describe_problems(error, Config, raw)
        raise ConfigError(
            f"{path} has {len(problems)} problem(s):\n" + "\n".join(problems),
            meaning="Nothing in the file was used.",
            next_step="Fix each line above; the README lists every key.",
        ) from None
    return _anchored(config, path.parent)


def _anchored(config: Config, folder: Path) -> Config:
    """The same configuration with its relative folders made absolute."""

    def at(place: Path) -> Path:
        return folder / place.expanduser()

    def one(database: Policy) -> Policy:
        changes: dict[str, Any] = {
            "source": database.source.model_copy(
                update={"client_folders": tuple(map(at, database.source.client_folders))}
            ),
            "store": database.store.anchored(at),
            "dump": database.dump.model_copy(update={"work_folder": at(database.dump.work_folder)}),
        }
        if database.cutover:
            changes["cutover"] = database.cutover.anchored(at)
        if database.migrate:
            changes["migrate"] = database.migrate.model_copy(
                update={"working_directory": at(database.migrate.working_directory)}
            )
        hooks = database.recover.hooks
        found = {
            name: hook.model_copy(update={"working_directory": at(hook.working_directory)})
            for name, hook in hooks.in_order()
        }
        changes["recover"] = database.recover.model_copy(update={"hooks": hooks.model_copy(update=found)})
        if database.exercise.report_folder is not None:
            changes["exercise"] = database.exercise.model_copy(
                update={"report_folder": at(database.exercise.report_folder)}
            )
        return database.model_copy(update=changes)

    databases = {name: one(database) for name, database in config.databases.items()}
    metrics_file = at(config.metrics_file) if config.metrics_file else None
    return config.model_copy(update={"databases": databases, "metrics_file": metrics_file})


def _describe_problems(error: ValidationError, root: type[BaseModel], raw: Any) -> list[str]:
    """One line per problem: "  <key>: <what is wrong; what to do>", values left out (they may be secrets)."""
    lines: list[str] = []
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    shared = {(each["loc"][1:], each["type"]) for each in problems if each["loc"][:1] == ("defaults",)}
    for problem in problems:
        at = problem["loc"]
        if at[:1] == ("databases",) and (at[2:], problem["type"]) in shared and not _is_written(raw, at):
            continue  # it's the defaults' problem, and reported there
        path = [str(part) for part in at]
        key = ".".join(path) or "the file"
        kind, message = problem["type"], problem["msg"]
        if kind == "extra_forbidden":
            known = list(known_keys(root, path[:-1]))
            close = difflib.get_close_matches(path[-1], known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(known))}"
            message = f"unknown key; {hint}"
        elif kind == "missing":
            message = "missing; add it"
        else:
            message = message.removeprefix("Value error, ")
        if "\n" in message or not path:
            lines.extend(f"  {line}" for line in message.splitlines())
        else:
            lines.append(f"  {key}: {message}")
    return list(dict.fromkeys(lines))


def _is_written(raw: Any, at: tuple[int | str, ...]) -> bool:
    """Whether a key stands in the file itself, where it isn't one of the defaults."""
    for part in at:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def known_keys(model: Any, path: list[str]) -> Iterator[str]:
    """The keys that a section of databases.yaml may have.

    Args:
        model: the section that the path begins in.
        path: the keys that lead to it; [] for `model` itself.
    """
    for candidate in _models(model):
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


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if annotation is StoreSection:
        yield from STORE_SECTIONS.values()
    elif get_origin(annotation) is Annotated:
        yield from _models(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _models(member)
    elif isinstance(annotation, type) and issubclass(annotation, Choice):
        yield annotation.as_written()
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
