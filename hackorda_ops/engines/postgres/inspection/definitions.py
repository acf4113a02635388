"""The definitions in an artifact's archive, read from its table of contents alone: no row is fetched."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from hackorda_ops.artifacts.damage import all_hashed, file_findings
from hackorda_ops.engines.contents import Definition
from hackorda_ops.engines.postgres.drill.comparisons.schema import Schema, schema_of_archive
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME
from hackorda_ops.postgres.definitions.archive_text import without_secrets
from hackorda_ops.postgres.tools.clients import Clients
from hackorda_ops.progress import ignore
from hackorda_ops.sealing.opening import OpenArtifact, fetch_opened
from hackorda_ops.stores.store import Store

_TOC: Final = f"{DUMP_FOLDER_NAME}/toc.dat"


def archived_definitions(
    store: Store, artifact: OpenArtifact, *, tools: Clients, folder: Path
) -> Mapping[str, Definition]:
    """The schema in an artifact, by kind and name, without secrets.

    Args:
        store: where the artifact lies.
        artifact: the artifact.
        tools: of the major version that wrote the archive, or later.
        folder: an existing private folder.

    Raises:
        ArtifactDamaged, ArtifactMissing: the archive's table of contents isn't what the manifest says.
        ToolFailed: pg_restore can't read it.
        StoreRefused, StoreUnreachable: the store said no, or nothing.
    """
    manifest = artifact.manifest
    contents = replace(manifest, files=tuple(each for each in manifest.files if each.path == _TOC))
    fetch_opened(store, artifact.part(contents), folder, on_progress=ignore)
    for finding in file_findings(contents, all_hashed(folder, contents)):
        raise ArtifactDamaged(
            f"{store.describe()}/{manifest.prefix}/{_TOC} is not what the manifest says: {finding.observed} instead "
            f"of {finding.expected}.",
            meaning="The definitions in it can't be relied on.",
            next_step=finding.next_step,
        )
    return shown(schema_of_archive(tools, folder / DUMP_FOLDER_NAME, folder))


def shown(schema: Schema) -> Mapping[str, Definition]:
    """A schema's objects as they may be shown, each with a digest of its whole text. Pure."""
    return {
        str(key): Definition(
            without_secrets(key.type, "\n".join(texts)),
            hashlib.sha256("\0".join(texts).encode(errors="surrogateescape")).hexdigest(),
        )
        for key, texts in schema.items()
    }
