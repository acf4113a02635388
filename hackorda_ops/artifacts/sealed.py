"""The manifest of an encrypted artifact, as it lies in the store: what may be known without the identity, and no more.

In the clear is what listing, pruning, copying and verifying bytes need. What names something, or lets contents be
guessed (tables, roles, counts of each, digests, values of sequences, findings), is in `sealed.age`: the engine's own
manifest, encrypted like every other file.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from hackorda_ops.artifacts.checksums import CHECKSUMS_NAME
from hackorda_ops.artifacts.manifest import (
    RECOVERY_SHEET_NAME,
    SEALED_FORMAT_VERSION,
    FileEntry,
    Manifest,
    Part,
    register_sealed,
)
from hackorda_ops.errors import IdentityMissing
from hackorda_ops.findings import Finding

SEALED_NAME: Final = "sealed.age"
"""The engine's own manifest, encrypted."""
SUFFIX: Final = ".age"
IN_THE_CLEAR: Final = frozenset({RECOVERY_SHEET_NAME, CHECKSUMS_NAME})
"""The files of an encrypted artifact that aren't encrypted: how to decrypt it, and the hashes of what is."""
NOT_SHOWN: Final = "sealed: it takes the identity to read it"

# One that was wrapped for other recipients has a higher number: a locked object can't be replaced.
_KEY_NAME: Final = re.compile(r"key-([1-9][0-9]{0,5})\.age")
_DATA_RECIPIENT: Final = re.compile(r"age1[02-9ac-hj-np-z]{58}")


@dataclass(frozen=True, kw_only=True)
class SealedManifest(Manifest):
    """What an encrypted artifact shows of itself.

    Attributes:
        data_recipient: the public half of the artifact's own key, which every file of it is encrypted to.
        encrypted_to: the recipients that this key was wrapped for when the artifact was taken; `rewrap` changes the
            key's file, and not this.
        holds: how much it holds, in words.
        total_rows: how many entries all parts have together.
        total_parts: how many parts there are.
        version: of the source's server.
        bytes_at_source: how large the source was, as its server said.
        at: where in the source's own history its moment lies; "" where there's no such position.
        plain_bytes: of all files together, decrypted.
    """

    data_recipient: str
    encrypted_to: tuple[str, ...]
    holds: str
    total_rows: int
    total_parts: int
    version: str
    bytes_at_source: int
    at: str
    plain_bytes: int

    @property
    def parts(self) -> tuple[Part, ...]:
        """None that can be seen."""
        return ()

    @property
    def rows(self) -> int:
        """How many entries all parts have together."""
        return self.total_rows

    @property
    def contents(self) -> str:
        """How much it holds, in words."""
        return self.holds

    @property
    def server_version(self) -> str:
        """The version of the source's server."""
        return self.version

    @property
    def source_bytes(self) -> int:
        """How large the source was, as its server said."""
        return self.bytes_at_source

    @property
    def position(self) -> str:
        """Where in the source's own history its moment lies."""
        return self.at

    def contradictions(self) -> Iterator[str]:
        """What in it contradicts itself."""
        paths = [entry.path for entry in self.files]
        if SEALED_NAME not in paths:
            yield f"it lists no {SEALED_NAME}"
        if not _DATA_RECIPIENT.fullmatch(self.data_recipient):
            yield "it names no key of its own"
        if clear := [path for path in paths if not path.endswith(SUFFIX) and path not in IN_THE_CLEAR]:
            yield f"it has files that aren't encrypted: {', '.join(map(repr, clear[:5]))}"
        if any(key_number(path) for path in paths):
            yield "it lists the file of a key, which may change"


register_sealed(SealedManifest)


def sealed_of(
    manifest: Manifest, files: Iterable[FileEntry], *, data_recipient: str, encrypted_to: Iterable[str]
) -> SealedManifest:
    """What an artifact shows of itself once it's encrypted. Pure.

    Args:
        manifest: the engine's own, of the files as they were.
        files: the encrypted ones, and those in the clear.
        data_recipient: the public half of its key.
        encrypted_to: whom this was wrapped for.
    """
    return SealedManifest(
        engine=manifest.engine,
        artifact_id=manifest.artifact_id,
        database=manifest.database,
        night=manifest.night,
        captured_at=manifest.captured_at,
        late=manifest.late,
        reason=manifest.reason,
        files=tuple(files),
        findings=tuple(map(_without_names, manifest.findings)),
        warnings=tuple(f"a note of the night is {NOT_SHOWN}" for _ in manifest.warnings[:1]),
        timings_seconds=manifest.timings_seconds,
        as_of=manifest.as_of,
        dumped_from=manifest.dumped_from,
        new_source=manifest.new_source,
        format_version=SEALED_FORMAT_VERSION,
        data_recipient=data_recipient,
        encrypted_to=tuple(encrypted_to),
        holds=manifest.contents,
        total_rows=manifest.rows,
        total_parts=len(manifest.parts),
        version=manifest.server_version,
        bytes_at_source=manifest.source_bytes,
        at=manifest.position,
        plain_bytes=manifest.size_bytes,
    )


def tells_the_same(sealed: SealedManifest, manifest: Manifest) -> bool:
    """Whether an artifact's encrypted manifest and what it shows in the clear belong together. Pure."""
    again = sealed_of(
        manifest,
        sealed.files,
        data_recipient=sealed.data_recipient,
        encrypted_to=sealed.encrypted_to,
    )
    stored = {f"{entry.path}{SUFFIX}" for entry in manifest.files} | {SEALED_NAME} | IN_THE_CLEAR
    return again == replace(sealed, evidence={}) and {entry.path for entry in sealed.files} == stored


def is_sealed(manifest: Manifest) -> bool:
    """Whether it takes an identity to know all that a manifest says."""
    return isinstance(manifest, SealedManifest)


def require_open(manifest: Manifest) -> None:
    """Makes sure that all that a manifest says can be read.

    Raises:
        IdentityMissing: it is sealed.
    """
    if is_sealed(manifest):
        raise IdentityMissing(
            f"{manifest.artifact_id} is encrypted, and what it holds can't be told without the identity.",
            meaning="Its bytes, its size and its age are known; its tables, rows and digests were not measured.",
            next_step=f"Name the identity with databases.{manifest.database}.identity, or with --identity FILE.",
        )


def key_name(number: int) -> str:
    """What an artifact's wrapped key is called; the highest number is the one in force."""
    return f"key-{number}{SUFFIX}"


def key_number(name: str) -> int:
    """The number of a wrapped key's file; 0 for any other file."""
    match = _KEY_NAME.fullmatch(name)
    return int(match[1]) if match else 0


def _without_names(finding: Finding) -> Finding:
    return replace(
        finding,
        subject="(sealed)",
        expected="",
        observed=NOT_SHOWN,
        next_step="Show the artifact where the identity is.",
    )
