"""The command that changes who can open artifacts: rewrap."""

from typing import Annotated

import typer

from hackorda_ops.age.recipients import read_recipients
from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.sealed import SealedManifest
from hackorda_ops.cli import terminal
from hackorda_ops.cli.arguments import (
    AsJson,
    ConfigPath,
    DatabaseName,
    IdentityFile,
    OffsiteUrl,
    choose_database,
    open_reachable,
)
from hackorda_ops.cli.printing import note, print_json
from hackorda_ops.errors import ArtifactMissing, OpsError, UsageError
from hackorda_ops.sealing import rewrap as rewrapping
from hackorda_ops.sealing.identity import identity_of
from hackorda_ops.stores.store import PlaceName, Store


def rewrap(
    database: DatabaseName = None,
    artifact: Annotated[
        str | None,
        typer.Option("--artifact", help="This one alone, by its id from `backups`; all by default."),
    ] = None,
    offsite: OffsiteUrl = None,
    identity: IdentityFile = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Let other recipients open artifacts that exist: wrap each one's key for those of encrypt_to, and no more.

    It takes an identity that opens them now. Only a file of some hundred bytes per artifact is written, in every place
    that has the artifact. Exit code 3: some could not be rewrapped.
    """
    protected = choose_database(config, database, offsite, identity)
    if not protected.policy.encrypt_to:
        raise UsageError(
            f"databases.{protected.name}.encrypt_to names nobody.",
            meaning="Nothing was changed.",
            next_step="Name the recipients there who should be able to open the artifacts from now on.",
        )
    recipients, identities = read_recipients(protected.policy.encrypt_to), identity_of(protected)
    done, failed = [], []
    for manifest, places in _sealed(protected.name, open_reachable(protected, None, offsite), artifact):
        try:
            done.append(rewrapping.rewrap(places, manifest, identities, recipients))
        except OpsError as error:
            failed.append(f"{manifest.artifact_id}: {error.what}")
    for line in (*(line for each in done for line in each.left), *failed):
        note(line)
    if as_json:
        print_json({"recipients": recipients, "rewrapped": done, "failed": failed})
    else:
        for each in done:
            terminal.out.print(
                f"{each.artifact_id}: {', '.join(each.locations)}", markup=False, soft_wrap=True
            )
    raise typer.Exit(3 if failed or any(each.left for each in done) else 0)


def _sealed(
    database: str, opened: dict[PlaceName, Store], artifact: str | None
) -> list[tuple[SealedManifest, dict[PlaceName, Store]]]:
    """The encrypted artifacts, each with the places that have it."""
    found: dict[str, tuple[SealedManifest, dict[PlaceName, Store]]] = {}
    for place, store in opened.items():
        listed = catalog.read(store, database)
        for manifest in (*listed.artifacts, *listed.ahead):
            if isinstance(manifest, SealedManifest) and artifact in (None, manifest.artifact_id):
                found.setdefault(manifest.artifact_id, (manifest, {}))[1][place] = store
    if not found:
        raise ArtifactMissing(
            f"There's no encrypted artifact {artifact or 'of ' + database}.",
            meaning="Nothing was changed.",
            next_step="`hackorda-ops backups` lists what there is.",
        )
    return list(found.values())
