"""Artifacts as commands name them: an id, with the database's name where there's more than one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hackorda_ops.artifacts.ids import is_id
from hackorda_ops.cli.arguments import choose_database, database_names, open_reachable, place_names
from hackorda_ops.cli.printing import note
from hackorda_ops.environment import Protected
from hackorda_ops.errors import UsageError
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import Held, Judged, read_judged
from hackorda_ops.sealing.opening import OpenArtifact, opened
from hackorda_ops.stores.store import PlaceName, Store
from hackorda_ops.words import counted

_EXAMPLE = "20261108T020000Z-1a2b3c"

Named = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DATABASE] [ARTIFACT]",
        help="The database's name, where there's more than one; an id from `backups`, the best one by default.",
        autocompletion=database_names,
    ),
]
TwoNamed = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DATABASE] [ARTIFACT [ARTIFACT]]",
        help="The database's name, where there's more than one; one artifact's id, to compare it with the live "
        "database; or two ids, the earlier one first. The best artifact by default.",
        autocompletion=database_names,
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="Look there alone: store, offsite, or a copy's name; default: wherever the best is.",
        autocompletion=place_names,
    ),
]


@dataclass(frozen=True)
class Asked:
    """What a command is about.

    Attributes:
        protected: the database.
        places: the stores that answered.
        judged: what they have.
        ids: the artifacts that were named, in that order.
    """

    protected: Protected
    places: dict[PlaceName, Store]
    judged: Judged
    ids: tuple[str, ...]

    def held(self, artifact_id: str | None) -> tuple[Held, ...]:
        """An artifact in each place that has it, the one to read first."""
        first = choose(self.judged, artifact_id).candidates[0]
        wanted = first.manifest.artifact_id
        others = (each for each in self.judged.held if each.manifest.artifact_id == wanted and each != first)
        return (first, *others)

    def opened(self, held: Held) -> OpenArtifact:
        """An artifact with all that it says, where the identity is; what is missing of it here is taken elsewhere."""
        return opened(
            self.protected, self.places[held.place], held.manifest, elsewhere=tuple(self.places.values())
        )


def ask(
    words: list[str] | None,
    config: Path | None,
    offsite: str | None,
    place: str | None = None,
    *,
    at_most: int = 1,
    identity: Path | None = None,
) -> Asked:
    """What a command's words name, and what the stores have of it.

    Args:
        words: a database's name and ids of artifacts, in any order.
        config: the path of databases.yaml; None to search for it.
        offsite: s3://BUCKET/PREFIX to use instead of the configured one; None for that.
        place: the only place to look into, as the command line names it; None for every one that answers.
        at_most: how many artifacts may be named.
        identity: the file that --identity names; None for what is configured.

    Raises:
        UsageError: too much was named, or something that isn't there.
        OpsError: no store can be opened.
    """
    ids = [each for each in words or () if is_id(each)]
    names = [each for each in words or () if not is_id(each)]
    if len(names) > 1 or len(ids) > at_most:
        raise UsageError(
            f"{' '.join((names if len(names) > 1 else ids)[1:])} is more than this command takes.",
            meaning="Nothing was read.",
            next_step=f"Name at most one database and {counted(at_most, 'artifact')}; `hackorda-ops backups` lists the "
            "ids.",
        )
    try:
        protected = choose_database(config, names[0] if names else None, offsite, identity)
    except UsageError as error:
        if names:
            error.add_note(f"{names[0]} isn't an artifact's id either: these look like {_EXAMPLE}.")
        raise
    places = open_reachable(protected, place, offsite)
    judged = read_judged(places, protected.name, tolerant=True)
    for line in judged.notes:
        note(line)
    return Asked(protected, places, judged, tuple(ids))
