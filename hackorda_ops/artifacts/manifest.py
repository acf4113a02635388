"""The manifest: an artifact's identity and evidence, as one versioned JSON file.

An artifact exists only once its manifest does; it is always written last. What an engine records as evidence is its own
(`register`): this module holds what every artifact has, whatever it is of.
"""

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any, Final, Literal, Protocol

from pydantic import TypeAdapter

from hackorda_ops.artifacts.documents import USE_ANOTHER_ARTIFACT, Advice, Document
from hackorda_ops.artifacts.ids import is_id, second
from hackorda_ops.artifacts.recorded import missed
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.words import size, visible

FORMAT_VERSION = 1
MANIFEST_NAME = "manifest.json"
RECOVERY_SHEET_NAME = "RESTORE.md"
# What every engine puts the files of its dump into; they are most of an artifact's.
DUMP_FOLDER: Final = "dump"
ANOTHER_SOURCE: Final = "another source"
"""The finding code of an artifact whose source nobody has confirmed."""

SEALED_FORMAT_VERSION: Final = 2
"""That of the manifests of encrypted artifacts (`artifacts.sealed`), which earlier releases don't read."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
# Of a disk's names, and of a path in an artifact: 1,024 bytes is what S3 takes of a key, with a prefix before it.
_LONGEST_NAME_BYTES: Final = 255
_LONGEST_PATH_BYTES: Final = 700
_DEEPEST: Final = 16
_SHOWN_CHARACTERS: Final = 120
# What is known of an encrypted artifact without its key is the same for every engine.
_SEALED: Final = "sealed"
# Manifests that name no engine were written before there was another.
_FIRST_ENGINE: Final = "postgres"


@dataclass(frozen=True)
class FileEntry:
    """One file of an artifact.

    Attributes:
        path: relative to the artifact, with forward slashes ("dump/3395.dat.zst").
        size_bytes: length of the file as stored.
        sha256: hex SHA-256 of those bytes.
    """

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """A part of what an artifact holds, as reports list it: a table with its rows, for example.

    Attributes:
        name: as people would name it.
        rows: how many entries it has.
        digest: of all of them, in hex.
        counted: how many entries the source had in that moment; the same, or there'd be no artifact.
    """

    name: str
    rows: int
    digest: str
    counted: int


class Described(Protocol):
    """What lists, plans and judgements need of an artifact: its manifest has it, and so has a summary of that."""

    @property
    def artifact_id(self) -> str:
        """Its id."""

    @property
    def database(self) -> str:
        """The protected database's name."""

    @property
    def night(self) -> date:
        """The partition."""

    @property
    def captured_at(self) -> datetime:
        """The moment that it holds, in UTC."""

    @property
    def prefix(self) -> str:
        """Its place in a store."""

    @property
    def sound(self) -> bool:
        """Whether its night found nothing wrong with it."""

    @property
    def against(self) -> tuple[str, ...]:
        """What its night found wrong with it, a few words each."""

    @property
    def rows(self) -> int:
        """How many entries all parts have together."""

    @property
    def size_bytes(self) -> int:
        """Bytes of all files, the manifest itself left out."""

    @property
    def server_version(self) -> str:
        """The version of the source's server."""

    @property
    def files_sha256(self) -> str:
        """A digest of which bytes it consists of (`files_digest`)."""

    @property
    def paths(self) -> Mapping[str, str]:
        """The paths of its files by how findings name them; none where they aren't known."""


