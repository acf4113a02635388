"""What the role that a database is read by could destroy there, by the server's own answer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from hackorda_ops.environment import Protected
from hackorda_ops.words import counted, named

RoleReach = Literal["everything", "drops", "writes", "reads"]


@dataclass(frozen=True)
class RoleRights:
    """What the role of the source may do, by the server's own answer.

    Attributes:
        role: its name.
        superuser: whether it's one, or may become one.
        owns: how many of the user's tables, schemas and the database it owns or may own.
        writes: how many of the user's tables it may change rows of, or empty.
        creates: how many of the user's schemas it may create objects in.
        powers: attributes and predefined roles that reach beyond reading, by name.
    """

    role: str
    superuser: bool
    owns: int
    writes: int
    creates: int
    powers: tuple[str, ...]

    @property
    def reach(self) -> RoleReach:
        """How far it goes."""
        if self.superuser:
            return "everything"
        if self.owns or "CREATEROLE" in self.powers:
            return "drops"
        return "writes" if self.writes or self.powers else "reads"

    @property
    def sentence(self) -> str:
        """As people read it."""
        by = f" (also {named(self.powers)})" if self.powers else ""
        return {
            "everything": f"The role {self.role} is a superuser: it could destroy the live server{by}.",
            "drops": f"The role {self.role} could drop {counted(self.owns, 'object')} that it owns{by}.",
            "writes": f"The role {self.role} could change or empty {counted(self.writes, 'table')}{by}.",
            "reads": f"The role {self.role} can only read.",
        }[self.reach]


@runtime_checkable
class TellsRights(Protocol):
    """An engine whose server can be asked what a role may do."""

    def role_rights(self, protected: Protected, *, private_folder: Path) -> RoleRights:
        """Asks; writes nothing, tries nothing.

        Args:
            protected: the database.
            private_folder: for files that must not be read by others.

        Raises:
            OpsError: the server can't be reached or read.
        """
