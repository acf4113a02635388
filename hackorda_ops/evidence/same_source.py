"""Whether a night is of the same database as the previous night.

A staging or retired server under the same name would otherwise be shipped as production, and pass its drill every
quarter.
"""

from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.catalogs.inventory import SourceIdentity


def other_identity(before: SourceIdentity, tonight: SourceIdentity) -> tuple[tuple[str, str, str], ...]:
    """How two sources differ in identity: what, before, tonight. Pure.

    A host, a port and a minor version may change with any failover or update. What one side does not report
    (a system identifier that the role can't read) is not compared.
    """
    compared = (
        ("system identifier", before.system_identifier, tonight.system_identifier),
        ("Neon timeline", before.neon_timeline, tonight.neon_timeline),
        ("database", before.database, tonight.database),
        (
            "major version",
            str(before.server_version_number // 10_000),
            str(tonight.server_version_number // 10_000),
        ),
    )
    return tuple(
        (what, was, now) for what, was, now in compared if was is not None and now is not None and was != now
    )


def another_source(before: PostgresManifest, tonight: SourceIdentity) -> Finding | None:
    """A finding if tonight's source isn't the previous night's; None if it is, as far as is known. Pure."""
    differing = other_identity(before.inventory.source, tonight)
    if not differing:
        return None
    was, now = before.inventory.source, tonight
    return Finding(
        "another source",
        f"{now.database} at {now.host}:{now.port}",
        f"the source of {before.artifact_id} ({was.database} at {was.host}:{was.port}): "
        + ", ".join(f"{what} {value}" for what, value, _ in differing),
        ", ".join(f"{what} {value}" for what, _, value in differing),
        "If the database was moved, upgraded or restored, confirm it: `hackorda-ops dump --new-source`, or "
        'materialize the night in Dagster with the tag hackorda_ops/new_source: "true". Otherwise correct the '
        "connection string: it points to another database.",
    )


def other_history(artifact: SourceIdentity, branch: SourceIdentity) -> str:
    """Why a branch can't be of the artifact's source at all; "" if it might be. Pure.

    A WAL position is only meaningful in one history: a source outside of Neon has another one.
    """
    identifiers = (artifact.system_identifier, branch.system_identifier)
    if None not in identifiers and identifiers[0] != identifiers[1]:
        return "the branch is of another server than the artifact"
    if (artifact.neon_timeline is None) != (branch.neon_timeline is None):
        return "the artifact's source and the branch are not both on Neon"
    return ""


def other_timeline(artifact: SourceIdentity, live: SourceIdentity) -> str:
    """Why a position that an artifact names is meaningless in the source's current history. Pure.

    Args:
        artifact: the source as the artifact knows it.
        live: the source itself, as it is now.

    Returns:
        "" where it is still the same history.
    """
    if artifact.neon_timeline == live.neon_timeline:
        return ""
    return (
        f"the artifact is of the source's Neon timeline {artifact.neon_timeline}, but the source is now on "
        f"{live.neon_timeline}: it was restored or replaced since, so the position is in another history"
    )
