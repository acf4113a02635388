"""What a database holds after a window that it didn't before, and the other way round. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from hackorda_ops.artifacts.manifest import Manifest


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        subject: a table, "schema", "server".
        before: what it was.
        after: what it is.
        lost: whether something is gone or fewer.
    """

    subject: str
    before: str
    after: str
    lost: bool = False


def changes(before: Manifest, after: Manifest) -> tuple[Change, ...]:
    """Every difference between two artifacts of one database, losses first.

    Args:
        before: taken before the window.
        after: taken at its end.
    """
    return tuple(sorted(_changes(before, after), key=lambda each: (not each.lost, each.subject)))


def _changes(before: Manifest, after: Manifest) -> Iterator[Change]:
    if before.server_version != after.server_version:
        yield Change("server", before.server_version, after.server_version)
    if before.schema_digest != after.schema_digest:
        yield Change("schema", "as before", "changed")
    was, now = ({part.name: part for part in each.parts} for each in (before, after))
    for name in sorted(was.keys() | now.keys()):
        old, new = was.get(name), now.get(name)
        if old is None and new is not None:
            yield Change(name, "not there", f"{new.rows:,} rows")
        elif new is None and old is not None:
            yield Change(name, f"{old.rows:,} rows", "not there", lost=True)
        elif old is not None and new is not None and old.rows != new.rows:
            yield Change(name, f"{old.rows:,} rows", f"{new.rows:,} rows", lost=new.rows < old.rows)
        elif old is not None and new is not None and old.digest != new.digest:
            yield Change(name, f"{old.rows:,} rows", "as many, with other values")
