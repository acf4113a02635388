"""A migration as it lies in a team's folder."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MigrationFile:
    """What identifies a migration in its tool's table, and what people call it.

    Attributes:
        identity: for Drizzle its time in milliseconds, for Prisma the folder's name, for goose the version.
        name: of its file or folder.
        hashes: for Drizzle, what the table may have as the SHA-256 of its text.
    """

    identity: str
    name: str
    hashes: frozenset[str] = frozenset()
