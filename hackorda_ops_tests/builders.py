"""Values for unit tests: an inventory, a manifest, with what a test cares about given by name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from hackorda_ops.artifacts.manifest import FileEntry
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.evidence.manifest import ClientRecord, PostgresManifest, TableEvidence
from hackorda_ops.postgres.archives.large_objects import digest_of
from hackorda_ops.postgres.catalogs.inventory import Inventory, SourceIdentity, Table, TableName

SOURCE = SourceIdentity(
    server_version="17.10",
    server_version_number=170010,
    system_identifier="7400000000000000001",
    neon_timeline=None,
    database="hackorda",
    host="db.example",
    port=5432,
    encoding="UTF8",
    collation="C.UTF-8",
    character_type="C.UTF-8",
    locale_provider="libc",
    locale=None,
)


def table(name: str, *, oid: int = 16385, **changes: Any) -> Table:
    """A plain table of schema public with an id and a name."""
    plain = Table(
        name=TableName("public", name),
        oid=oid,
        kind="table",
        unlogged=False,
        columns=("id", "name"),
        partition_root=None,
        extension=None,
        populated=None,
        rows=None,
    )
    return replace(plain, **changes)


def inventory(*tables: Table) -> Inventory:
    """An inventory of these tables and nothing else."""
    return Inventory(
        source=SOURCE,
        tables=tables,
        sequences=(),
        extensions=(),
        database_settings=(),
        roles=(),
        large_objects=0,
        migrations=(),
        size_bytes=10_000_000,
        subscriptions=(),
        warnings=(),
    )


def digest(number: int) -> str:
    """A row digest."""
    return f"{number:032x}"


def manifest(rows: dict[str, int] | None = None, **changes: Any) -> PostgresManifest:
    """A sound manifest whose tables have these rows; a table's digest is made of its rows."""
    names = rows if rows is not None else {"users": 10, "issues": 100}
    tables = tuple(
        table(name, oid=16385 + number, rows=count) for number, (name, count) in enumerate(names.items())
    )
    plain = PostgresManifest(
        artifact_id="20261118T210000Z-0a1b2c",
        database="hackorda",
        night=date(2026, 11, 19),
        captured_at=datetime(2026, 11, 18, 21, tzinfo=UTC),
        lsn="0/1A2B3C8",
        lsn_aligned=True,
        snapshot="750:750:",
        late=False,
        reason="night",
        inventory=inventory(*tables),
        schema_sha256="5" * 64,
        tables=tuple(
            TableEvidence(
                each.name, f"dump/{each.oid}.dat.zst", each.columns, each.rows or 0, digest(each.rows or 0)
            )
            for each in tables
        ),
        large_objects=digest_of(()),
        client=ClientRecord(17, "17.10", "zstd", ("--format=directory",)),
        files=tuple(FileEntry(f"dump/{each.oid}.dat.zst", 1_000_000, "a" * 64) for each in tables),
        findings=(),
        warnings=(),
        timings_seconds={"night": 12.5},
    )
    return replace(plain, **changes)


def restoring(
    work_folder: Path, environ: Mapping[str, str], *, jobs: int, client_folders: Sequence[Path] = ()
) -> Protected:
    """A database of which nothing matters but how it's brought back."""
    policy = {
        "dump": {"work_folder": work_folder, "jobs": jobs},
        "source": {"client_folders": list(client_folders)},
    }
    return Protected("restored", Policy.model_validate(policy), environ)
