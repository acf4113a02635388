"""The keys of databases.yaml as the models declare them: for the reference, and for the schema that editors use."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, get_args, get_origin

import docstring_parser
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from hackorda_ops.config.choice import Choice, KindSection
from hackorda_ops.config.text.problems import sections_of

# A key's name ends in its unit.
_UNITS: Final = {
    "_usd_per_gb_month": "US dollars for a gigabyte and month",
    "_percent_per_day": "percent for each day",
    "_percent": "percent",
    "_seconds": "seconds",
    "_minutes": "minutes",
    "_hours": "hours",
    "_days": "days",
    "_rows": "rows",
    "_mb": "megabytes",
}


@dataclass(frozen=True)
class Key:
    """A key of a section.

    Attributes:
        name: as it's written.
        about: what it says, in a sentence.
        value: a JSON Schema of its plain values; empty where it holds sections alone.
        unit: of its number; "" where it has none.
        required: whether it must be given.
        default: its value where it's not given, as JSON; None also where that is nothing.
        examples: values that people write.
        sections: the sections that it may hold.
        many: whether it holds a "list" or a "mapping" of them; "" for one.
        may_be_null: whether null may be written.
        kinds: whether the keys of its section are kinds, of which exactly one is named.
    """

    name: str
    about: str
    value: Mapping[str, Any]
    unit: str
    required: bool
    default: Any
    examples: tuple[Any, ...]
    sections: tuple[type[BaseModel], ...]
    many: str
    may_be_null: bool
    kinds: bool


def about(section: type[BaseModel]) -> str:
    """What a section is for: the text of its class, without that on its keys."""
    parsed = docstring_parser.parse(
        inspect.getdoc(section) or "", style=docstring_parser.DocstringStyle.GOOGLE
    )
    return " ".join(filter(None, (parsed.short_description, parsed.long_description))).replace("\n", " ")


def keys_of(section: type[BaseModel]) -> Iterator[Key]:
    """The keys of a section, in the order in which the models declare them."""
    told: dict[str, str] = {}
    for each in reversed(section.__mro__):  # a kind's section may be built on another's
        parsed = docstring_parser.parse(
            inspect.getdoc(each) or "", style=docstring_parser.DocstringStyle.GOOGLE
        )
        told |= {one.arg_name: " ".join((one.description or "").split()) for one in parsed.params}
    for name, field in section.model_fields.items():
        sections = tuple(sections_of(_held(field)))
        if name not in told and sections and issubclass(sections[0], KindSection):
            told[name] = about(sections[0])
        yield _key(name, told.get(name, ""), field, sections)


def _held(field: FieldInfo) -> Any:
    annotation = field.annotation
    return get_args(annotation)[-1 if get_origin(annotation) is dict else 0] if _many(field) else annotation


def _many(field: FieldInfo) -> str:
    annotation = field.annotation
    kind = {tuple: "list", dict: "mapping"}.get(get_origin(annotation), "")  # type: ignore[arg-type]
    held = get_args(annotation)[-1 if kind == "mapping" else 0] if kind else None
    return kind if kind and any(sections_of(held)) else ""


def _key(name: str, described: str, field: FieldInfo, sections: tuple[type[BaseModel], ...]) -> Key:
    value: dict[str, Any] = {}
    if not sections:
        plain: Any = Annotated[field.annotation, *(field.metadata or [None])]
        value = TypeAdapter(plain).json_schema()
    default = None if field.is_required() else _plain(field.get_default(call_default_factory=True))
    return Key(
        name=name,
        about=described[:1].upper() + described[1:],
        value=value,
        unit=next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), ""),
        required=field.is_required(),
        default=default,
        examples=tuple(field.examples or ()),
        sections=sections,
        many=_many(field),
        may_be_null=type(None) in get_args(field.annotation),
        kinds=bool(sections)
        and all(
            issubclass(each, BaseModel)
            and bool(each.model_fields)
            and all(_is_kind(one) for one in each.model_fields.values())
            for each in sections
        ),
    )


def _plain(default: Any) -> Any:
    if isinstance(default, Choice):
        return {default.provider: _plain(default.section)}
    if isinstance(default, BaseModel):
        return default.model_dump(mode="json", exclude_defaults=True)
    return to_jsonable_python(default)


def _is_kind(field: FieldInfo) -> bool:
    held = tuple(sections_of(field.annotation))
    return bool(held) and all(issubclass(each, KindSection) for each in held)
