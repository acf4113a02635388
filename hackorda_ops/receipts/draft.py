"""A receipt that isn't in its chain yet: what was judged and how, without secrets and rows."""

import hashlib
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final, Literal

from hackorda_ops import untrusted
from hackorda_ops.artifacts.ids import is_id, new_id
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Part, from_bytes
from hackorda_ops.artifacts.operations_log import EventKind
from hackorda_ops.artifacts.sealed import is_sealed
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.findings import Finding
from hackorda_ops.proof.verdict import Verdict
from hackorda_ops.receipts.verify import KEY_KINDS, PublicKey, canonical

ReceiptKind = EventKind | Literal["verification"]

INTERRUPTED: Final = "interrupted"
"""What stands for an error where the process that worked was ended from outside."""

# Beyond these the manifest's own hash vouches for its files and tables.
_MOST_LISTED: Final = 50_000


@dataclass(frozen=True)
class Draft:
    """What a receipt will say.

    Attributes:
        receipt_id: its own id, from when the work began.
        database: the database's name in databases.yaml.
        kind: what was done, or what happened to the chain's key.
        said: the rest of the predicate.
        subjects: SHA-256 of each file that it's about, by the file's place in the store.
    """

    receipt_id: str
    database: str
    kind: str
    said: Mapping[str, Any]
    subjects: Mapping[str, str] = field(default_factory=dict)

    def predicate(self, sequence: int, previous: str | None, chained_at: datetime) -> dict[str, Any]:
        """All of it, in its place in the chain.

        Args:
            sequence: its number.
            previous: the SHA-256 of the receipt before it; None for the first.
            chained_at: now, aware.
        """
        return {
            **self.said,
            "id": self.receipt_id,
            "database": self.database,
            "kind": self.kind,
            "sequence": sequence,
            "previous": previous,
            "chained_at": _told(chained_at),
        }

    def to_bytes(self) -> bytes:
        """As it waits in a file."""
        return canonical(self.plain)

    @property
    def plain(self) -> dict[str, Any]:
        """The same as what JSON has."""
        return {
            "receipt_id": self.receipt_id,
            "database": self.database,
            "kind": self.kind,
            "said": self.said,
            "subjects": self.subjects,
        }

    @staticmethod
    def from_bytes(data: bytes) -> "Draft":
        """Reads what `to_bytes` wrote.

        Raises:
            ValueError: it isn't that, as after a power failure.
        """
        raw = untrusted.parsed(data)
        try:
            draft = Draft(raw["receipt_id"], raw["database"], raw["kind"], raw["said"], raw["subjects"])
            sound = (
                is_id(draft.receipt_id) and isinstance(draft.said, dict) and isinstance(draft.subjects, dict)
            )
        except (KeyError, TypeError):
            sound = False
        if not sound:
            raise ValueError("not a receipt that waits")
        return draft


def begun(kind: ReceiptKind, database: str, about: str, began_at: datetime) -> Draft:
    """Of work that begins: what is said of it where this process doesn't live to its end.

    Args:
        kind: what is done.
        database: the database's name in databases.yaml.
        about: the partition or the artifact.
        began_at: when, aware.
    """
    return Draft(
        new_id(began_at),
        database,
        kind,
        {
            "about": about,
            "began_at": _told(began_at),
            "ended_at": None,
            "verdict": "ERROR",
            "error": INTERRUPTED,
            "findings": [],
            "artifact": None,
            "place": None,
            "tables": [],
            "versions": {"hackorda_ops": version("hackorda-ops"), "python": platform.python_version()},
        },
    )


def ended(
    draft: Draft, verdict: Verdict, *, about: str, findings: Iterable[Finding] = (), error: str | None = None
) -> Draft:
    """The same work at its end, now.

    Args:
        draft: as it began.
        verdict: PASS, FAIL or ERROR.
        about: the partition or the artifact, which may be known only now.
        findings: of which only the kinds are told.
        error: the type of what was raised; None where nothing was.
    """
    kinds = Counter((each.code, each.severity) for each in findings)
    said = {
        **draft.said,
        "about": about,
        "ended_at": _told(datetime.now(UTC)),
        "verdict": verdict,
        "error": error,
        "findings": [
            {"code": code, "severity": severity, "count": count}
            for (code, severity), count in sorted(kinds.items())
        ],
    }
    return replace(draft, said=said)


def about_artifact(draft: Draft, prefix: str, place: str, manifest: bytes | None) -> Draft:
    """The same, with what its artifact's manifest says.

    Args:
        draft: the receipt's.
        prefix: the artifact's place in the store: "<database>/<artifact id>".
        place: the store, as people name it.
        manifest: the manifest's bytes; None where they couldn't be read.
    """
    artifact_id = prefix.rpartition("/")[2]
    said = {**draft.said, "artifact": {"id": artifact_id}, "place": place}
    if manifest is None:
        return replace(draft, said=said)
    subjects = {**draft.subjects, f"{prefix}/{MANIFEST_NAME}": hashlib.sha256(manifest).hexdigest()}
    try:
        read = from_bytes(manifest, origin=prefix)
    except ArtifactDamaged:
        return replace(draft, said=said, subjects=subjects)
    if is_sealed(read):
        # Its manifest's hash vouches for the rest, of which nothing may be told in the clear.
        said["artifact"] = {"id": artifact_id, "night": read.night.isoformat(), "sealed": True}
        return replace(draft, said=said, subjects=subjects)
    said["artifact"] = {
        "id": artifact_id,
        "engine": read.engine,
        "night": read.night.isoformat(),
        "captured_at": _told(read.captured_at),
        "late": read.late,
        "position": read.position,
        "bytes": read.size_bytes,
        "rows": read.rows,
        "files": len(read.files),
        "tables": len(read.parts),
    }
    said["versions"] = {**draft.said["versions"], "server": read.server_version, **read.tool_versions}
    if len(read.files) <= _MOST_LISTED:
        subjects |= {f"{prefix}/{each.path}": each.sha256 for each in read.files}
    return with_tables(replace(draft, said=said, subjects=subjects), read.parts)


def with_tables(draft: Draft, parts: Sequence[Part]) -> Draft:
    """The same, with a digest for each table; unchanged where it isn't known that its artifact may tell them."""
    if "tables" not in (draft.said["artifact"] or {}):
        return draft
    listed = parts if len(parts) <= _MOST_LISTED else ()
    tables = [{"name": each.name, "rows": each.rows, "digest": each.digest} for each in listed]
    return replace(draft, said={**draft.said, "tables": tables})


def of_key(kind: str, database: str, key: PublicKey | None) -> Draft:
    """Of what happens to the chain's key: one of `verify.KEY_KINDS`.

    Args:
        kind: which.
        database: the database's name in databases.yaml.
        key: the public key from here on; None where receipts are not signed.
    """
    if kind not in KEY_KINDS:
        raise AssertionError(kind)
    now = datetime.now(UTC)
    said = {
        "about": "the key of the receipts",
        "began_at": _told(now),
        "ended_at": _told(now),
        "verdict": None,
        "key": None if key is None else {"id": key.id, "pem": key.pem},
    }
    return Draft(new_id(now), database, kind, said)


def _told(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