@dataclass(frozen=True, kw_only=True)
class Manifest(ABC):
    """What every artifact records about itself. An engine's own manifest adds its evidence.

    Attributes:
        engine: the key of the engine whose evidence it holds.
        artifact_id: "YYYYMMDDTHHMMSSZ-xxxxxx", from the server's clock; sorts by time.
        database: the protected database's name in databases.yaml.
        night: the partition: the local date on which the dump was due.
        captured_at: the source's own clock at the moment that the dump holds, in UTC.
        late: whether the dump was taken after its night's date had passed.
        reason: "night" for the scheduled dump, "on demand" for a requested one.
        files: every file of the artifact but the manifest itself.
        findings: what the comparison with the previous night's artifact found; an artifact with a fatal
            one is kept, but isn't sound: no weekly copy ships it.
        warnings: what the night noticed without failing.
        timings_seconds: stage name to wall-clock seconds.
        as_of: for a missed night: its scheduled time, recovered from the provider's history; None
            for a dump of the present.
        dumped_from: "branch" where the dump was read from a branch of the source.
        evidence: how many entries each list of this manifest was written with, to detect what is removed from it
            later; empty where an earlier release wrote it.
        new_source: whether an operator confirmed that the source differs from the previous night's.
        format_version: `FORMAT_VERSION` of the writer.
    """

    engine: str
    artifact_id: str
    database: str
    night: date
    captured_at: datetime
    late: bool
    reason: str
    files: tuple[FileEntry, ...]
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    timings_seconds: dict[str, float]
    as_of: datetime | None = None
    dumped_from: Literal["branch", "source"] = "source"
    evidence: dict[str, int] = field(default_factory=dict)
    new_source: bool = False
    format_version: int = FORMAT_VERSION

    @property
    def prefix(self) -> str:
        """The artifact's place in a store: "<database>/<artifact id>"."""
        return f"{self.database}/{self.artifact_id}"

    @property
    def sound(self) -> bool:
        """Whether its night found nothing wrong with it; warnings don't count."""
        return not fatal(self.findings)

    @property
    def against(self) -> tuple[str, ...]:
        """What its night found wrong with it, a few words each."""
        return tuple(f"{each.code} ({each.subject})" for each in fatal(self.findings))

    @property
    def files_sha256(self) -> str:
        """A digest of which bytes it consists of."""
        return files_digest(self.files)

    @property
    def paths(self) -> Mapping[str, str]:
        """The paths of its files by how findings name them."""
        return {self.subject(entry.path): entry.path for entry in self.files}

    @property
    def size_bytes(self) -> int:
        """Bytes of all files, the manifest itself left out."""
        return sum(entry.size_bytes for entry in self.files)

    @property
    def rows(self) -> int:
        """How many entries all parts have together."""
        return sum(part.rows for part in self.parts)

    @property
    @abstractmethod
    def parts(self) -> tuple[Part, ...]:
        """What it holds, part by part, each with its digest."""

    @property
    @abstractmethod
    def contents(self) -> str:
        """How much it holds, in words ("1,234 rows in 12 tables")."""

    @property
    @abstractmethod
    def server_version(self) -> str:
        """The version of the source's server."""

    @property
    @abstractmethod
    def source_bytes(self) -> int:
        """How large the source was, as its server said."""

    @property
    def position(self) -> str:
        """Where in the source's own history its moment lies; "" where the engine has no such position."""
        return ""

    @property
    def tool_versions(self) -> dict[str, str]:
        """The versions of the programs that made it, by name."""
        return {}

    @property
    def schema_digest(self) -> str | None:
        """A digest of the source's schema; None where it has none."""
        return None

    def subject(self, path: str) -> str:
        """How findings name one of its files."""
        return path

    @abstractmethod
    def contradictions(self) -> Iterator[str]:
        """What in the engine's evidence contradicts itself, as clauses. Nothing in it is trusted."""


@dataclass(frozen=True)
class _Known:
    """A manifest that this release can read, and how."""

    type: type[Manifest]
    document: Document[Any]


_KNOWN: Final[dict[str, _Known]] = {}


def register(key: str, manifest: type[Manifest]) -> None:
    """Makes an engine's manifest readable.

    Args:
        key: the engine's.
        manifest: the type that holds its evidence.
    """
    _KNOWN[key] = _readable(manifest, FORMAT_VERSION, SEALED_FORMAT_VERSION)


def register_sealed(manifest: type[Manifest]) -> None:
    """Makes readable what is known of encrypted artifacts without their keys.

    Args:
        manifest: the type that holds it.
    """
    _KNOWN[_SEALED] = _readable(manifest, SEALED_FORMAT_VERSION, FORMAT_VERSION)


def _readable(manifest: type[Manifest], version: int, other: int) -> _Known:
    return _Known(
        manifest,
        Document(
            name="manifest",
            adapter=TypeAdapter(manifest),
            version_field="format_version",
            version=version,
            read_otherwise=(other,),
            unreadable=Advice(
                "Nothing is known about this artifact; it is not counted as a backup.",
                "Look at the file; restore by hand from the dump folder next to it, or use another artifact.",
            ),
            other_version=_OTHER_RELEASE,
        ),
    )


_OTHER_RELEASE: Final = Advice(
    "The artifact may be sound, but this release cannot verify it.",
    "Use the release that wrote it, or restore by hand with the RESTORE.md next to it.",
)


def to_bytes(manifest: Manifest) -> bytes:
    """A manifest as the JSON text that is stored."""
    sealed = manifest.format_version == SEALED_FORMAT_VERSION
    return _KNOWN[_SEALED if sealed else manifest.engine].document.to_bytes(manifest)


