"""JSON that somebody else may have written: parsed here and nowhere else, within limits, or refused with the reason.

Whoever can write to a store, to a server's comments or to a folder of this machine may write anything there. What is
parsed here holds no number, text, time or depth that what reads it has to be ready for.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""Times outside of these are no backup's. Between them zones and intervals that are added stay in Python's range."""

# Far above any manifest (5,000 tables make about 10 MB), far below what would hurt this process.
MOST_BYTES: Final = 64 * 1024 * 1024
# 30,000 tables of 100 values each. A value takes some hundred bytes of memory.
_MOST_VALUES: Final = 3_000_000
_MOST_CHARACTERS: Final = 1_000_000
# Sizes, rows and a server's identifier, which has 64 bits.
_LARGEST: Final = 2**64
_NUL: Final = b"\\u0000"


def within_limits(seconds: float) -> datetime:
    """A time that a disk or a server tells, in seconds since 1970; one beyond the limits is moved to the nearest."""
    return datetime.fromtimestamp(min(max(seconds, EARLIEST.timestamp()), LATEST.timestamp()), UTC)


class Unreadable(ValueError):
    """Why a text is not taken, as a clause that quotes nothing of it."""


def parsed(data: bytes) -> Any:
    """What a JSON text says.

    Args:
        data: the text, in UTF-8.

    Raises:
        Unreadable: it isn't JSON, gives a key twice, has NaN, infinity or NUL in it, or is larger, deeper or of more
            values than anything that this product writes.
    """
    from pydantic_core import from_json  # noqa: PLC0415  # which every command would load

    if len(data) > MOST_BYTES:
        raise Unreadable(f"longer than {MOST_BYTES:,} bytes")
    # Counted before a single value is made of them. Commas in texts count too, which are few.
    if data.count(b",") + data.count(b"{") + data.count(b"[") > _MOST_VALUES:
        raise Unreadable(f"more than {_MOST_VALUES:,} values")
    try:
        # The first is strict and knows a depth; the second tells of keys that are given twice.
        from_json(data, allow_inf_nan=False, cache_strings=False)
        found = json.loads(data, object_pairs_hook=_once_each, parse_constant=_no_number)
    except Unreadable:
        raise
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except ValueError as error:
        deep = "recursion" in str(error)
        raise Unreadable("nested too deeply" if deep else f"not JSON: {type(error).__name__}") from None
    if _NUL in data and any("\0" in text for text in _texts(found)):
        raise Unreadable("a NUL character in a text")
    return found


@dataclass(frozen=True)
class Reader(Generic[T]):
    """Reads values of one type, with limits on every text, number and time in them.

    Attributes:
        adapter: the type's.
    """

    adapter: "TypeAdapter[T]"

    def read(self, data: bytes) -> T:
        """A value from a text that `parsed` took.

        Raises:
            Unreadable: it says something else, or something beyond the limits.
        """
        from pydantic_core import ValidationError  # noqa: PLC0415  # as above

        try:
            value: T = _validator(self.adapter).validate_json(data)
        except ValidationError as error:
            raise Unreadable(_first_of(error.errors(include_url=False, include_input=False))) from None
        except (ValueError, OverflowError, RecursionError) as error:
            raise Unreadable(type(error).__name__) from None
        return value


def _first_of(errors: Sequence[Any]) -> str:
    first = errors[0]
    # What isn't a field's name or a position is a key that somebody else chose.
    where = ".".join(str(each) if _is_shown(each) else "…" for each in first["loc"][:6])
    what = "a time without a time zone" if first["type"] == "timezone_aware" else first["msg"]
    return f"{where}: {what}" if where else what


def _is_shown(place: int | str) -> bool:
    return isinstance(place, int) or (place.isascii() and place.isidentifier() and len(place) < 40)


_VALIDATORS: Final[dict[int, tuple[Any, Any]]] = {}


def _validator(adapter: "TypeAdapter[Any]") -> Any:
    from pydantic_core import SchemaValidator  # noqa: PLC0415  # as above

    kept = _VALIDATORS.get(id(adapter))
    if kept is None:
        # With the adapter itself, or another one could get its id.
        kept = _VALIDATORS[id(adapter)] = (adapter, SchemaValidator(_limited(adapter.core_schema)))
    return kept[1]


_LIMITS: Final[dict[str, dict[str, Any]]] = {
    "str": {"max_length": _MOST_CHARACTERS},
    "int": {"ge": -_LARGEST, "le": _LARGEST},
    "float": {"allow_inf_nan": False, "ge": -float(_LARGEST), "le": float(_LARGEST)},
    "datetime": {"tz_constraint": "aware", "ge": EARLIEST, "le": LATEST},
    "date": {"ge": EARLIEST.date(), "le": date(LATEST.year, 1, 1)},
}


def _limited(schema: Any) -> Any:
    """A schema of pydantic's with the limits in it; whatever of it is no schema stays."""
    if isinstance(schema, list | tuple):
        return type(schema)(map(_limited, schema))
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    limits = _LIMITS.get(kind, {}) if isinstance(kind, str) else {}
    inner = {
        name: each if name in ("default", "metadata", "serialization") else _limited(each)
        for name, each in schema.items()
    }
    return limits | inner


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("a key that is given twice")
    return found


def _no_number(_: str) -> NoReturn:
    raise Unreadable("NaN or infinity")


def _texts(value: Any) -> Iterator[str]:
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            left += each.keys()
            left += each.values()
        elif isinstance(each, list):
            left += each
