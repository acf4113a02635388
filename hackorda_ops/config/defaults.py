"""What databases share: the `defaults` of databases.yaml, merged into each of them."""

from collections.abc import Mapping
from typing import Any

from hackorda_ops.config.places import STORE_SECTIONS

_URLS = ("url_env", "direct_url_env")


def with_defaults(written: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration as it's written, with its `defaults` merged into each database. Pure.

    Mappings are merged key by key, at every depth. Anything else that a database says, a list or null too, takes the
    place of the default. So does a section of another kind: another provider of scratch, a folder where the default is
    a bucket, a connection string where the default is a variable for each part.

    Args:
        written: the whole file. What isn't a mapping where one belongs is left for the check of the file.
    """
    defaults, databases = written.get("defaults"), written.get("databases")
    if not isinstance(defaults, dict) or not isinstance(databases, dict):
        return dict(written)
    merged = {
        name: _database(defaults, own or {}) if own is None or isinstance(own, dict) else own
        for name, own in databases.items()
    }
    return {**written, "databases": merged}


def _database(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    defaults = dict(defaults)
    for section in ("scratch", "history"):  # every key of theirs is a kind
        if _differ(own.get(section), defaults.get(section), of=frozenset):
            del defaults[section]
    if _differ(_in_full(own.get("store")), _in_full(defaults.get("store")), of=_kind_of_store):
        del defaults["store"]
    if own.get("copies") == "nightly":
        defaults.pop("store", None)
    source, shared = own.get("source"), defaults.get("source")
    if isinstance(source, dict) and isinstance(shared, dict):
        dropped = _URLS if "variables" in source else ("variables",) if set(_URLS) & set(source) else ()
        defaults["source"] = {key: value for key, value in shared.items() if key not in dropped}
    return _merged(defaults, own)


def _differ(own: Any, default: Any, *, of: Any) -> bool:
    return isinstance(own, dict) and isinstance(default, dict) and bool(of(own) != of(default))


def _kind_of_store(section: Mapping[str, Any]) -> str:
    return next((key for key in STORE_SECTIONS if key in section), "bucket")


def _merged(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(defaults)
    for key, value in own.items():
        default = _in_full(defaults.get(key), key)
        merged[key] = (
            _merged(default, value) if isinstance(default, dict) and isinstance(value, dict) else value
        )
    return merged


def _in_full(value: Any, key: str = "store") -> Any:
    """A section that is written in short, as the mapping that it stands for."""
    if isinstance(value, str) and key == "variables":
        return {"family": value}
    if isinstance(value, str) and key in {"store", "offsite"} and value.startswith("s3://"):
        bucket, _, prefix = value.removeprefix("s3://").partition("/")
        return {"bucket": bucket, "prefix": prefix}
    return {"folder": value} if isinstance(value, str) and key == "store" and "://" not in value else value