def from_bytes(data: bytes, *, origin: str) -> Manifest:
    """Reads a stored manifest, trusting nothing in it.

    Args:
        data: the file's bytes.
        origin: where it was read, for the message.

    Raises:
        ArtifactDamaged: not a manifest, one of another format version or of an engine that this release doesn't
            have, or one with paths that point outside its artifact.
    """
    if not _KNOWN:
        raise AssertionError("no engine is registered: import hackorda_ops.engines.registry first")
    # Any of them knows what is no manifest at all.
    any_document = next(iter(_KNOWN.values())).document
    raw = any_document.parsed(data, origin=origin)
    engine = _engine_in(raw)
    known = _KNOWN.get(engine)
    if known is None:
        raise ArtifactDamaged(
            f"The manifest {visible(origin)} is of the engine {visible(engine)[:40]!r}, "
            "which this release doesn't have.",
            meaning=_OTHER_RELEASE.meaning,
            next_step=_OTHER_RELEASE.next_step,
        )
    manifest: Manifest = known.document.from_parsed(raw, data, origin=origin)
    try:
        problems = [*_inconsistencies(manifest), *manifest.contradictions()]
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        problems = [f"what it says can't be held together ({type(error).__name__})"]
    if problems:
        raise ArtifactDamaged(
            f"The manifest {visible(origin)} contradicts itself: {_shown('; '.join(problems))}.",
            meaning="It was altered or written incorrectly; it is not counted as a backup.",
            next_step=USE_ANOTHER_ARTIFACT,
        )
    return manifest


def _engine_in(raw: Any) -> str:
    if not isinstance(raw, dict):
        return next(iter(_KNOWN))  # which says that it isn't readable
    if raw.get("format_version") == SEALED_FORMAT_VERSION:
        return _SEALED
    engine = raw.get("engine", _FIRST_ENGINE)
    return engine if isinstance(engine, str) and engine != _SEALED else repr(engine)


def _inconsistencies(manifest: Manifest) -> list[str]:
    # A manifest comes from a bucket that others might write to, and its names become paths on our disk.
    problems = []
    if not is_id(manifest.artifact_id):
        problems.append("its artifact id is malformed")
    if manifest.as_of is not None and manifest.as_of != manifest.captured_at:
        problems.append(f"it is as of {manifest.as_of}, but was captured at {manifest.captured_at}")
    elif not manifest.artifact_id.startswith(f"{second(manifest.captured_at)}-"):
        problems.append(f"it was captured at {manifest.captured_at}, which its artifact id contradicts")
    paths = {entry.path for entry in manifest.files}
    if len(paths) != len(manifest.files):
        problems.append("a file is listed twice")
    for path in paths:
        if why := _refused_path(path):
            problems.append(f"file name {path[:_SHOWN_CHARACTERS]!r} {why}")
        elif any(parent.as_posix() in paths for parent in PurePosixPath(path).parents):
            problems.append(f"file name {path!r} lies inside another file")
    if any(not _SHA256.fullmatch(entry.sha256) or entry.size_bytes < 0 for entry in manifest.files):
        problems.append("a file entry has no proper SHA-256 or size")
    return [*problems, *missed(manifest)]


def _refused_path(path: str) -> str:
    """Why a path can't be one of an artifact's files; "" if it can."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in path:
        return "points outside the artifact"
    if not path.isprintable():
        return "has characters that no name here has"
    longest_bytes = max(len(part.encode()) for part in parts)
    if (
        len(path.encode()) > _LONGEST_PATH_BYTES
        or longest_bytes > _LONGEST_NAME_BYTES
        or len(parts) > _DEEPEST
    ):
        return "is longer than a disk or a bucket takes"
    return "is the manifest's own" if path == MANIFEST_NAME else ""


def _shown(text: str) -> str:
    """What a manifest made us say, no longer than people read."""
    cut = visible(text[: 4 * _SHOWN_CHARACTERS])
    return cut if len(text) <= 4 * _SHOWN_CHARACTERS else f"{cut}…"


def files_digest(files: Iterable[FileEntry]) -> str:
    """A digest of which bytes an artifact consists of: its files' names, sizes and hashes. Pure."""
    lines = sorted(f"{each.sha256} {each.size_bytes} {each.path}\n" for each in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def digest_of(data: bytes) -> str:
    """Hex SHA-256 of bytes in memory."""
    return hashlib.sha256(data).hexdigest()


def is_of_the_source(artifact: Manifest) -> bool:
    """Whether an artifact counts as one of the protected database, for later nights to be compared with. Pure."""
    return all(finding.code != ANOTHER_SOURCE for finding in artifact.findings)


def summary(manifest: Manifest) -> str:
    """An artifact in a sentence."""
    against = "; ".join(manifest.against)
    when = "as of then, taken afterwards" if manifest.as_of else "late" if manifest.late else manifest.reason
    return f"{manifest.artifact_id} ({when}): {manifest.contents}, {size(manifest.size_bytes)}" + (
        f"; kept, but not sound: {against}." if against else "."
    )
