"""How much evidence of each kind a manifest was written with, so that later removals are detected.

Evidence that newer releases record is optional, because of older manifests. Without a count of it, a manifest
that lost some would look like an older one, and what is lost would count as never recorded.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hackorda_ops.artifacts.manifest import Manifest

# These have hashes and files of their own, are added after reading back, or are compared with nothing.
_DUMPED: Final = "dump/"
_UNKNOWN: Final = object()
_NO_EVIDENCE: Final = frozenset({"files", "findings", "warnings", "timings_seconds", "evidence"})


def recorded(manifest: "Manifest") -> dict[str, int]:
    """The entries of each of a manifest's lists, by the list's name. New ones need no declaration here."""
    beside = [entry for entry in manifest.files if not entry.path.startswith(_DUMPED)]
    return {
        **dict(_lengths("", manifest)),
        "files beside the dump": len(beside),
    }


def missed(manifest: "Manifest") -> list[str]:
    """Which lists have a different length than the manifest was written with, as clauses."""
    there = recorded(manifest)
    # A newer release may count what this one doesn't know.
    return [
        f"it has {there.get(kind, 0)} of {number} entries in {kind}"
        for kind, number in sorted(manifest.evidence.items())
        if (kind in there or _is_gone(manifest, kind)) and there.get(kind, 0) != number
    ]


def _is_gone(manifest: "Manifest", kind: str) -> bool:
    """Whether all evidence of a kind was removed, as opposed to a kind that this release doesn't know."""
    value: Any = manifest
    for name in kind.split("."):
        value = getattr(value, name, _UNKNOWN)
        if value is None:
            return True
    return False


def _lengths(prefix: str, holder: Any) -> Iterator[tuple[str, int]]:
    for field in fields(holder):
        value = getattr(holder, field.name)
        if field.name in _NO_EVIDENCE:
            continue
        if isinstance(value, tuple | dict | list | frozenset):
            yield f"{prefix}{field.name}", len(value)
        elif not prefix and is_dataclass(value):
            yield from _lengths(f"{field.name}.", value)
