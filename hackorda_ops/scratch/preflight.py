"""What a scratch has to be like before a drill restores on it, whoever provides it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.concerns import Concern, Looked, looked
from hackorda_ops.errors import TargetRefused
from hackorda_ops.postgres.catalogs.inventory import Extension, Inventory
from hackorda_ops.postgres.sessions.connection import ConnectionTarget

_APPLICATION_NAME = "hackorda_ops preflight"
_RETRY_BUDGET_SECONDS = 10


@dataclass(frozen=True)
class Wanted:
    """What is required of the scratch.

    Attributes:
        inventory: of the source, or of the newest artifact where the source doesn't answer; None
            where it isn't known yet.
        newest: the newest off-site artifact; None before the first.
        source: the live database's endpoint; None where nothing answers there.
        find_clients: looks for the client tools of a major version; raises ClientMissing.
        jobs: how many tables a drill restores and compares at a time.
    """

    inventory: Inventory | None
    newest: Manifest | None
    source: ConnectionTarget | None
    find_clients: Callable[[int], Looked]
    jobs: int = 2

    @property
    def major(self) -> int | None:
        """The source's major version."""
        return self.inventory.source.server_version_number // 10_000 if self.inventory else None


def look_at_clients(major: int, wanted: Wanted) -> Iterator[Looked]:
    """Whether there are client tools of the scratch's version; those of the source's were looked for before.

    Args:
        major: the scratch's version, whose tools a restore takes.
        wanted: what the scratch has to be like.
    """
    if major != wanted.major:
        yield looked("scratch clients", "stops the drill", lambda: wanted.find_clients(major))


def major_concerns(source_major: int | None, scratch_major: int) -> Iterator[Concern]:
    """Whether a scratch's major version fits the source's, where that is known. Pure."""
    if source_major is None:
        return
    if scratch_major < source_major:
        yield Concern(
            "stops the drill",
            f"The scratch runs Postgres {scratch_major}, but the source runs {source_major}.",
            "An older server can't take a newer one's dump.",
            f"Drill on a server of Postgres {source_major}.",
            TargetRefused,
        )
    elif scratch_major > source_major:
        yield Concern(
            "worth knowing",
            f"The scratch runs Postgres {scratch_major}, but the source runs {source_major}.",
            "A drill shows that the backup restores on the newer version, which may word definitions differently: "
            "that may show as differences in the schema.",
            f"Drill on a server of Postgres {source_major}, unless the newer version is what you want to test.",
        )


def extension_concerns(needed: Sequence[Extension], offered: Mapping[str, str]) -> Iterator[Concern]:
    """Whether a server offers the extensions of a database. Pure; `offered` gives default versions by name."""
    lacking = [each.name for each in needed if each.name not in offered]
    if lacking:
        yield Concern(
            "stops the drill",
            f"The scratch server does not offer the extension(s) {', '.join(lacking)}.",
            "A restore would stop at the first of them.",
            "Install their packages on that server, or drill on one that has them.",
            TargetRefused,
        )
    others = [
        f"{each.name} {offered[each.name]} (the source has {each.version})"
        for each in needed
        if offered.get(each.name, each.version) != each.version
    ]
    if others:
        yield Concern(
            "worth knowing",
            f"The scratch server would install other versions: {', '.join(others)}.",
            "A dump names no extension versions, so a drill compares rows under the scratch server's own.",
            "Install the same packages on both servers if the extension's types or functions matter.",
        )
